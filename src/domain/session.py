"""Sessions: logged-in browsers."""

import hashlib
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Self
from uuid import UUID

from domain.user import Profile

LAST_SEEN_STEP = timedelta(hours=1)
"""How exactly the last use of a session is kept: sliding expiry without a write per request."""


@dataclass(frozen=True, slots=True)
class SessionKey:
    """The 32 random bytes that a session cookie carries (ASVS 7.2.3). Only their SHA-256 is ever stored."""

    secret: bytes = field(repr=False)

    @property
    def hash(self) -> bytes:
        """What storage knows the session by; it cannot be used as a cookie."""
        return hashlib.sha256(self.secret).digest()


@dataclass(frozen=True, slots=True)
class SessionLife:
    """How long a session lasts: at most `absolute`, and no longer than `idle` unused (ASVS 7.3.1, 7.3.2)."""

    absolute: timedelta = timedelta(days=14)
    idle: timedelta = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Session:
    """One logged-in browser of one user. `last_seen_at` is exact to the hour.

    `user_agent` and `ip` tell the user where it was begun. Whoever only checks a session does not need them, and may be
    given it without them.
    """

    id: UUID
    user_id: UUID
    key_hash: bytes = field(repr=False)
    created_at: datetime
    last_seen_at: datetime
    idle_expires_at: datetime
    expires_at: datetime
    user_agent: str | None = None
    ip: str | None = None

    @classmethod
    def start(
        cls,
        *,
        id: UUID,
        user_id: UUID,
        key: SessionKey,
        at: datetime,
        life: SessionLife,
        user_agent: str | None,
        ip: str | None,
    ) -> Self:
        """A session that begins now."""
        return cls(
            id=id,
            user_id=user_id,
            key_hash=key.hash,
            created_at=at,
            last_seen_at=at,
            idle_expires_at=at + min(life.idle, life.absolute),
            expires_at=at + life.absolute,
            user_agent=user_agent,
            ip=ip,
        )

    @property
    def without_origin(self) -> Self:
        """The session without where it was begun."""
        return replace(self, user_agent=None, ip=None)

    def is_live(self, at: datetime) -> bool:
        """Whether neither the absolute nor the idle time is over."""
        return at < self.idle_expires_at and at < self.expires_at

    def seen(self, at: datetime, life: SessionLife) -> Self:
        """The session used now; the same one while the last use that is kept is under an hour old."""
        if at - self.last_seen_at < LAST_SEEN_STEP:
            return self
        return replace(self, last_seen_at=at, idle_expires_at=min(at + life.idle, self.expires_at))


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """Who is at the other end of a live session."""

    session: Session
    user: Profile
