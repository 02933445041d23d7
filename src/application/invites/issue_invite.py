"""Issue an invite."""

from dataclasses import dataclass

from application.ports import Begin, Bucket, Clock, Ids, RateLimiter
from domain.errors import InviteQuotaReached, NotLoggedIn
from domain.events import InviteIssued
from domain.invite import Invite, InviteTerms
from domain.limits import INVITES_BY_USER
from domain.user import Profile


@dataclass(frozen=True, slots=True)
class IssueInvite:
    """Give somebody the right to create an account. Where it is bound to an address, it is mailed there.

    Operators and the command line issue as they like; other users' open invites may be good for `quota` accounts in
    all.
    """

    begin: Begin
    clock: Clock
    ids: Ids
    quota: int
    limiter: RateLimiter

    async def __call__(self, *, terms: InviteTerms, by: Profile | None) -> Invite:
        """The fresh invite. `by` is None for the command line.

        Raises InviteQuotaReached, NotLoggedIn, TooManyRequests.
        """
        if by is not None:
            await self.limiter.take(Bucket(INVITES_BY_USER, str(by.id)))
        now = self.clock.now()
        invite = Invite.issue(terms, id=self.ids.new(), by=by.id if by else None, at=now)
        async with self.begin() as work:
            if by is not None and await work.users.lock(by.id) is None:
                raise NotLoggedIn
            if by is not None and not by.is_operator:
                open_claims = await work.invites.open_claims(by.id, now)
                if open_claims + terms.max_claims > self.quota:
                    raise InviteQuotaReached(self.quota)
            await work.invites.add(invite)
            await work.outbox.add(InviteIssued(invite.id, invite.issued_by, invite.expires_at), at=now)
        return invite
