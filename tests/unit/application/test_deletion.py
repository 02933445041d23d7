"""Deleting an account."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from sqlalchemy import text

from adapters.memory.session_cache import NoSessionCache
from application.accounts import delete_user
from application.accounts.delete_user import DeletionUnavailable
from application.ports import Unavailable, Work
from domain.errors import CredentialsInvalid, InviteInvalid, NotLoggedIn, PasswordWrong, UsernameTaken
from domain.invite import InviteTerms
from domain.password import Password
from entrypoints.container import Container
from tests.unit.people import (
    ANN,
    BOB,
    CLIENT,
    Person,
    a_member,
    an_invite,
    deliver_everything,
    log_in,
    sign_up,
    user_of,
)


async def rows(container: Container, table: str) -> int:
    async with container.engine().connect() as connection:
        return int(await connection.scalar(text(f"SELECT count(*) FROM {table}")) or 0)  # noqa: S608


async def test_with_the_account_go_its_sessions_tokens_mails_and_open_invites(
    container: Container, said: list[str]
) -> None:
    user, bob = await a_member(container, ANN), await a_member(container, BOB)
    _, key = await log_in(container, ANN)
    await log_in(container, BOB)
    mine = await container.issue_invite()(terms=InviteTerms(), by=user.profile)
    theirs = await container.issue_invite()(terms=InviteTerms(), by=bob.profile)
    await container.request_password_reset()(email=ANN.email, client=CLIENT)
    await deliver_everything(container)
    await container.delete_user()(user_id=user.id, password=Password(ANN.password))
    with pytest.raises(NotLoggedIn):
        await container.authenticate()(key=key)
    with pytest.raises(CredentialsInvalid):
        await log_in(container, ANN)
    assert await user_of(container, ANN) is None
    links = container.links()
    with pytest.raises(InviteInvalid):
        await container.verify_invite()(invite=links.invite_token(mine.id), client=CLIENT)
    await container.verify_invite()(invite=links.invite_token(theirs.id), client=CLIENT)
    assert (await rows(container, "users"), await rows(container, "sessions")) == (1, 1)
    async with container.engine().connect() as connection:
        kept = (await connection.execute(text("SELECT kind FROM mails WHERE recipient = 'ann@example.org'"))).all()
        told = (await connection.execute(text("SELECT type FROM outbox ORDER BY id DESC LIMIT 2"))).all()
    assert [row.kind for row in kept] == ["farewell"]
    assert {row.type for row in told} == {"user.deleted", "sessions.ended"}
    await deliver_everything(container)
    assert said[-1].startswith("Mail to ann@example.org: Your account at Bottomline is deleted")


async def test_it_needs_the_password(container: Container) -> None:
    user = await a_member(container, ANN)
    with pytest.raises(PasswordWrong):
        await container.delete_user()(user_id=user.id, password=Password("wrong"))
    assert await log_in(container, ANN)


async def test_the_address_may_sign_up_again_and_the_name_is_held(container: Container) -> None:
    user = await a_member(container, ANN)
    await container.delete_user()(user_id=user.id, password=Password(ANN.password))
    with pytest.raises(UsernameTaken):
        await sign_up(container, replace(BOB, username=ANN.username), await an_invite(container))
    again = Person(ANN.email, BOB.username)
    assert (await a_member(container, again)).id != user.id


async def test_a_stranger_who_signed_up_with_the_address_does_not_learn_of_it(container: Container) -> None:
    user = await a_member(container, ANN)
    invite = await an_invite(container)
    await sign_up(container, Person(ANN.email, BOB.username), invite)
    await container.delete_user()(user_id=user.id, password=Password(ANN.password))
    await sign_up(container, Person(ANN.email, BOB.username), invite)
    assert await user_of(container, ANN) is None


async def test_a_fault_leaves_the_account_as_it_is(container: Container) -> None:
    user = await a_member(container, ANN)
    _, key = await log_in(container, ANN)

    @asynccontextmanager
    async def broken() -> AsyncIterator[Work]:
        async with container.begin()() as work:
            yield work
            raise Unavailable("the connection was lost before the commit")

    with pytest.raises(DeletionUnavailable):
        await replace(container.delete_user(), begin=broken)(user_id=user.id, password=Password(ANN.password))
    assert await user_of(container, ANN) == user
    await container.authenticate()(key=key)


async def test_a_deletion_whose_answer_was_lost_has_happened(container: Container) -> None:
    user = await a_member(container, ANN)

    @asynccontextmanager
    async def forgetful() -> AsyncIterator[Work]:
        async with container.begin()() as work:
            yield work
        raise Unavailable("the answer to the commit was lost")

    await replace(container.delete_user(), begin=forgetful)(user_id=user.id, password=Password(ANN.password))
    assert await user_of(container, ANN) is None


async def test_a_deletion_that_takes_too_long_is_refused_and_never_happens(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delete_user, "PATIENCE", 0.2)
    user = await a_member(container, ANN)
    late = asyncio.Event()

    @asynccontextmanager
    async def slow() -> AsyncIterator[Work]:
        try:
            async with container.begin()() as work:
                await asyncio.sleep(0.5)
                yield work
        finally:
            late.set()

    with pytest.raises(DeletionUnavailable):
        await replace(container.delete_user(), begin=slow)(user_id=user.id, password=Password(ANN.password))
    await late.wait()
    assert await user_of(container, ANN) == user


async def test_a_deletion_that_has_happened_is_told_though_the_cache_is_slow(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delete_user, "PATIENCE", 0.5)
    monkeypatch.setattr(delete_user, "COMMIT_PATIENCE", 0.1)
    user = await a_member(container, ANN)
    await log_in(container, ANN)
    is_told = asyncio.Event()

    class SlowCache(NoSessionCache):
        async def bury(self, key_hashes: Iterable[bytes]) -> None:
            await is_told.wait()

    await replace(container.delete_user(), cache=SlowCache())(user_id=user.id, password=Password(ANN.password))
    assert await user_of(container, ANN) is None
    is_told.set()


async def test_a_request_that_has_no_time_left_to_hear_of_it_deletes_nothing(container: Container) -> None:
    user = await a_member(container, ANN)
    with pytest.raises(DeletionUnavailable):
        await container.delete_user()(user_id=user.id, password=Password(ANN.password), within=0.8)
    assert await user_of(container, ANN) == user
