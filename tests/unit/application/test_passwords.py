"""Forgetting, resetting and changing a password."""

import asyncio
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta

import pytest

from application.ports import Place
from domain.errors import CredentialsInvalid, NotLoggedIn, PasswordWrong, ResetInvalid
from domain.password import NewPassword, Password
from domain.session import LoggedIn
from entrypoints.container import Container
from tests.hand_clock import HandClock
from tests.unit.people import (
    ANN,
    BOB,
    CLIENT,
    a_member,
    a_reset,
    an_invite,
    deliver_everything,
    log_in,
    sign_up,
)

OTHER = NewPassword("another horse battery")


async def test_a_reset_sets_another_password_and_ends_every_session(container: Container, said: list[str]) -> None:
    await a_member(container, ANN)
    sessions = [await log_in(container, ANN) for _ in range(2)]
    await container.reset_password()(reset=await a_reset(container, ANN), password=OTHER, client=CLIENT)
    for _, key in sessions:
        with pytest.raises(NotLoggedIn):
            await container.authenticate()(key=key)
    with pytest.raises(CredentialsInvalid):
        await log_in(container, ANN)
    assert await log_in(container, replace(ANN, password=OTHER.text))
    await deliver_everything(container)
    assert "was changed" in said[-1], "the user is told"


async def test_a_reset_works_once_of_a_hundred_at_once(container: Container) -> None:
    await a_member(container, ANN)
    reset = await a_reset(container, ANN)

    async def attempt(number: int) -> bool:
        try:
            await container.reset_password()(
                reset=reset, password=NewPassword(f"another horse battery {number}"), client=CLIENT
            )
        except ResetInvalid:
            return False
        return True

    assert sorted(await asyncio.gather(*map(attempt, range(100)))) == [False] * 99 + [True]


async def test_a_reset_expires_after_half_an_hour(container: Container, clock: HandClock) -> None:
    await a_member(container, ANN)
    reset = await a_reset(container, ANN)
    clock.advance(timedelta(minutes=30))
    with pytest.raises(ResetInvalid):
        await container.reset_password()(reset=reset, password=OTHER, client=CLIENT)


async def test_a_newer_reset_supersedes_the_older(container: Container, clock: HandClock) -> None:
    await a_member(container, ANN)
    older = await a_reset(container, ANN)
    clock.advance(timedelta(minutes=1))
    newer = await a_reset(container, ANN)
    assert newer != older
    with pytest.raises(ResetInvalid):
        await container.reset_password()(reset=older, password=OTHER, client=CLIENT)
    await container.reset_password()(reset=newer, password=OTHER, client=CLIENT)


async def test_a_reset_is_mailed_once_a_minute_and_the_older_one_works_on(
    container: Container, clock: HandClock
) -> None:
    await a_member(container, ANN)
    first = await a_reset(container, ANN)
    clock.advance(timedelta(seconds=59))
    assert await a_reset(container, ANN) == first
    await container.reset_password()(reset=first, password=OTHER, client=CLIENT)


async def test_nobody_is_written_to_at_an_unknown_address(container: Container, said: list[str]) -> None:
    await container.request_password_reset()(email=BOB.email, client=CLIENT)
    await container.resend_confirmation()(email=BOB.email, client=CLIENT)
    await deliver_everything(container)
    assert said == []


async def test_whoever_has_not_confirmed_is_sent_the_confirmation_instead_of_a_reset(
    container: Container, clock: HandClock, said: list[str]
) -> None:
    await sign_up(container, ANN, await an_invite(container))
    await deliver_everything(container)
    clock.advance(timedelta(minutes=1))
    await container.request_password_reset()(email=ANN.email, client=CLIENT)
    await deliver_everything(container)
    assert len(said) == 2
    assert "#confirmation=" in said[-1]


