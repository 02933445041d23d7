"""Authenticate: whose session is this?"""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass

from application.ports import Begin, Clock, Ended, SessionCache
from domain.errors import NotLoggedIn
from domain.session import LoggedIn, SessionKey, SessionLife


@dataclass(frozen=True, slots=True)
class Authenticate:
    """Find the live session of a key: from the cache, else from the record.

    The record decides; the cache spares it the question for a minute. An ended session is refused at once, also where
    its end is not recorded yet: `unfinished` has the log-outs that this process has still to record.
    """

    read: Begin
    cache: SessionCache
    clock: Clock
    life: SessionLife
    unfinished: AbstractSet[bytes]

    async def __call__(self, *, key: SessionKey) -> LoggedIn:
        """Who is logged in. Raises NotLoggedIn."""
        key_hash = key.hash
        found = await self.remembered(key_hash)
        if found is Ended.ENDED:
            raise NotLoggedIn
        return found or await self._recorded(key_hash)

    async def remembered(self, key_hash: bytes) -> LoggedIn | Ended | None:
        """What is known of this session without asking the record; None where that has to be asked. Never fails."""
        if key_hash in self.unfinished:
            return Ended.ENDED
        now = self.clock.now()
        found = await self.cache.get(key_hash, now)
        if isinstance(found, LoggedIn) and not found.session.is_live(now):
            return Ended.ENDED
        return found

    async def _recorded(self, key_hash: bytes) -> LoggedIn:
        async with self.read() as work:
            found = await work.sessions.get(key_hash)
            now = self.clock.now()
            if found is None or not found.session.is_live(now):
                raise NotLoggedIn
            seen = found.session.seen(now, self.life)
            if seen is not found.session:
                await work.sessions.update(seen)
        found = LoggedIn(seen, found.user)
        await self.cache.put(found, now)
        return found
