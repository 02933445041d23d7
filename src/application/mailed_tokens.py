"""Using what a user was mailed."""

from datetime import datetime
from uuid import UUID

from application.ports import Work
from domain.token import Purpose, Token
from domain.user import User


async def use(work: Work, token_id: UUID, purpose: Purpose, at: datetime) -> tuple[Token, User] | None:
    """Use a token in this work; it and its user, whom nobody else changes meanwhile, or None. Of many, one succeeds.

    The account is locked first and the token used then: in this order everywhere, so that no two wait for each other.
    """
    token = await work.tokens.get(token_id)
    user = await work.users.lock(token.user_id) if token and token.is_usable(at) else None
    if token is None or user is None or await work.tokens.consume(token_id, purpose, at) is None:
        return None
    return token, user
