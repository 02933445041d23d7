"""Somebody who is logged in, for the tests of session caches."""

from datetime import UTC, datetime
from uuid import uuid4

from domain.email_address import EmailAddress
from domain.session import LoggedIn, Session, SessionKey, SessionLife
from domain.user import Profile, Role
from domain.username import Username

NOW = datetime(2026, 1, 1, 12, 0, 0, 250_000, tzinfo=UTC)


def somebody() -> LoggedIn:
    user = Profile(uuid4(), EmailAddress("ann@example.org"), Username("用户名字"), Role.ADMIN)
    key = SessionKey(uuid4().bytes * 2)
    session = Session.start(id=uuid4(), user_id=user.id, key=key, at=NOW, life=SessionLife(), user_agent=None, ip=None)
    return LoggedIn(session, user)


def name_of(one: LoggedIn) -> bytes:
    """What Redis has it under."""
    return b"s" + one.session.key_hash[:13]
