"""Log out."""

import asyncio
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass

from application import ending
from application.patience import is_done_within
from application.ports import Begin, Clock, SessionCache, Unavailable
from domain.session import Session, SessionKey

PATIENCE = 1.5
"""Seconds that a person waits for the record at most; they are logged out here in any case."""


@dataclass(frozen=True, slots=True)
class LogOut:
    """End a session: at once where record or cache answer, and else as soon as they do.

    Never refuses and never fails: a browser that wants out is let out. While the record is away, the ending is kept in
    `unfinished` and in the cache until `finish` can record it, in this process or another.
    """

    begin: Begin
    cache: SessionCache
    clock: Clock
    unfinished: set[bytes]

    async def __call__(self, *, keys: Collection[SessionKey]) -> Sequence[Session]:
        """Which sessions those were, as far as is known by now; ending an ended or unknown one changes nothing."""
        hashes = [key.hash for key in keys]
        self.unfinished.update(hashes)
        recording = asyncio.gather(*map(self._record, hashes))
        ended = await recording if await is_done_within(PATIENCE, recording) else []
        await self._bury_unfinished(hashes)
        return [session for session in ended if session]

    async def finish(self) -> int:
        """Try to record what could not be recorded yet, here or in a process that has ended; how many are over.

        A record that is away is waited for once, not once for each. What the cache cannot be told to be recorded is
        not over: it would be heard of again at once.
        """
        with suppress(Unavailable):
            self.unfinished.update(await self.cache.unrecorded())
        waiting = list(self.unfinished)
        await self._bury_unfinished(waiting)
        done = []
        for key_hash in waiting:
            await self._record(key_hash)
            if key_hash in self.unfinished:
                break
            done.append(key_hash)
        try:
            await self.cache.recorded(done)
        except Unavailable:
            return 0
        return len(done)

    async def _record(self, key_hash: bytes) -> Session | None:
        """End the session in the record, if that can be reached, and then everywhere."""
        session = None
        with suppress(Unavailable):
            async with self.begin() as work:
                session = await work.sessions.delete(key_hash)
                ended = [session] if session else []
                if session:
                    await ending.tell(work, session.user_id, ended, self.clock.now())
            self.unfinished.discard(key_hash)
            await ending.bury(self.cache, ended)
        return session

    async def _bury_unfinished(self, key_hashes: Collection[bytes]) -> None:
        """Keep the cache aware of what the record does not know yet."""
        if unfinished := self.unfinished.intersection(key_hashes):
            with suppress(Unavailable):
                await self.cache.bury_unrecorded(unfinished)
