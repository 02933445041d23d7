"""Claiming an invite and creating a user."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from dependency_injector.providers import Object
from sqlalchemy import text

from adapters.memory.usernames import MemoryUsernames
from application.ports import Holder, Overloaded, Unavailable
from domain.email_address import EmailAddress
from domain.errors import InvalidFields, InviteForAnotherAddress, InviteInvalid, InviteSpent, UsernameTaken
from domain.invite import InviteState, InviteTerms
from domain.password import NewPassword
from domain.token import Purpose
from domain.user import Role
from domain.username import Username
from entrypoints.container import Container
from tests.hand_clock import HandClock
from tests.unit.people import (
    ANN,
    BOB,
    CLIENT,
    Person,
    a_member,
    an_invite,
    confirm,
    deliver_everything,
    log_in,
    sign_up,
    sign_up_patiently,
    user_of,
)


async def rows(container: Container, table: str) -> int:
    async with container.engine().connect() as connection:
        return int(await connection.scalar(text(f"SELECT count(*) FROM {table}")))  # noqa: S608


class Overworked:
    """Too many passwords wait to be hashed."""

    async def hash(self, password: NewPassword) -> str:
        raise Overloaded("no room")


def forget_names(container: Container) -> None:
    """As when Redis was emptied."""
    usernames = container.usernames()
    assert isinstance(usernames, MemoryUsernames)
    usernames._entries.clear()


async def test_a_claimed_invite_makes_an_unconfirmed_user(container: Container) -> None:
    await sign_up(container, ANN, await an_invite(container))
    user = await user_of(container, ANN)
    assert user is not None
    assert (user.email, user.username, user.role, user.is_confirmed) == (ANN.email, ANN.username, Role.MEMBER, False)


async def test_the_password_is_stored_as_argon2id_alone(container: Container) -> None:
    await sign_up(container, ANN, await an_invite(container))
    user = await user_of(container, ANN)
    assert user is not None
    assert user.password_hash is not None
    assert user.password_hash.startswith("$argon2id$")
    assert ANN.password not in user.password_hash


async def test_a_spent_invite_cannot_be_claimed(container: Container) -> None:
    invite = await an_invite(container)
    await sign_up(container, ANN, invite)
    with pytest.raises(InviteInvalid):
        await sign_up(container, BOB, invite)
    assert await user_of(container, BOB) is None


async def test_an_expired_invite_cannot_be_claimed(container: Container, clock: HandClock) -> None:
    invite = await an_invite(container)
    clock.advance(timedelta(days=7))
    with pytest.raises(InviteInvalid):
        await sign_up(container, ANN, invite)


async def test_a_revoked_invite_cannot_be_claimed(container: Container) -> None:
    invite = await an_invite(container)
    invite_id = container.signer().read(Purpose.INVITE, invite)
    assert invite_id is not None
    await container.revoke_invite()(invite_id=invite_id, by=None)
    with pytest.raises(InviteInvalid):
        await sign_up(container, ANN, invite)


async def test_a_token_of_another_purpose_is_no_invite(container: Container) -> None:
    invite_id = container.signer().read(Purpose.INVITE, await an_invite(container))
    assert invite_id is not None
    with pytest.raises(InviteInvalid):
        await sign_up(container, ANN, container.signer().sign(Purpose.CONFIRMATION, invite_id))


async def test_a_bound_invite_is_for_its_address(container: Container) -> None:
    invite = await an_invite(container, InviteTerms(email=ANN.email))
    with pytest.raises(InviteForAnotherAddress):
        await sign_up(container, BOB, invite)
    await sign_up(container, ANN, invite)


async def test_a_taken_username_is_refused_and_the_invite_stays_open(container: Container) -> None:
    await a_member(container, ANN)
    invite = await an_invite(container)
    with pytest.raises(UsernameTaken):
        await sign_up(container, Person(BOB.email, ANN.username), invite)
    await container.verify_invite()(invite=invite, client=CLIENT)
    await sign_up(container, BOB, invite)


async def test_a_name_that_another_sign_up_has_reserved_is_refused_before_the_record_is_asked(
    container: Container,
) -> None:
    await container.usernames().add(ANN.username, Holder(b"another sign-up"))
    with pytest.raises(UsernameTaken):
        await sign_up(container, ANN, await an_invite(container))
    assert await rows(container, "username_holds") == 0
    assert await container.usernames().get(ANN.username) == Holder(b"another sign-up")


async def test_a_refused_sign_up_frees_the_name_it_had_reserved(container: Container) -> None:
    await a_member(container, ANN)
    forget_names(container)
    with pytest.raises(UsernameTaken):
        await sign_up(container, Person(BOB.email, ANN.username), await an_invite(container))
    assert await container.usernames().get(ANN.username) is None


async def test_a_sign_up_whose_outcome_is_unknown_keeps_its_name_for_its_repeat(container: Container) -> None:
    invite = await an_invite(container)
    with container.hasher.override(Object(Overworked())):
        container.claim_invite_and_create_user.reset()
        with pytest.raises(Unavailable):
            await sign_up(container, ANN, invite)
    container.claim_invite_and_create_user.reset()
    with pytest.raises(UsernameTaken):
        await sign_up(container, Person(BOB.email, ANN.username), await an_invite(container))
    await sign_up(container, ANN, invite)


async def test_of_two_names_for_one_claim_at_once_one_is_taken_and_the_other_free(container: Container) -> None:
    invite = await an_invite(container)
    names = ["first", "second"]
    both = (sign_up(container, Person(ANN.email, Username(name)), invite) for name in names)
    answers = await asyncio.gather(*both, return_exceptions=True)
    assert [type(answer) for answer in answers if answer] == [InviteSpent]
    user = await user_of(container, ANN)
    assert user is not None
    for name in names:
        checked = await container.check_username()(raw=name, client=CLIENT)
        assert checked.reason == ("username_taken" if name == user.username.name else None)


async def test_the_very_same_sign_up_again_changes_nothing(container: Container) -> None:
    invite = await an_invite(container, InviteTerms(max_claims=3))
    await sign_up(container, ANN, invite)
    before = [await rows(container, table) for table in ("users", "invite_claims", "outbox", "tokens")]
    await sign_up(container, ANN, invite)
    assert [await rows(container, table) for table in ("users", "invite_claims", "outbox", "tokens")] == before
    (listed,) = (await container.list_invites()(to=None)).invites
    assert listed.invite.claims == 1


@pytest.mark.parametrize("known", [False, True])
async def test_a_weak_password_is_refused_alike_whether_the_address_is_known(container: Container, known: bool) -> None:
    if known:
        await a_member(container, ANN)
    invite = await an_invite(container)
    for password in ("passwordpassword", "ann.ann.ann.1234"):
        with pytest.raises(InvalidFields) as refusal:
            await sign_up(container, Person(ANN.email, BOB.username, password), invite)
        ((field, code),) = [(bad.field, bad.code) for bad in refusal.value.fields]
        assert (field, code) == ("password", "password_guessable")
    await sign_up(container, Person(ANN.email, BOB.username), invite)


async def test_a_weak_password_is_judged_only_for_whoever_has_an_open_invite(container: Container) -> None:
    with pytest.raises(InviteInvalid):
        await sign_up(container, replace(ANN, password="passwordpassword"), "nonsense")


@pytest.mark.parametrize("known", [False, True])
async def test_the_world_after_a_sign_up_is_the_same_whether_the_address_was_known(
    container: Container, clock: HandClock, known: bool
) -> None:
    if known:
        await a_member(container, ANN)
    invite = await an_invite(container)
    await sign_up(container, Person(ANN.email, BOB.username), invite)
    invite_id = container.signer().read(Purpose.INVITE, invite)
    listed = {found.invite.id: found.invite for found in (await container.list_invites()(to=None)).invites}
    assert invite_id is not None
    assert listed[invite_id].state(clock.now()) is InviteState.SPENT
    assert (await container.check_username()(raw="bob", client=CLIENT)).reason == "username_taken"
    remembered = await container.usernames().get(BOB.username)
    assert remembered is not None
    assert remembered.is_taken
    for _ in range(2):  # the second time by the record alone
        with pytest.raises(UsernameTaken):
            await sign_up(container, Person(BOB.email, BOB.username), await an_invite(container))
        forget_names(container)
    assert (await container.check_username()(raw="bob", client=CLIENT)).reason == "username_taken"
    await sign_up(container, Person(ANN.email, BOB.username), invite)


@pytest.mark.parametrize("known", [False, True])
async def test_whoever_holds_an_invite_cannot_tell_which_addresses_came_by_it(
    container: Container, known: bool
) -> None:
    invite = await an_invite(container, InviteTerms(max_claims=9))
    if known:
        await sign_up(container, ANN, invite)
        await confirm(container, ANN)
    (before,) = (await container.list_invites()(to=None)).invites
    await sign_up(container, Person(ANN.email, BOB.username), invite)
    (after,) = (await container.list_invites()(to=None)).invites
    assert after.invite.claims == before.invite.claims + 1
    with pytest.raises(UsernameTaken):
        await sign_up(container, BOB, invite)


@pytest.mark.parametrize("known", [False, True])
async def test_a_name_that_was_never_confirmed_comes_free_after_90_days_whatever_the_address(
    container: Container, clock: HandClock, known: bool
) -> None:
    if known:
        await a_member(container, ANN)
    await sign_up(container, Person(ANN.email, BOB.username), await an_invite(container))
    clock.advance(timedelta(days=90) - timedelta(seconds=1))
    with pytest.raises(UsernameTaken):
        await sign_up(container, BOB, await an_invite(container))
    clock.advance(timedelta(seconds=1))
    await sign_up(container, BOB, await an_invite(container))


async def test_a_known_address_keeps_its_account_and_is_told(container: Container, said: list[str]) -> None:
    before = await a_member(container, ANN)
    await sign_up(container, Person(ANN.email, BOB.username, "another password"), await an_invite(container))
    assert await user_of(container, ANN) == before
    await log_in(container, ANN)
    await deliver_everything(container)
    assert [line for line in said if "already have an account" in line]


async def test_an_unconfirmed_address_gets_its_confirmation_again_once_a_minute(
    container: Container, clock: HandClock, said: list[str]
) -> None:
    await sign_up(container, ANN, await an_invite(container))
    for name, wait in (("bob", timedelta(0)), ("bobby", timedelta(minutes=1)), ("bobster", timedelta(seconds=59))):
        clock.advance(wait)
        await sign_up(container, Person(ANN.email, Username(name)), await an_invite(container))
        await deliver_everything(container)
    links = [line.rsplit(" ", 1)[1] for line in said if "Confirm your address" in line]
    assert len(links) == 2
    assert len(set(links)) == 2


async def test_of_many_claims_of_one_invite_at_once_one_wins(container: Container) -> None:
    invite = await an_invite(container)
    people = [Person(EmailAddress(f"p{n}@example.org"), Username(f"person{n}")) for n in range(200)]
    claims = (sign_up_patiently(container, person, invite) for person in people)
    answers = await asyncio.gather(*claims, return_exceptions=True)
    assert answers.count(None) == 1
    assert {type(answer).__mro__[1] for answer in answers if answer is not None} == {InviteInvalid}
    assert await rows(container, "users") == 1
