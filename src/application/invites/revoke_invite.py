"""Revoke an invite."""

from dataclasses import dataclass
from uuid import UUID

from application.ports import Begin, Clock
from domain.errors import InviteNotFound
from domain.events import InviteRevoked
from domain.user import Profile


@dataclass(frozen=True, slots=True)
class RevokeInvite:
    """Take an invite back: nobody claims it any more. Doing it twice, or after its end, changes nothing."""

    begin: Begin
    clock: Clock

    async def __call__(self, *, invite_id: UUID, by: Profile | None) -> None:
        """`by` is None for the command line. Raises InviteNotFound, also for what belongs to others."""
        now = self.clock.now()
        async with self.begin() as work:
            invite = await work.invites.get(invite_id)
            if invite is None or not (by is None or by.is_operator or invite.issued_by == by.id):
                raise InviteNotFound
            if await work.invites.revoke(invite_id, now):
                await work.outbox.add(InviteRevoked(invite_id), at=now)
