"""People and what they do, through the use cases, for tests that are about something else."""

import asyncio
from dataclasses import dataclass
from uuid import UUID

from application.ports import Overloaded
from domain.client_address import ClientAddress
from domain.email_address import EmailAddress
from domain.invite import InviteTerms
from domain.password import NewPassword, Password
from domain.session import LoggedIn, SessionKey
from domain.token import Purpose
from domain.user import Role, User
from domain.username import Username
from entrypoints.container import Container

CLIENT = ClientAddress("127.0.0.1")
PASSWORD = "correct horse battery"


@dataclass(frozen=True)
class Person:
    """Somebody with an address, a name and a password."""

    email: EmailAddress
    username: Username
    password: str = PASSWORD


ANN = Person(EmailAddress("ann@example.org"), Username("ann"))
BOB = Person(EmailAddress("bob@example.org"), Username("bob"))


async def an_invite(container: Container, terms: InviteTerms | None = None) -> str:
    invite = await container.issue_invite()(terms=terms or InviteTerms(), by=None)
    return container.signer().sign(Purpose.INVITE, invite.id)


async def sign_up(container: Container, person: Person, invite: str) -> None:
    await container.claim_invite_and_create_user()(
        invite=invite,
        email=person.email,
        username=person.username,
        password=NewPassword(person.password),
        client=CLIENT,
    )


async def sign_up_patiently(container: Container, person: Person, invite: str) -> None:
    """As one of a crowd: who is told to come again does so."""
    while True:
        try:
            return await sign_up(container, person, invite)
        except Overloaded as told:
            await asyncio.sleep(told.retry_after.total_seconds())


async def user_of(container: Container, person: Person) -> User | None:
    async with container.read()() as work:
        return await work.users.by_email(person.email)


async def confirm(container: Container, person: Person) -> None:
    user = await user_of(container, person)
    assert user is not None
    await container.confirm_account()(confirmation=await newest_confirmation(container, user.id), client=CLIENT)


async def newest_confirmation(container: Container, user_id: UUID) -> str:
    return await newest(container, user_id, Purpose.CONFIRMATION)


async def newest(container: Container, user_id: UUID, purpose: Purpose) -> str:
    """The token of this purpose that a user was mailed last."""
    async with container.read()() as work:
        token = await work.tokens.newest(user_id, purpose)
    assert token is not None
    return container.signer().sign(purpose, token.id)


async def a_reset(container: Container, person: Person) -> str:
    """Forget the password; the token that comes by mail."""
    await container.request_password_reset()(email=person.email, client=CLIENT)
    await deliver_everything(container)
    user = await user_of(container, person)
    assert user is not None
    return await newest(container, user.id, Purpose.RESET)


async def a_member(container: Container, person: Person, role: Role = Role.MEMBER) -> User:
    await sign_up(container, person, await an_invite(container, InviteTerms(role=role)))
    await confirm(container, person)
    user = await user_of(container, person)
    assert user is not None
    return user


async def log_in(container: Container, person: Person) -> tuple[LoggedIn, SessionKey]:
    return await container.log_in()(
        email=person.email, password=Password(person.password), user_agent="pytest", client=CLIENT
    )


async def deliver_everything(container: Container) -> None:
    """Relay and send until there is nothing left that is due."""
    while await container.relay_outbox()() + await container.deliver_mails()():
        pass
