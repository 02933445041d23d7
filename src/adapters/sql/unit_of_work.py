"""Units of work on a database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.sql.delivery import SqlInbox, SqlMails, SqlOutbox
from adapters.sql.engine import reading, unavailable_on_faults
from adapters.sql.invites import SqlClaims, SqlInvites
from adapters.sql.leftovers import SqlLeftovers
from adapters.sql.mail_quotas import SqlMailQuotas
from adapters.sql.sessions import SqlSessions
from adapters.sql.tokens import SqlTokens
from adapters.sql.users import SqlUsernameHolds, SqlUsers
from application.ports import Ids, Signal


@dataclass(frozen=True, slots=True)
class Wakers:
    """The loops to wake when a commit has left them work."""

    outbox: Signal
    mails: Signal


class SqlWork:
    """The record, seen through one connection."""

    def __init__(self, connection: AsyncConnection, ids: Ids, wakers: Wakers) -> None:
        self._to_wake: set[Signal] = set()
        self.users = SqlUsers(connection)
        self.username_holds = SqlUsernameHolds(connection)
        self.invites = SqlInvites(connection)
        self.claims = SqlClaims(connection)
        self.sessions = SqlSessions(connection)
        self.tokens = SqlTokens(connection)
        self.outbox = SqlOutbox(connection, ids, lambda: self._to_wake.add(wakers.outbox))
        self.inbox = SqlInbox(connection)
        self.mail_quotas = SqlMailQuotas(connection)
        self.leftovers = SqlLeftovers(connection)
        self.mails = SqlMails(connection, lambda: self._to_wake.add(wakers.mails))

    def committed(self) -> None:
        """Wake whoever waits for what this work has added."""
        for signal in self._to_wake:
            signal.set()


class SqlBegin:
    """Opens transactions: a clean exit commits, an exception rolls back. Raises Unavailable where the database fails.

    When a commit's answer is lost, whether it took effect is unknown; what use cases do is safe to repeat.
    """

    def __init__(self, engine: AsyncEngine, ids: Ids, wakers: Wakers) -> None:
        self._engine = engine
        self._ids = ids
        self._wakers = wakers

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[SqlWork]:
        """Enter to work."""
        with unavailable_on_faults():
            async with self._engine.begin() as connection:
                work = SqlWork(connection, self._ids, self._wakers)
                yield work
        work.committed()


class SqlRead:
    """Opens the record for single statements, each on its own. Raises Unavailable where the database fails."""

    def __init__(self, engine: AsyncEngine, ids: Ids, wakers: Wakers) -> None:
        self._engine = reading(engine)
        self._ids = ids
        self._wakers = wakers

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[SqlWork]:
        """Enter to read."""
        with unavailable_on_faults():
            async with self._engine.connect() as connection:
                yield SqlWork(connection, self._ids, self._wakers)
