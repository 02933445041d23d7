"""Who may log in: confirmations, asked for again, and beside each other."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from domain.errors import ConfirmationInvalid, CredentialsInvalid, UsernameTaken
from domain.invite import InviteTerms
from domain.token import Purpose
from domain.username import HOLD, Username
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
    newest,
    newest_confirmation,
    sign_up,
    user_of,
)

STRANGER = replace(ANN, username=Username("stranger"), password="the stranger's own password")


async def test_a_confirmation_sent_again_supersedes_the_older(container: Container, clock: HandClock) -> None:
    await sign_up(container, ANN, await an_invite(container))
    await deliver_everything(container)
    user = await user_of(container, ANN)
    assert user is not None
    older = await newest_confirmation(container, user.id)
    clock.advance(timedelta(minutes=1))
    await container.resend_confirmation()(email=ANN.email, client=CLIENT)
    await deliver_everything(container)
    newer = await newest_confirmation(container, user.id)
    with pytest.raises(ConfirmationInvalid):
        await container.confirm_account()(confirmation=older, client=CLIENT)
    await container.confirm_account()(confirmation=newer, client=CLIENT)


async def test_however_many_requests_make_five_mails_a_day(
    container: Container, clock: HandClock, said: list[str]
) -> None:
    await sign_up(container, ANN, await an_invite(container))
    for _ in range(20):
        for _ in range(10):
            await container.resend_confirmation()(email=ANN.email, client=CLIENT)
        await deliver_everything(container)
        clock.advance(timedelta(seconds=30))
    assert len(said) == 5
    await confirm(container, ANN)


async def test_a_confirmed_address_is_sent_no_confirmation(
    container: Container, clock: HandClock, said: list[str]
) -> None:
    await a_member(container, ANN)
    await deliver_everything(container)
    before = len(said)
    clock.advance(timedelta(minutes=1))
    await container.resend_confirmation()(email=ANN.email, client=CLIENT)
    await deliver_everything(container)
    assert len(said) == before


@pytest.mark.parametrize("first", ["stranger", "owner"])
async def test_an_owner_confirms_their_own_sign_up_and_not_a_strangers(container: Container, first: str) -> None:
    """Pre-hijacking (Sudhodanan and Paverd, 2022): a stranger signs up ahead with an address that is not theirs."""
    for person in (STRANGER, ANN) if first == "stranger" else (ANN, STRANGER):
        await sign_up(container, person, await an_invite(container))
    async with container.engine().connect() as connection:
        rows = await connection.exec_driver_sql("SELECT id, username FROM users ORDER BY id")
        ids = {row.username: row.id for row in rows}
    assert len(ids) == 2
    strangers = await newest(container, UUID(ids["stranger"]), Purpose.CONFIRMATION)
    owners = await newest(container, UUID(ids["ann"]), Purpose.CONFIRMATION)
    await container.confirm_account()(confirmation=owners, client=CLIENT)
    with pytest.raises(ConfirmationInvalid):
        await container.confirm_account()(confirmation=strangers, client=CLIENT)
    with pytest.raises(CredentialsInvalid):
        await log_in(container, STRANGER)
    logged_in, _ = await log_in(container, ANN)
    assert logged_in.user.username == ANN.username


async def test_of_many_sign_ups_with_an_address_one_is_confirmed(container: Container) -> None:
    people = [replace(ANN, username=Username(f"ann{number}")) for number in range(10)]
    for person in people:
        await sign_up(container, person, await an_invite(container))
    async with container.engine().connect() as connection:
        rows = (await connection.exec_driver_sql("SELECT id FROM tokens")).all()
    tokens = [container.signer().sign(Purpose.CONFIRMATION, UUID(row.id)) for row in rows]

    async def attempt(token: str) -> bool:
        try:
            await container.confirm_account()(confirmation=token, client=CLIENT)
        except ConfirmationInvalid:
            return False
        return True

    assert sorted(await asyncio.gather(*map(attempt, tokens * 10))) == [False] * 99 + [True]


async def test_nobody_signs_up_ahead_with_the_same_invite_either(container: Container) -> None:
    invite = await an_invite(container, InviteTerms(max_claims=2))
    await sign_up(container, STRANGER, invite)
    await sign_up(container, ANN, invite)
    user = await user_of(container, ANN)
    assert user is not None
    assert user.username == ANN.username
    await confirm(container, ANN)
    await log_in(container, ANN)
    with pytest.raises(CredentialsInvalid):
        await log_in(container, STRANGER)


async def test_whoever_has_signed_up_with_an_address_cannot_tell_that_its_owner_has_confirmed(
    container: Container,
) -> None:
    invite = await an_invite(container)
    await sign_up(container, STRANGER, invite)
    await sign_up(container, STRANGER, invite)
    await a_member(container, ANN)
    await sign_up(container, STRANGER, invite)


async def test_a_sign_up_that_was_never_confirmed_cannot_be_repeated_once_its_name_has_come_free(
    container: Container, clock: HandClock
) -> None:
    invite = await an_invite(container, InviteTerms(max_claims=3, expires_in_days=365))
    await sign_up(container, ANN, invite)
    clock.advance(HOLD)
    await a_member(container, replace(BOB, username=ANN.username))
    with pytest.raises(UsernameTaken):
        await sign_up(container, ANN, invite)


async def test_a_sign_up_with_another_password_is_not_the_very_same(container: Container) -> None:
    invite = await an_invite(container, InviteTerms(max_claims=2))
    await sign_up(container, replace(STRANGER, username=ANN.username), invite)
    with pytest.raises(UsernameTaken):
        await sign_up(container, ANN, invite)


@pytest.mark.parametrize("claimed", [True, False])
async def test_whoever_holds_an_invite_cannot_ask_who_has_signed_up_with_it(
    container: Container, claimed: bool
) -> None:
    invite, other = await an_invite(container, InviteTerms(max_claims=3)), await an_invite(container)
    await sign_up(container, BOB, invite if claimed else other)
    with pytest.raises(UsernameTaken):
        await sign_up(container, replace(BOB, password="a stranger's own guess"), invite)
    issued = (await container.list_invites()(to=None)).invites
    (listed,) = [found.invite for found in issued if found.invite.max_claims == 3]
    assert listed.claims == claimed
