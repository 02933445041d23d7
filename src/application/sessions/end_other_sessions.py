"""End all sessions but one."""

from dataclasses import dataclass
from uuid import UUID

from application import ending
from application.ports import Begin, Clock, SessionCache


@dataclass(frozen=True, slots=True)
class EndOtherSessions:
    """End the sessions that a user has elsewhere (ASVS 7.5.2)."""

    begin: Begin
    cache: SessionCache
    clock: Clock

    async def __call__(self, *, user_id: UUID, than: UUID) -> int:
        """How many there were besides the session `than`."""
        return await ending.end(self.begin, self.cache, user_id, lambda session: session.id != than, self.clock.now())
