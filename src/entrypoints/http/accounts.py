"""Routes: accounts."""

import msgspec
from litestar import post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from application.accounts.claim_invite_and_create_user import ClaimInviteAndCreateUser
from application.accounts.confirm_account import ConfirmAccount
from domain.email_address import EmailAddress
from domain.password import NewPassword
from domain.username import Username


class SignUpBody(msgspec.Struct):
    """What a new account is made of."""

    invite: str
    email: EmailAddress
    username: Username
    password: NewPassword


class ConfirmBody(msgspec.Struct):
    """A mailed confirmation."""

    confirmation: str


class StatusOut(msgspec.Struct):
    """How it went."""

    status: str


@post("/users", status_code=202)
async def sign_up(
    data: JSONBody[SignUpBody], claim_invite_and_create_user: NamedDependency[ClaimInviteAndCreateUser]
) -> StatusOut:
    """Claim an invite and create a user; the same answer where the address has an account."""
    await claim_invite_and_create_user(
        invite=data.invite, email=data.email, username=data.username, password=data.password
    )
    return StatusOut("check_your_email")


@post("/confirm_account", status_code=200)
async def confirm(data: JSONBody[ConfirmBody], confirm_account: NamedDependency[ConfirmAccount]) -> StatusOut:
    """Confirm a mail address."""
    await confirm_account(confirmation=data.confirmation)
    return StatusOut("confirmed")


routes = [sign_up, confirm]
