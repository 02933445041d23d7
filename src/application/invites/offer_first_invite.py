"""Offer the first invite."""

from dataclasses import dataclass

from application.ports import Begin, Clock, Ids
from domain.events import InviteIssued
from domain.invite import Invite, InviteTerms
from domain.user import Role


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
            for invite in [found.invite for found in await work.invites.issued()]:
                if invite.role is Role.ADMIN and invite.email is None and invite.is_open(now):
                    return invite
            invite = Invite.issue(InviteTerms(role=Role.ADMIN), id=self.ids.new(), by=None, at=now)
            await work.invites.add(invite)
            await work.outbox.add(InviteIssued(invite.id, None, invite.expires_at), at=now)
        return invite
