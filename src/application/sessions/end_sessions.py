"""End sessions from afar."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from application import ending
from application.ports import Begin, Clock, SessionCache
from domain.errors import SessionNotFound
from domain.session import Session


@dataclass(frozen=True, slots=True)
class EndSessions:
    """End sessions that a user does not want any more: one of them, or all but this one (ASVS 7.5.2)."""

    begin: Begin
    cache: SessionCache
    clock: Clock

    async def one(self, *, user_id: UUID, session_id: UUID) -> None:
        """End one session. Raises SessionNotFound, where it is somebody else's too."""
        if not await self._end(user_id, lambda session: session.id == session_id):
            raise SessionNotFound

    async def others(self, *, user_id: UUID, than: UUID) -> int:
        """End all sessions but one; how many there were."""
        return await self._end(user_id, lambda session: session.id != than)

    async def _end(self, user_id: UUID, is_unwanted: Callable[[Session], bool]) -> int:
        async with self.begin() as work:
            await work.users.lock(user_id)  # as all who end several sessions do, so that no two wait for each other
            unwanted = [session for session in await work.sessions.of_user(user_id) if is_unwanted(session)]
            ended = [session for session in unwanted if await work.sessions.delete(session.key_hash)]
            await ending.tell(work, user_id, ended, self.clock.now())
        await ending.bury(self.cache, ended)
        return len(ended)
