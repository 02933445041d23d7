"""Ending sessions: in the record first, then in the cache."""

from collections.abc import Callable, Collection
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from application.ports import Begin, SessionCache, Unavailable, Work
from domain.events import SessionsEnded
from domain.session import Session


async def end(
    begin: Begin, cache: SessionCache, user_id: UUID, is_unwanted: Callable[[Session], bool], at: datetime
) -> int:
    """End those of a user's sessions that are not wanted any more, and tell of it; how many they were."""
    async with begin() as work:
        await work.users.lock(user_id)  # as all who end several sessions do, so that no two wait for each other
        unwanted = [session for session in await work.sessions.of_user(user_id) if is_unwanted(session)]
        ended = [session for session in unwanted if await work.sessions.delete(session.key_hash)]
        await tell(work, user_id, ended, at)
    await bury(cache, ended)
    return len(ended)


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
