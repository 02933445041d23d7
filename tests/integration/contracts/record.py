"""A database to try things on, and what to put into it."""

from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.memory.signal import MemorySignal
from adapters.sql.unit_of_work import SqlBegin, SqlRead, SqlWork, Wakers
from adapters.system.randomness import Uuid7Ids
from domain.email_address import EmailAddress
from domain.invite import Claim, Invite, InviteTerms
from domain.session import Session, SessionKey, SessionLife
from domain.token import Purpose, Token
from domain.user import Role, User
from domain.username import Username

NOW = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
IDS = Uuid7Ids()


class Record:
    """A database to work on, and the signals it gives."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.outbox_signal, self.mails_signal = MemorySignal(), MemorySignal()
        self.wakers = Wakers(self.outbox_signal, self.mails_signal)
        self._begin, self._read = SqlBegin(engine, IDS, self.wakers), SqlRead(engine, IDS, self.wakers)

    def begin(self) -> AbstractAsyncContextManager[SqlWork]:
        return self._begin()

    def read(self) -> AbstractAsyncContextManager[SqlWork]:
        return self._read()

    async def count(self, table: Any) -> int:
        async with self.engine.connect() as connection:
            return int(await connection.scalar(select(func.count()).select_from(table)) or 0)


def an_invite(terms: InviteTerms | None = None) -> Invite:
    return Invite.issue(terms or InviteTerms(note="é 🦉"), id=IDS.new(), by=uuid4(), at=NOW)


def a_claim(invite_id: UUID, name: str) -> Claim:
    return Claim(invite_id, EmailAddress(f"{name}@example.org"), Username(name), "$argon2id$…", NOW)


def a_user(name: str = "ann", at: datetime = NOW) -> User:
    email, username = EmailAddress(f"{name}@example.org"), Username(name)
    return User(IDS.new(), email, username, "$argon2id$…", Role.MEMBER, uuid4(), at)


def a_session(user: User) -> Session:
    return Session.start(
        id=IDS.new(),
        user_id=user.id,
        key=SessionKey(uuid4().bytes * 2),
        at=NOW,
        life=SessionLife(),
        user_agent="Mozilla/5.0 é",
        ip="::1",
    )


def a_token(user: User, at: datetime = NOW) -> Token:
    return Token(IDS.new(), Purpose.CONFIRMATION, user.id, at, at + timedelta(days=1))
