"""Changing the mail address, and taking it back."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from domain.email_address import EmailAddress
from domain.errors import CredentialsInvalid, EmailChangeInvalid, EmailUnchanged, NotLoggedIn, PasswordWrong
from domain.mail import PAUSE, PER_DAY
from domain.password import NewPassword, Password
from domain.token import Purpose
from domain.user import User
from entrypoints.container import Container
from tests.hand_clock import HandClock
from tests.unit.people import ANN, BOB, CLIENT, Person, a_member, deliver_everything, log_in, newest, user_of

NEW = EmailAddress("new@example.org")
NEW_ANN = replace(ANN, email=NEW)


async def ask(container: Container, user: User, email: EmailAddress = NEW) -> str:
    """Ask for another address; the token that is mailed to it."""
    await container.change_email()(user_id=user.id, password=Password(ANN.password), email=email)
    await deliver_everything(container)
    return await newest(container, user.id, Purpose.EMAIL_CHANGE)


async def change(container: Container, user: User, email: EmailAddress = NEW) -> str:
    """Change the address; the token that is mailed to the one before."""
    await container.confirm_email_change()(confirmation=await ask(container, user, email), client=CLIENT)
    await deliver_everything(container)
    return await newest(container, user.id, Purpose.EMAIL_UNDO)


async def test_an_address_changes_when_the_new_one_confirms_and_the_old_one_is_told(
    container: Container, said: list[str]
) -> None:
    user = await a_member(container, ANN)
    _, key = await log_in(container, ANN)
    confirmation = await ask(container, user)
    assert said[-1].startswith("Mail to new@example.org: Confirm your new address")
    assert (await container.authenticate()(key=key)).user.email == ANN.email
    await container.confirm_email_change()(confirmation=confirmation, client=CLIENT)
    assert (await container.authenticate()(key=key)).user.email == NEW, "also where it was cached"
    await deliver_everything(container)
    assert said[-1].startswith("Mail to ann@example.org: Your address")
    assert await log_in(container, NEW_ANN)
    with pytest.raises(CredentialsInvalid):
        await log_in(container, ANN)


async def test_it_needs_the_password_and_another_address(container: Container) -> None:
    user = await a_member(container, ANN)
    with pytest.raises(PasswordWrong):
        await container.change_email()(user_id=user.id, password=Password("wrong"), email=NEW)
    with pytest.raises(EmailUnchanged):
        await container.change_email()(user_id=user.id, password=Password(ANN.password), email=ANN.email)
    assert await change(container, user, EmailAddress("Ann@example.org")), "written otherwise, it is another"


async def test_a_confirmation_of_another_address_works_once(container: Container) -> None:
    user = await a_member(container, ANN)
    confirmation = await ask(container, user)
    await container.confirm_email_change()(confirmation=confirmation, client=CLIENT)
    with pytest.raises(EmailChangeInvalid):
        await container.confirm_email_change()(confirmation=confirmation, client=CLIENT)


async def test_asked_for_once_more_the_link_that_was_mailed_goes_on_working(
    container: Container, said: list[str], clock: HandClock
) -> None:
    user = await a_member(container, ANN)
    first = await ask(container, user)
    mails = len(said)
    again = await ask(container, user)
    assert len(said) == mails, "one a minute"
    clock.advance(PAUSE)
    assert await ask(container, user) == again == first
    assert len(said) == mails + 1
    await container.confirm_email_change()(confirmation=first, client=CLIENT)
    assert await user_of(container, NEW_ANN)


async def test_of_two_addresses_that_were_asked_for_the_last_one_counts(container: Container) -> None:
    user = await a_member(container, ANN)
    mistyped = await ask(container, user, EmailAddress("nwe@example.org"))
    meant = await ask(container, user)
    with pytest.raises(EmailChangeInvalid):
        await container.confirm_email_change()(confirmation=mistyped, client=CLIENT)
    await container.confirm_email_change()(confirmation=meant, client=CLIENT)


async def test_an_address_that_has_an_account_is_told_so_and_nobody_else(container: Container, said: list[str]) -> None:
    user, bob = await a_member(container, ANN), await a_member(container, BOB)
    await container.change_email()(user_id=user.id, password=Password(ANN.password), email=BOB.email)
    await deliver_everything(container)
    assert said[-1].startswith("Mail to bob@example.org: You already have an account")
    confirmation = await newest(container, user.id, Purpose.EMAIL_CHANGE)
    with pytest.raises(EmailChangeInvalid):
        await container.confirm_email_change()(confirmation=confirmation, client=CLIENT)
    assert await user_of(container, BOB) == bob


async def test_a_change_of_password_voids_a_change_of_address_under_way(container: Container) -> None:
    user = await a_member(container, ANN)
    me, _ = await log_in(container, ANN)
    confirmation = await ask(container, user)
    await container.change_password()(me=me, current=Password(ANN.password), new=NewPassword("another horse battery"))
    with pytest.raises(EmailChangeInvalid):
        await container.confirm_email_change()(confirmation=confirmation, client=CLIENT)


async def test_the_old_address_takes_the_account_back_and_locks_out_whoever_knew_the_password(
    container: Container, clock: HandClock, said: list[str]
) -> None:
    user = await a_member(container, ANN)
    _, thief = await log_in(container, ANN)
    undo = await change(container, user)
    clock.advance(timedelta(days=6, hours=23))
    await container.undo_email_change()(undo=undo, client=CLIENT)
    with pytest.raises(NotLoggedIn):
        await container.authenticate()(key=thief)
    for person in (ANN, NEW_ANN):
        with pytest.raises(CredentialsInvalid):
            await log_in(container, person)
    await deliver_everything(container)
    assert said[-1].startswith("Mail to ann@example.org: Set another password")
    reset = await newest(container, user.id, Purpose.RESET)
    await container.reset_password()(reset=reset, password=NewPassword("another horse battery"), client=CLIENT)
    assert await log_in(container, replace(ANN, password="another horse battery"))
    with pytest.raises(EmailChangeInvalid):
        await container.undo_email_change()(undo=undo, client=CLIENT)


async def test_an_undoing_expires_after_a_week(container: Container, clock: HandClock) -> None:
    user = await a_member(container, ANN)
    undo = await change(container, user)
    clock.advance(timedelta(days=7))
    with pytest.raises(EmailChangeInvalid):
        await container.undo_email_change()(undo=undo, client=CLIENT)


async def test_changing_on_and_on_does_not_shake_off_the_first_address(container: Container, clock: HandClock) -> None:
    user = await a_member(container, ANN)
    first = await change(container, user)
    clock.advance(timedelta(minutes=1))
    second = await change(container, user, EmailAddress("third@example.org"))
    await container.undo_email_change()(undo=first, client=CLIENT)
    found = await user_of(container, ANN)
    assert found is not None
    assert found.id == user.id
    with pytest.raises(EmailChangeInvalid):
        await container.undo_email_change()(undo=second, client=CLIENT)


async def test_the_first_address_still_wins_after_the_second_has_undone(container: Container, clock: HandClock) -> None:
    user = await a_member(container, ANN)
    first = await change(container, user)
    clock.advance(timedelta(minutes=1))
    second = await change(container, user, EmailAddress("third@example.org"))
    await container.undo_email_change()(undo=second, client=CLIENT)
    await container.undo_email_change()(undo=first, client=CLIENT)
    assert await user_of(container, ANN) is not None


async def test_an_address_that_somebody_else_took_meanwhile_stays_theirs(container: Container) -> None:
    user = await a_member(container, ANN)
    undo = await change(container, user)
    newcomer = Person(ANN.email, BOB.username)
    taken_by = await a_member(container, newcomer)
    with pytest.raises(EmailChangeInvalid):
        await container.undo_email_change()(undo=undo, client=CLIENT)
    assert await user_of(container, newcomer) == taken_by


@pytest.mark.parametrize("wrong", ["", "x" * 46])
async def test_other_tokens_are_refused(container: Container, wrong: str) -> None:
    uses: list[Callable[[], object]] = [
        lambda: container.confirm_email_change()(confirmation=wrong, client=CLIENT),
        lambda: container.undo_email_change()(undo=wrong, client=CLIENT),
    ]
    for use in uses:
        with pytest.raises(EmailChangeInvalid):
            await use()  # type: ignore[misc]


async def test_a_clock_that_goes_backwards_does_not_let_the_second_address_undo_the_first(
    container: Container, clock: HandClock
) -> None:
    user = await a_member(container, ANN)
    first = await change(container, user)
    clock.advance(timedelta(minutes=1))
    confirmation = await ask(container, user, EmailAddress("third@example.org"))
    clock.advance(timedelta(minutes=-1, seconds=-1))
    await container.confirm_email_change()(confirmation=confirmation, client=CLIENT)
    second = await newest(container, user.id, Purpose.EMAIL_UNDO)
    assert second != first
    clock.advance(timedelta(minutes=2))
    await container.undo_email_change()(undo=first, client=CLIENT)
    with pytest.raises(EmailChangeInvalid):
        await container.undo_email_change()(undo=second, client=CLIENT)


async def test_the_reset_after_an_undoing_is_mailed_whatever_the_thief_has_used_up(
    container: Container, clock: HandClock, said: list[str]
) -> None:
    user = await a_member(container, ANN)
    for _ in range(PER_DAY):
        await container.request_password_reset()(email=ANN.email, client=CLIENT)
        await deliver_everything(container)
        clock.advance(PAUSE)
    undo = await change(container, user)
    await container.undo_email_change()(undo=undo, client=CLIENT)
    await deliver_everything(container)
    assert said[-1].startswith("Mail to ann@example.org: Set another password")
