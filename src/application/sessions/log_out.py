"""Log out."""

from contextlib import suppress
from dataclasses import dataclass

from application.ports import Begin, Clock, SessionCache, Unavailable
from domain.events import SessionsEnded
from domain.session import SessionKey


@dataclass(frozen=True, slots=True)
class LogOut:
    """End a session: at once where the cache answers, within a minute where it does not."""

    begin: Begin
    cache: SessionCache
    clock: Clock

    async def __call__(self, *, key: SessionKey) -> None:
        """Ending an ended or unknown session changes nothing. Raises Unavailable where the record cannot be reached."""
        async with self.begin() as work:
            session = await work.sessions.delete(key.hash)
            if session is not None:
                ended = SessionsEnded(session.user_id, (session.id,), (session.key_hash.hex(),))
                await work.outbox.add(ended, at=self.clock.now())
        with suppress(Unavailable):  # the event buries it again until the cache has taken it
            await self.cache.bury([key.hash])
