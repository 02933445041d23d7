"""Routes: accounts."""

from typing import Any, Generic, Literal, TypeVar

import msgspec
from litestar import Request, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from application.accounts.check_username import CheckedUsername, CheckUsername
from application.accounts.claim_invite_and_create_user import ClaimInviteAndCreateUser
from application.accounts.confirm_account import ConfirmAccount
from application.accounts.delete_user import DeleteUser, DeletionUnavailable
from application.accounts.resend_confirmation import ResendConfirmation
from application.ports import Unavailable
from domain.client_address import ClientAddress
from domain.email_address import EmailAddress
from domain.errors import (
    ConfirmationInvalid,
    FieldCode,
    InviteForAnotherAddress,
    InviteInvalid,
    PasswordWrong,
    TooManyRequests,
    UsernameTaken,
)
from domain.password import NewPassword, Password
from domain.session import LoggedIn
from domain.username import Username
from entrypoints.http.errors import deletion_unavailable
from entrypoints.http.session_cookie import CLEAR_SITE_DATA, SessionCookie
from entrypoints.http.shell import seconds_left

Word = TypeVar("Word", bound=str)


class SignUpBody(msgspec.Struct):
    """What a new account is made of."""

    invite: str
    email: EmailAddress
    username: Username
    password: NewPassword


class ConfirmBody(msgspec.Struct):
    """A mailed confirmation."""

    confirmation: str


class AddressBody(msgspec.Struct):
    """A mail address."""

    email: EmailAddress


class PasswordBody(msgspec.Struct):
    """The password, once more."""

    password: Password


class UsernameOut(msgspec.Struct):
    """Whether a name could be had, and if not, the code of why."""

    username: str
    available: bool
    reason: FieldCode | msgspec.UnsetType = msgspec.UNSET

    @classmethod
    def of(cls, checked: CheckedUsername) -> "UsernameOut":
        """The answer for this name."""
        return cls(checked.username, checked.reason is None, checked.reason or msgspec.UNSET)


class StatusOut(msgspec.Struct, Generic[Word]):
    """How it went."""

    status: Word


@post("/users", status_code=202, problems=(InviteInvalid, InviteForAnotherAddress, UsernameTaken))
async def sign_up(
    data: JSONBody[SignUpBody],
    claim_invite_and_create_user: NamedDependency[ClaimInviteAndCreateUser],
    client: NamedDependency[ClientAddress],
) -> StatusOut[Literal["check_your_email"]]:
    """Claim an invite and create a user; the same answer where the address has an account."""
    await claim_invite_and_create_user(
        invite=data.invite, email=data.email, username=data.username, password=data.password, client=client
    )
    return StatusOut("check_your_email")


@get("/usernames/{username:path}", problems=(TooManyRequests,))
async def check_username(
    username: FromPath[str], check_username: NamedDependency[CheckUsername], client: NamedDependency[ClientAddress]
) -> UsernameOut:
    """Tell whether a name could be had."""
    return UsernameOut.of(await check_username(raw=username.removeprefix("/"), client=client))


@post("/confirm_account", status_code=200, problems=(ConfirmationInvalid,))
async def confirm(
    data: JSONBody[ConfirmBody],
    confirm_account: NamedDependency[ConfirmAccount],
    client: NamedDependency[ClientAddress],
) -> StatusOut[Literal["confirmed"]]:
    """Confirm a mail address."""
    await confirm_account(confirmation=data.confirmation, client=client)
    return StatusOut("confirmed")


@post("/resend_confirmation", status_code=202)
async def resend_confirmation(
    data: JSONBody[AddressBody],
    resend_confirmation: NamedDependency[ResendConfirmation],
    client: NamedDependency[ClientAddress],
) -> StatusOut[Literal["check_your_email"]]:
    """Send the confirmation once more, where one is waited for; the same answer whatever the address."""
    await resend_confirmation(email=data.email, client=client)
    return StatusOut("check_your_email")


@delete(
    "/user",
    status_code=204,
    exception_handlers={Unavailable: deletion_unavailable},
    response_headers=CLEAR_SITE_DATA,
    problems=(PasswordWrong, DeletionUnavailable),
)
async def delete_account(
    request: Request[Any, Any, Any],
    data: JSONBody[PasswordBody],
    me: NamedDependency[LoggedIn],
    delete_user: NamedDependency[DeleteUser],
    cookie: NamedDependency[SessionCookie],
) -> Response[None]:
    """Delete my account, or leave it as it is."""
    await delete_user(user_id=me.user.id, password=data.password, within=seconds_left(request))
    return Response(None, cookies=[cookie.clear()])


routes = [sign_up, check_username, confirm, resend_confirmation, delete_account]
