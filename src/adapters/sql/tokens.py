"""The record of mailed tokens."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.tables import tokens
from adapters.sql.types import AnyRow
from domain.token import Purpose, Token

_add = insert(tokens)
_get = select(tokens).where(tokens.c.id == bindparam("id"))
_newest = (
    select(tokens)
    .where(tokens.c.user_id == bindparam("user_id"), tokens.c.purpose == bindparam("purpose"))
    .order_by(tokens.c.created_at.desc(), tokens.c.id.desc())
    .limit(1)
)
_supersede = (
    update(tokens)
    .where(
        tokens.c.user_id == bindparam("user"),
        tokens.c.purpose == bindparam("what"),
        tokens.c.used_at.is_(None),
        tokens.c.superseded_at.is_(None),
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
    .returning(tokens.c.user_id)
)


class SqlTokens:
    """Tokens by id; one conditional statement settles who uses one."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, token: Token) -> None:
        """Add a fresh token and supersede the unused ones of the same user and purpose."""
        superseded = {"user": token.user_id, "what": token.purpose.value, "at": token.created_at}
        await self._connection.execute(_supersede, superseded)
        values = {
            "id": token.id,
            "purpose": token.purpose.value,
            "user_id": token.user_id,
            "created_at": token.created_at,
            "expires_at": token.expires_at,
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

    async def consume(self, id: UUID, purpose: Purpose, at: datetime) -> UUID | None:
        """Use a usable token; its user, or None."""
        user_id: UUID | None = await self._connection.scalar(_consume, {"token": id, "what": purpose.value, "at": at})
        return user_id


def _to_token(row: AnyRow) -> Token:
    return Token(
        id=row.id,
        purpose=Purpose(row.purpose),
        user_id=row.user_id,
        created_at=row.created_at,
        expires_at=row.expires_at,
        used_at=row.used_at,
        superseded_at=row.superseded_at,
    )
