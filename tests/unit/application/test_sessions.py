"""Confirming, logging in, being logged in, logging out."""

from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from adapters.argon2.password_hasher import Argon2Cost, Argon2PasswordHasher
from adapters.memory.session_cache import NoSessionCache
from application.ports import Overloaded, Place, Work
from application.sessions.authenticate import Authenticate
from domain.errors import ConfirmationInvalid, CredentialsInvalid, NotLoggedIn
from domain.password import Password
from domain.session import SessionKey
from entrypoints.container import Container
from tests.hand_clock import HandClock
from tests.unit.people import (
    ANN,
    BOB,
    CLIENT,
    a_member,
    an_invite,
    confirm,
    deliver_everything,
    log_in,
    newest_confirmation,
    sign_up,
    user_of,
)


def without_cache(container: Container) -> Authenticate:
    return replace(container.authenticate(), cache=NoSessionCache())


async def test_a_confirmation_works_once(container: Container) -> None:
    await sign_up(container, ANN, await an_invite(container))
    user = await user_of(container, ANN)
    assert user is not None
    confirmation = await newest_confirmation(container, user.id)
    await container.confirm_account()(confirmation=confirmation, client=CLIENT)
    with pytest.raises(ConfirmationInvalid):
        await container.confirm_account()(confirmation=confirmation, client=CLIENT)


async def test_a_confirmation_expires_after_a_day(container: Container, clock: HandClock) -> None:
    await sign_up(container, ANN, await an_invite(container))
    clock.advance(timedelta(hours=24))
    with pytest.raises(ConfirmationInvalid):
        await confirm(container, ANN)


async def test_an_unconfirmed_user_cannot_log_in(container: Container) -> None:
    await sign_up(container, ANN, await an_invite(container))
    await deliver_everything(container)
    with pytest.raises(CredentialsInvalid):
        await log_in(container, ANN)
    assert not await container.relay_outbox()(), "a commit more would tell by its time that the address had no account"


async def test_a_wrong_password_and_an_unknown_address_are_refused_alike(container: Container) -> None:
    await a_member(container, ANN)
    with pytest.raises(CredentialsInvalid) as wrong:
        await log_in(container, replace(ANN, password="wrong"))
    with pytest.raises(CredentialsInvalid) as unknown:
        await log_in(container, BOB)
    assert wrong.value.message == unknown.value.message


async def test_a_log_in_under_newer_parameters_renews_the_hash(container: Container) -> None:
    before = await a_member(container, ANN)
    hasher = Argon2PasswordHasher(Argon2Cost(2, 16))
    log_in_now = replace(container.log_in(), hasher=hasher)
    for _ in range(2):
        await log_in_now(email=ANN.email, password=Password(ANN.password), user_agent=None, client=CLIENT)
        after = await user_of(container, ANN)
        assert after is not None
        assert "m=16,t=2" in (after.password_hash or "")
        assert replace(after, password_hash=before.password_hash) == before
    hasher.close()
    with pytest.raises(CredentialsInvalid):
        await log_in(container, replace(ANN, password="wrong"))
    await log_in(container, ANN)


async def test_a_log_in_that_cannot_be_in_time_reads_nothing(container: Container) -> None:
    await a_member(container, ANN)
    hasher = Argon2PasswordHasher(Argon2Cost(), threads=1, patience=0)

    def reads() -> AbstractAsyncContextManager[Work]:
        pytest.fail("a flood would keep the database busy")

    with hasher.place(), pytest.raises(Overloaded):
        await replace(container.log_in(), hasher=hasher, read=reads)(
            email=ANN.email, password=Password(ANN.password), user_agent=None, client=CLIENT
        )
    hasher.close()


async def test_two_log_ins_at_once_under_newer_parameters_both_come_in(container: Container) -> None:
    """The one finds the hash that it has checked renewed by the other."""
    user = await a_member(container, ANN)

    class RenewedMeanwhile(Argon2PasswordHasher):
        async def verify(self, password: Password, hash: str | None, place: Place | None = None) -> bool:
            right = await super().verify(password, hash, place)
            async with container.begin()() as work:
                await work.users.rehash(user.id, old=user.password_hash or "", new=await self.hash(password))
            return right

    hasher = RenewedMeanwhile(Argon2Cost(2, 16))
    _, key = await replace(container.log_in(), hasher=hasher)(
        email=ANN.email, password=Password(ANN.password), user_agent=None, client=CLIENT
    )
    hasher.close()
    assert (await container.authenticate()(key=key)).user.id == user.id


