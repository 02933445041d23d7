"""A clock that is an hour off, as that of another replica may be: what that costs, and what it does not."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from adapters.memory.session_cache import NoSessionCache
from domain.errors import ConfirmationInvalid, NotLoggedIn, ResetInvalid
from domain.invite import InviteTerms
from domain.password import NewPassword
from entrypoints.container import Container, opened
from entrypoints.settings import Settings
from tests.hand_clock import HandClock
from tests.unit.people import (
    ANN,
    BOB,
    CLIENT,
    a_member,
    a_reset,
    an_invite,
    log_in,
    newest_confirmation,
    sign_up,
    user_of,
)

HOUR = timedelta(hours=1)
NEW = NewPassword("another horse battery")


@pytest.fixture
async def container(settings: Settings, clock: HandClock, said: list[str]) -> AsyncIterator[Container]:
    """It remembers no session: each check reads the record, as another replica's does."""
    swap = {"clock": clock, "session_cache": NoSessionCache()}
    async with opened(settings, announce=said.append, swap=swap) as opened_container:
        yield opened_container


@pytest.mark.parametrize("skew", [-HOUR, HOUR])
async def test_a_session_an_invite_and_a_confirmation_work_all_the_same(
    container: Container, clock: HandClock, skew: timedelta
) -> None:
    await a_member(container, ANN)
    _, key = await log_in(container, ANN)
    invite, spare = await an_invite(container), await an_invite(container)
    await sign_up(container, BOB, invite)
    bob = await user_of(container, BOB)
    assert bob is not None
    clock.advance(skew)
    assert (await container.authenticate()(key=key)).user.username == ANN.username
    await container.verify_invite()(invite=spare, client=CLIENT)
    await container.confirm_account()(confirmation=await newest_confirmation(container, bob.id), client=CLIENT)
    _, later = await log_in(container, BOB)
    clock.advance(-skew)
    assert (await container.authenticate()(key=later)).user.username == BOB.username


async def test_a_reset_is_over_for_a_clock_that_is_an_hour_fast_and_lives_as_much_longer_for_one_that_is_slow(
    container: Container, clock: HandClock
) -> None:
    await a_member(container, ANN)
    reset = await a_reset(container, ANN)
    clock.advance(HOUR)
    with pytest.raises(ResetInvalid):
        await container.reset_password()(reset=reset, password=NEW, client=CLIENT)
    clock.advance(-HOUR + timedelta(minutes=29) - HOUR)
    await container.reset_password()(reset=reset, password=NEW, client=CLIENT)
    clock.advance(HOUR)
    with pytest.raises(ResetInvalid):
        await container.reset_password()(reset=reset, password=NEW, client=CLIENT)


async def test_a_slow_clock_brings_nothing_back_that_was_used_or_ended(container: Container, clock: HandClock) -> None:
    await sign_up(container, ANN, await an_invite(container, InviteTerms()))
    ann = await user_of(container, ANN)
    assert ann is not None
    confirmation = await newest_confirmation(container, ann.id)
    await container.confirm_account()(confirmation=confirmation, client=CLIENT)
    _, key = await log_in(container, ANN)
    await container.log_out()(keys=[key])
    clock.advance(-HOUR)
    with pytest.raises(NotLoggedIn):
        await container.authenticate()(key=key)
    with pytest.raises(ConfirmationInvalid):
        await container.confirm_account()(confirmation=confirmation, client=CLIENT)


async def test_the_last_use_of_a_session_is_not_set_back_by_a_slow_clock(
    container: Container, clock: HandClock
) -> None:
    await a_member(container, ANN)
    started, key = await log_in(container, ANN)
    clock.advance(-HOUR)
    assert (await container.authenticate()(key=key)).session == started.session


async def test_a_slow_clock_sends_no_mail_too_many(container: Container, clock: HandClock, said: list[str]) -> None:
    """It sends too few: whoever asks waits until that clock has come to the minute after the last mail."""
    await a_member(container, ANN)
    await a_reset(container, ANN)
    before = len(said)
    clock.advance(-HOUR)
    await a_reset(container, ANN)
    assert len(said) == before
    clock.advance(HOUR + timedelta(minutes=1))
    await a_reset(container, ANN)
    assert len(said) == before + 1
