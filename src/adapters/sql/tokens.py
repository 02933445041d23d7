"""The record of mailed tokens."""

from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.tables import tokens
from adapters.sql.types import AnyRow
from domain.email_address import EmailAddress
from domain.token import Purpose, Token

_EVER = datetime.fromtimestamp(0, UTC)
_add = insert(tokens)
_get = select(tokens).where(tokens.c.id == bindparam("id"))
_newest = (
    select(tokens)
    .where(tokens.c.user_id == bindparam("user_id"), tokens.c.purpose == bindparam("purpose"))
    .order_by(tokens.c.created_at.desc(), tokens.c.id.desc())
    .limit(1)
)
_void = (
    update(tokens)
    .where(
        tokens.c.user_id == bindparam("user"),
        tokens.c.purpose.in_(bindparam("whats", expanding=True)),
        tokens.c.used_at.is_(None),
        tokens.c.superseded_at.is_(None),
        tokens.c.created_at >= bindparam("since"),
    )
    .values(superseded_at=bindparam("at"))
)
_consume = (
    update(tokens)
    .where(
        tokens.c.id == bindparam("token"),
        tokens.c.purpose == bindparam("what"),
        tokens.c.used_at.is_(None),
        tokens.c.superseded_at.is_(None),
        tokens.c.expires_at > bindparam("at"),
    )
    .values(used_at=bindparam("at"))
    .returning(*tokens.c)
)


class SqlTokens:
    """Tokens by id; one conditional statement settles who uses one."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, token: Token) -> None:
        """Add a fresh token and supersede the unused ones that it replaces."""
        if token.replaces_older:
            await self.void(token.user_id, token.purpose, at=token.created_at)
        values = {
            "id": token.id,
            "purpose": token.purpose.value,
            "user_id": token.user_id,
            "created_at": token.created_at,
            "expires_at": token.expires_at,
            "email": token.email.address if token.email else None,
            "used_at": token.used_at,
            "superseded_at": token.superseded_at,
        }
        await self._connection.execute(_add, values)

    async def get(self, id: UUID) -> Token | None:
        """The token of this id."""
        row = (await self._connection.execute(_get, {"id": id})).first()
        return _to_token(row) if row else None

    async def newest(self, user_id: UUID, purpose: Purpose) -> Token | None:
        """The token that was made last."""
        row = (await self._connection.execute(_newest, {"user_id": user_id, "purpose": purpose.value})).first()
        return _to_token(row) if row else None

    async def consume(self, id: UUID, purpose: Purpose, at: datetime) -> Token | None:
        """Use a usable token; it, or None."""
        row = (await self._connection.execute(_consume, {"token": id, "what": purpose.value, "at": at})).first()
        return _to_token(row) if row else None

    async def void(self, user_id: UUID, *purposes: Purpose, at: datetime, since: datetime | None = None) -> None:
        """Supersede the unused tokens of a user for these purposes; with `since`, those made then or later."""
        values = {"user": user_id, "whats": [purpose.value for purpose in purposes], "at": at, "since": since or _EVER}
        await self._connection.execute(_void, values)


def _to_token(row: AnyRow) -> Token:
    return Token(
        id=row.id,
        purpose=Purpose(row.purpose),
        user_id=row.user_id,
        created_at=row.created_at,
        expires_at=row.expires_at,
        email=EmailAddress(row.email) if row.email else None,
        used_at=row.used_at,
        superseded_at=row.superseded_at,
    )
