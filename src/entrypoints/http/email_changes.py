"""Routes: changing the mail address."""

from typing import Literal

import msgspec
from litestar import post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from application.accounts.change_email import ChangeEmail
from application.accounts.confirm_email_change import ConfirmEmailChange
from application.accounts.undo_email_change import UndoEmailChange
from domain.client_address import ClientAddress
from domain.email_address import EmailAddress
from domain.errors import EmailChangeInvalid, EmailUnchanged, PasswordWrong
from domain.password import Password
from domain.session import LoggedIn
from entrypoints.http.accounts import ConfirmBody, StatusOut


class ChangeEmailBody(msgspec.Struct):
    """The address to be, and the password once more."""

    email: EmailAddress
    password: Password


class UndoBody(msgspec.Struct):
    """What the former address was mailed."""

    undo: str


@post("/change_email", status_code=202, problems=(PasswordWrong, EmailUnchanged))
async def request(
    data: JSONBody[ChangeEmailBody], me: NamedDependency[LoggedIn], change_email: NamedDependency[ChangeEmail]
) -> StatusOut[Literal["check_your_email"]]:
    """Ask for another mail address; the same answer where it has an account."""
    await change_email(user_id=me.user.id, password=data.password, email=data.email)
    return StatusOut("check_your_email")


@post("/confirm_email", status_code=200, problems=(EmailChangeInvalid,))
async def confirm(
    data: JSONBody[ConfirmBody],
    confirm_email_change: NamedDependency[ConfirmEmailChange],
    client: NamedDependency[ClientAddress],
) -> StatusOut[Literal["email_changed"]]:
    """Confirm the new mail address; from now on it is the account's."""
    await confirm_email_change(confirmation=data.confirmation, client=client)
    return StatusOut("email_changed")


@post("/undo_change_email", status_code=200, problems=(EmailChangeInvalid,))
async def undo(
    data: JSONBody[UndoBody],
    undo_email_change: NamedDependency[UndoEmailChange],
    client: NamedDependency[ClientAddress],
) -> StatusOut[Literal["email_restored"]]:
    """Take the account back to its former mail address; a password reset is mailed there."""
    await undo_email_change(undo=data.undo, client=client)
    return StatusOut("email_restored")


routes = [request, confirm, undo]