async def test_a_wrong_password_renews_nothing(container: Container) -> None:
    before = await a_member(container, ANN)
    hasher = Argon2PasswordHasher(Argon2Cost(2, 16))
    with pytest.raises(CredentialsInvalid):
        await replace(container.log_in(), hasher=hasher)(
            email=ANN.email, password=Password("wrong"), user_agent=None, client=CLIENT
        )
    hasher.close()
    assert await user_of(container, ANN) == before


class NeverRenewing(Argon2PasswordHasher):
    """Has time for every check, and never for a new hash."""

    async def renew(self, password: Password, hash: str) -> str | None:
        raise Overloaded("busy")


async def test_a_hash_that_cannot_be_renewed_keeps_nobody_out(container: Container) -> None:
    before = await a_member(container, ANN)
    hasher = NeverRenewing(Argon2Cost(2, 16))
    started, key = await replace(container.log_in(), hasher=hasher)(
        email=ANN.email, password=Password(ANN.password), user_agent=None, client=CLIENT
    )
    hasher.close()
    assert (await container.authenticate()(key=key)).session.id == started.session.id
    assert await user_of(container, ANN) == before


async def test_a_password_changed_meanwhile_is_not_overwritten_by_the_renewed_hash(container: Container) -> None:
    user = await a_member(container, ANN)

    class ChangedMeanwhile(Argon2PasswordHasher):
        async def renew(self, password: Password, hash: str) -> str | None:
            async with container.begin()() as work:
                await work.users.rehash(user.id, old=hash, new="of another password")
            return await super().renew(password, hash)

    hasher = ChangedMeanwhile(Argon2Cost(2, 16))
    await replace(container.log_in(), hasher=hasher)(
        email=ANN.email, password=Password(ANN.password), user_agent=None, client=CLIENT
    )
    hasher.close()
    after = await user_of(container, ANN)
    assert after is not None
    assert after.password_hash == "of another password"


async def test_each_log_in_makes_a_session_of_its_own(container: Container) -> None:
    await a_member(container, ANN)
    (first, first_key), (second, second_key) = await log_in(container, ANN), await log_in(container, ANN)
    assert first.session.id != second.session.id
    assert first_key != second_key
    assert (await container.authenticate()(key=first_key)).user.username == ANN.username


async def test_the_record_keeps_no_key(container: Container) -> None:
    await a_member(container, ANN)
    _, key = await log_in(container, ANN)
    async with container.engine().connect() as connection:
        stored = (await connection.execute(text("SELECT * FROM sessions"))).one()
    assert key.secret not in tuple(stored)
    assert key.hash in tuple(stored)


async def test_an_ended_session_is_over_at_once(container: Container) -> None:
    await a_member(container, ANN)
    _, key = await log_in(container, ANN)
    await container.log_out()(keys=[key])
    with pytest.raises(NotLoggedIn):
        await container.authenticate()(key=key)


async def test_an_unknown_key_is_not_adopted(container: Container) -> None:
    with pytest.raises(NotLoggedIn):
        await container.authenticate()(key=SessionKey(bytes(32)))


async def test_a_session_ends_unused_after_three_days_and_used_after_fourteen(
    container: Container, clock: HandClock
) -> None:
    await a_member(container, ANN)
    (_, idle), (_, used) = await log_in(container, ANN), await log_in(container, ANN)
    for _ in range(13):
        clock.advance(timedelta(days=1))
        await without_cache(container)(key=used)
    with pytest.raises(NotLoggedIn):
        await container.authenticate()(key=idle)
    clock.advance(timedelta(days=1))
    with pytest.raises(NotLoggedIn):
        await container.authenticate()(key=used)
    with pytest.raises(NotLoggedIn):
        await without_cache(container)(key=used)


async def test_ending_a_session_is_told_to_the_world_once(container: Container) -> None:
    await a_member(container, ANN)
    _, key = await log_in(container, ANN)
    await container.log_out()(keys=[key])
    await container.log_out()(keys=[key])
    async with container.engine().connect() as connection:
        told = await connection.scalar(text("SELECT count(*) FROM outbox WHERE type = 'sessions.ended'"))
    assert told == 1