async def test_a_session_that_has_ended_changes_no_password_and_begins_no_other(container: Container) -> None:
    await a_member(container, ANN)
    me, key = await log_in(container, ANN)
    await container.log_out()(keys=[key])
    with pytest.raises(NotLoggedIn):
        await container.change_password()(me=me, current=Password(ANN.password), new=OTHER)
    _, key = await log_in(container, ANN)
    me = await container.authenticate()(key=key)
    assert [session.id for session in await container.list_sessions()(user_id=me.user.id)] == [me.session.id]


async def test_a_changed_password_goes_on_where_the_session_was_begun(container: Container) -> None:
    await a_member(container, ANN)
    _, key = await log_in(container, ANN)
    checked = await container.authenticate()(key=key)
    _, key = await container.change_password()(me=checked, current=Password(ANN.password), new=OTHER)
    (session,) = await container.list_sessions()(user_id=checked.user.id)
    assert session.user_agent == "pytest"


async def test_a_change_needs_the_current_password(container: Container) -> None:
    await a_member(container, ANN)
    me, key = await log_in(container, ANN)
    with pytest.raises(PasswordWrong) as refused:
        await container.change_password()(me=me, current=Password("wrong"), new=OTHER)
    assert [field.field for field in refused.value.fields] == ["current_password"]
    await container.authenticate()(key=key)


async def test_a_change_gives_this_browser_a_new_session_and_ends_all_others(
    container: Container, said: list[str]
) -> None:
    await a_member(container, ANN)
    (me, key), (_, elsewhere) = await log_in(container, ANN), await log_in(container, ANN)
    reset = await a_reset(container, ANN)
    renewed, new_key = await container.change_password()(me=me, current=Password(ANN.password), new=OTHER)
    for old in (key, elsewhere):
        with pytest.raises(NotLoggedIn):
            await container.authenticate()(key=old)
    assert await container.authenticate()(key=new_key) == LoggedIn(renewed.session.without_origin, renewed.user)
    assert renewed.session.id != me.session.id
    with pytest.raises(ResetInvalid):
        await container.reset_password()(reset=reset, password=OTHER, client=CLIENT)
    await deliver_everything(container)
    assert "was changed" in said[-1], "the user is told"


async def test_of_two_changes_at_once_one_is_refused(container: Container) -> None:
    await a_member(container, ANN)
    me, _ = await log_in(container, ANN)

    async def change(number: int) -> bool:
        new = NewPassword(f"another horse battery {number}")
        try:
            await container.change_password()(me=me, current=Password(ANN.password), new=new)
        except PasswordWrong:
            return False
        return True

    assert sorted(await asyncio.gather(*map(change, range(10)))) == [False] * 9 + [True]


async def test_a_log_in_under_way_with_the_old_password_comes_to_nothing(container: Container) -> None:
    """Else whoever knew the old password would be in for two weeks more."""
    await a_member(container, ANN)
    me, _ = await log_in(container, ANN)

    class Slow:
        """Lets the password be changed between its check and the session."""

        is_changed = False

        def admit(self, under_way: int) -> None:
            container.hasher().admit(under_way)

        def place(self) -> AbstractContextManager[Place]:
            place: AbstractContextManager[Place] = container.hasher().place()
            return place

        async def verify(self, password: Password, hash: str | None, place: Place | None = None) -> bool:
            right = await container.hasher().verify(password, hash, place)
            if not self.is_changed:
                self.is_changed = True
                await container.change_password()(me=me, current=Password(ANN.password), new=OTHER)
            return right

        async def renew(self, password: Password, hash: str) -> str | None:
            return await container.hasher().renew(password, hash)

        async def hash(self, password: NewPassword) -> str:
            return await container.hasher().hash(password)

    slow = replace(container.log_in(), hasher=Slow())
    with pytest.raises(CredentialsInvalid):
        await slow(email=ANN.email, password=Password(ANN.password), user_agent=None, client=CLIENT)
    assert len(await container.list_sessions()(user_id=me.user.id)) == 1


async def test_a_password_does_not_expire(container: Container, clock: HandClock) -> None:
    await a_member(container, ANN)
    clock.advance(timedelta(days=3650))
    assert await log_in(container, ANN)
