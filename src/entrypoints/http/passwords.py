"""Routes: passwords."""

from typing import Literal

import msgspec
from litestar import Response, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from application.passwords.change_password import ChangePassword
from application.passwords.request_password_reset import RequestPasswordReset
from application.passwords.reset_password import ResetPassword
from domain.client_address import ClientAddress
from domain.errors import PasswordWrong, ResetInvalid
from domain.password import NewPassword, Password
from domain.session import LoggedIn
from entrypoints.http.accounts import AddressBody, StatusOut
from entrypoints.http.session_cookie import SessionCookie


class ResetBody(msgspec.Struct):
    """A mailed reset, and the password to be."""

    reset: str
    password: NewPassword


class ChangePasswordBody(msgspec.Struct):
    """The password as it is and as it is to be."""

    current_password: Password
    password: NewPassword


@post("/forgot_password", status_code=202)
async def forgot(
    data: JSONBody[AddressBody],
    request_password_reset: NamedDependency[RequestPasswordReset],
    client: NamedDependency[ClientAddress],
) -> StatusOut[Literal["check_your_email"]]:
    """Mail a reset, where the address has an account; the same answer whatever the address."""
    await request_password_reset(email=data.email, client=client)
    return StatusOut("check_your_email")


@post("/reset_password", status_code=200, problems=(ResetInvalid,))
async def reset(
    data: JSONBody[ResetBody],
    reset_password: NamedDependency[ResetPassword],
    client: NamedDependency[ClientAddress],
) -> StatusOut[Literal["password_changed"]]:
    """Set another password with a mailed reset; all sessions end."""
    await reset_password(reset=data.reset, password=data.password, client=client)
    return StatusOut("password_changed")


@post("/change_password", status_code=200, problems=(PasswordWrong,))
async def change(
    data: JSONBody[ChangePasswordBody],
    me: NamedDependency[LoggedIn],
    change_password: NamedDependency[ChangePassword],
    cookie: NamedDependency[SessionCookie],
) -> Response[StatusOut[Literal["password_changed"]]]:
    """Change my password; my other sessions end, and this one gets another cookie."""
    _, key = await change_password(me=me, current=data.current_password, new=data.password)
    return Response(StatusOut("password_changed"), cookies=[cookie.issue(key)])


routes = [forgot, reset, change]
