"""The record of sessions."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import bindparam, delete, insert, not_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.tables import sessions, users
from adapters.sql.types import AnyRow
from domain.email_address import EmailAddress
from domain.session import LoggedIn, Session
from domain.user import Profile, Role
from domain.username import Username

_add = insert(sessions)
_has_more = select(sessions.c.id).where(sessions.c.user_id == bindparam("user_id")).offset(bindparam("beside")).exists()
_start = (
    insert(sessions)
    .from_select(
        [column.name for column in sessions.c],
        select(*(bindparam(column.name, type_=column.type) for column in sessions.c))
        .where(
            users.c.id == bindparam("user_id"),
            users.c.password_hash == bindparam("password_hash"),
            not_(_has_more),
        )
        .with_for_update(key_share=True),
    )
    .returning(sessions.c.id)
)
_get = (
    select(sessions, users.c.email, users.c.username, users.c.role)
    .join(users, users.c.id == sessions.c.user_id)
    .where(sessions.c.key_hash == bindparam("key_hash"))
)
_seen = (
    update(sessions)
    .where(sessions.c.id == bindparam("session"))
    .values(last_seen_at=bindparam("at"), idle_expires_at=bindparam("idle"))
)
_delete = delete(sessions).where(sessions.c.key_hash == bindparam("key_hash")).returning(*sessions.c)
_delete_all = delete(sessions).where(sessions.c.user_id == bindparam("user_id")).returning(*sessions.c)
_of_user = (
    select(sessions)
    .where(sessions.c.user_id == bindparam("user_id"))
    .order_by(sessions.c.id.desc())
    .offset(bindparam("past"))
)


class SqlSessions:
    """Sessions by the hash of their key; an ended session is a deleted row."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, session: Session) -> None:
        """Add a fresh session."""
        await self._connection.execute(_add, _to_values(session))

    async def start(self, session: Session, *, password_hash: str | None, beside: int) -> bool:
        """Add a fresh session, unless its user has another password hash, or more than `beside` sessions."""
        values = {**_to_values(session), "password_hash": password_hash, "beside": beside}
        return (await self._connection.execute(_start, values)).first() is not None

    async def get(self, key_hash: bytes) -> LoggedIn | None:
        """The session of this key, with its user."""
        row = (await self._connection.execute(_get, {"key_hash": key_hash})).first()
        if row is None:
            return None
        user = Profile(row.user_id, EmailAddress(row.email), Username(row.username), Role(row.role))
        return LoggedIn(_to_session(row), user)

    async def update(self, session: Session) -> None:
        """Write when a session was last seen; an ended one stays ended."""
        values = {"session": session.id, "at": session.last_seen_at, "idle": session.idle_expires_at}
        await self._connection.execute(_seen, values)

    async def delete(self, key_hash: bytes) -> Session | None:
        """End the session of this key; it, or None where there was none."""
        row = (await self._connection.execute(_delete, {"key_hash": key_hash})).first()
        return _to_session(row) if row else None

    async def delete_all(self, user_id: UUID) -> Sequence[Session]:
        """End all sessions of a user; those that were there."""
        return [_to_session(row) for row in await self._connection.execute(_delete_all, {"user_id": user_id})]

    async def of_user(self, user_id: UUID, *, past: int = 0) -> Sequence[Session]:
        """The sessions of a user, newest first, without the first `past`."""
        values = {"user_id": user_id, "past": past}
        return [_to_session(row) for row in await self._connection.execute(_of_user, values)]


def _to_values(session: Session) -> dict[str, Any]:
    return {
        "id": session.id,
        "user_id": session.user_id,
        "key_hash": session.key_hash,
        "created_at": session.created_at,
        "last_seen_at": session.last_seen_at,
        "idle_expires_at": session.idle_expires_at,
        "expires_at": session.expires_at,
        "user_agent": session.user_agent,
        "ip": session.ip,
    }


def _to_session(row: AnyRow) -> Session:
    return Session(
        id=row.id,
        user_id=row.user_id,
        key_hash=row.key_hash,
        created_at=row.created_at,
        last_seen_at=row.last_seen_at,
        idle_expires_at=row.idle_expires_at,
        expires_at=row.expires_at,
        user_agent=row.user_agent,
        ip=row.ip,
    )
