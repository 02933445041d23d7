"""Bury ended sessions."""

from dataclasses import dataclass

from application.ports import Message, SessionCache
from domain.events import Event, SessionsEnded


@dataclass(frozen=True, slots=True)
class BuryEndedSessions:
    """Tell the cache, as a consumer of events, that sessions are over. Doing it again is harmless."""

    cache: SessionCache

    async def __call__(self, _: Message, event: Event) -> None:
        """Raises Unavailable until the cache has taken it."""
        if isinstance(event, SessionsEnded):
            await self.cache.bury(bytes.fromhex(key_hash) for key_hash in event.key_hashes)
