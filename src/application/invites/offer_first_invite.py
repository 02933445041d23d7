"""Offer the first invite."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from application.ports import Begin, Clock, Ids, Work
from domain.events import InviteIssued
from domain.invite import Invite, InviteTerms
from domain.user import Role

AT_A_TIME = 100
"""Invites that are looked at with one statement."""


@dataclass(frozen=True, slots=True)
class OfferFirstInvite:
    """While nobody has an account, keep one invite open that makes its claimant the operator."""

    begin: Begin
    clock: Clock
    ids: Ids

    async def __call__(self) -> Invite | None:
        """The open invite, the same one each time; None as soon as there is an account."""
        now = self.clock.now()
        async with self.begin() as work:
            if await work.users.any():
                return None
            if (offered := await _offered(work, now)) is not None:
                return offered
            invite = Invite.issue(InviteTerms(role=Role.ADMIN), id=self.ids.new(), by=None, at=now)
            await work.invites.add(invite)
            await work.outbox.add(InviteIssued(invite.id, None, invite.expires_at), at=now)
        return invite


async def _offered(work: Work, at: datetime) -> Invite | None:
    """The newest open invite for an operator: at the top, unless the command line has issued many since."""
    before: UUID | None = None
    while found := [issued.invite for issued in await work.invites.issued(before=before, limit=AT_A_TIME)]:
        for invite in found:
            if invite.role is Role.ADMIN and invite.email is None and invite.is_open(at):
                return invite
        before = found[-1].id
    return None
