"""Confirming, logging in, being logged in, logging out."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from adapters.memory.session_cache import NoSessionCache
from application.sessions.authenticate import Authenticate
from domain.errors import ConfirmationInvalid, CredentialsInvalid, NotLoggedIn
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
    with pytest.raises(CredentialsInvalid):
        await log_in(container, ANN)


async def test_a_wrong_password_and_an_unknown_address_are_refused_alike(container: Container) -> None:
    await a_member(container, ANN)
    with pytest.raises(CredentialsInvalid) as wrong:
        await log_in(container, replace(ANN, password="wrong"))
    with pytest.raises(CredentialsInvalid) as unknown:
        await log_in(container, BOB)
    assert wrong.value.message == unknown.value.message


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
    await container.log_out()(key=key)
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
    await container.log_out()(key=key)
    await container.log_out()(key=key)
    async with container.engine().connect() as connection:
        told = await connection.scalar(text("SELECT count(*) FROM outbox WHERE type = 'sessions.ended'"))
    assert told == 1
