"""End a session from afar."""

from dataclasses import dataclass
from uuid import UUID

from application import ending
from application.ports import Begin, Clock, SessionCache
from domain.errors import SessionNotFound


@dataclass(frozen=True, slots=True)
class EndSession:
    """End one session that a user does not want any more (ASVS 7.5.2)."""

    begin: Begin
    cache: SessionCache
    clock: Clock

    async def __call__(self, *, user_id: UUID, session_id: UUID) -> None:
        """Raises SessionNotFound, where the session is somebody else's too."""
        if not await ending.end(
            self.begin, self.cache, user_id, lambda session: session.id == session_id, self.clock.now()
        ):
            raise SessionNotFound
