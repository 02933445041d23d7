"""List sessions."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from application.ports import Begin, Clock
from domain.session import Session


@dataclass(frozen=True, slots=True)
class ListSessions:
    """Where a user is logged in."""

    read: Begin
    clock: Clock

    async def __call__(self, *, user_id: UUID) -> Sequence[Session]:
        """The live sessions, newest first."""
        now = self.clock.now()
        async with self.read() as work:
            return [session for session in await work.sessions.of_user(user_id) if session.is_live(now)]
