"""Rows that are over."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Delete, Table, TextClause, bindparam, delete, select, true, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.tables import (
    FINISHED,
    inbox,
    invite_claims,
    mail_quotas,
    mails,
    outbox,
    sessions,
    tokens,
    username_holds,
)
from adapters.sql.types import Instant
from domain.retention import Leftover

_ALL = true()


@dataclass(frozen=True, slots=True)
class _Place:
    """Where leftovers of a kind are, since when each is over, and which rows are none."""

    table: Table
    over_since: ColumnElement[Any]
    which: ColumnElement[bool] | TextClause = _ALL

    def delete(self) -> Delete:
        """The oldest first; what another process is deleting is left to it."""
        key = tuple_(*self.table.primary_key)
        found = (
            select(*self.table.primary_key)
            .where(self.over_since < bindparam("before", type_=Instant), self.which)
            .order_by(self.over_since)
            .limit(bindparam("most"))
            .with_for_update(skip_locked=True)
        )
        return delete(self.table).where(key.in_(found))


_PLACES: Mapping[Leftover, _Place] = {
    Leftover.EVENT: _Place(outbox, outbox.c.published_at),
    Leftover.MESSAGE: _Place(inbox, inbox.c.done_at),
    Leftover.MAIL: _Place(mails, mails.c.created_at, FINISHED),
    Leftover.TOKEN: _Place(tokens, tokens.c.expires_at),
    Leftover.SESSION: _Place(sessions, sessions.c.expires_at),
    Leftover.HOLD: _Place(username_holds, username_holds.c.held_until),
    Leftover.CLAIM: _Place(invite_claims, invite_claims.c.claimed_at),
    Leftover.QUOTA: _Place(mail_quotas, mail_quotas.c.last_at),
}
_DELETE = {kind: place.delete() for kind, place in _PLACES.items()}


class SqlLeftovers:
    """Deletes by an index on when each row was over."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def delete(self, kind: Leftover, *, before: datetime, most: int) -> int:
        """Delete up to so many that were over before a moment; how many."""
        return (await self._connection.execute(_DELETE[kind], {"before": before, "most": most})).rowcount
