"""Reading and using what a user was mailed. What cannot be used is refused in one way for each purpose."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from application.ports import TokenSigner, Work
from domain.errors import ConfirmationInvalid, EmailChangeInvalid, Refusal, ResetInvalid
from domain.token import Purpose, Token
from domain.user import User

_REFUSALS: Mapping[Purpose, type[Refusal]] = {
    Purpose.CONFIRMATION: ConfirmationInvalid,
    Purpose.RESET: ResetInvalid,
    Purpose.EMAIL_CHANGE: EmailChangeInvalid,
    Purpose.EMAIL_UNDO: EmailChangeInvalid,
}


def read(signer: TokenSigner, purpose: Purpose, text: str) -> UUID:
    """The token's id. Raises the purpose's refusal where we have not made it, or for something else."""
    token_id = signer.read(purpose, text)
    if token_id is None:
        raise _REFUSALS[purpose]
    return token_id


async def use(work: Work, token_id: UUID, purpose: Purpose, at: datetime) -> tuple[Token, User]:
    """Use a token in this work; it and its user, whom nobody else changes meanwhile. Of many at once, one succeeds.

    The account is locked first and the token used then: in this order everywhere, so that no two wait for each other.
    Raises the purpose's refusal where the token is used, superseded or too old.
    """
    token = await work.tokens.get(token_id)
    user = await work.users.lock(token.user_id) if token and token.is_usable(at) else None
    if token is None or user is None or await work.tokens.consume(token_id, purpose, at) is None:
        raise _REFUSALS[purpose]
    return token, user
