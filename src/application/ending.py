"""Ending sessions: in the record first, then in the cache."""

from collections.abc import Collection
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from application.ports import SessionCache, Unavailable, Work
from domain.events import SessionsEnded
from domain.session import Session


async def tell(work: Work, user_id: UUID, ended: Collection[Session], at: datetime) -> None:
    """Write the event of sessions that this work has ended, if any."""
    if ended:
        ids, hashes = [session.id for session in ended], [session.key_hash.hex() for session in ended]
        await work.outbox.add(SessionsEnded(user_id, tuple(ids), tuple(hashes)), at=at)


async def bury(cache: SessionCache, ended: Collection[Session]) -> None:
    """Bury sessions whose end is recorded; where the cache is away, their event does it until it has taken them."""
    if ended:
        with suppress(Unavailable):
            await cache.bury([session.key_hash for session in ended])
