"""Log out."""

from contextlib import suppress
from dataclasses import dataclass

from application.ports import Begin, Clock, SessionCache, Unavailable
from domain.events import SessionsEnded
from domain.session import Session


@dataclass(frozen=True, slots=True)
class LogOut:
    """End a session: at once where the cache answers, within a minute where it does not."""

    begin: Begin
    cache: SessionCache
    clock: Clock

    async def __call__(self, *, session: Session) -> None:
        """Ending an ended session changes nothing."""
        ended = SessionsEnded(session.user_id, (session.id,), (session.key_hash.hex(),))
        async with self.begin() as work:
            if await work.sessions.delete(session.id):
                await work.outbox.add(ended, at=self.clock.now())
        with suppress(Unavailable):  # the event buries it again until the cache has taken it
            await self.cache.bury([session.key_hash])
