"""Verify an invite: is it worth filling in the form?"""

from dataclasses import dataclass
from datetime import datetime

from application.guesses import bad_invites_counted
from application.ports import Begin, Clock, RateLimiter, TokenSigner
from domain.client_address import ClientAddress
from domain.email_address import EmailAddress
from domain.errors import InviteUnknown
from domain.token import Purpose


@dataclass(frozen=True, slots=True)
class OpenInvite:
    """What the holder of an open invite may know of it."""

    expires_at: datetime
    email: EmailAddress | None
    invited_by: str | None


@dataclass(frozen=True, slots=True)
class VerifyInvite:
    """Tell the holder of a token whether the invite is open. Changes nothing."""

    read: Begin
    signer: TokenSigner
    clock: Clock
    limiter: RateLimiter

    async def __call__(self, *, invite: str, client: ClientAddress) -> OpenInvite:
        """What the holder may know. Raises InviteInvalid, TooManyRequests."""
        async with bad_invites_counted(self.limiter, client):
            return await self._open(invite)

    async def _open(self, invite: str) -> OpenInvite:
        invite_id = self.signer.read(Purpose.INVITE, invite)
        if invite_id is None:
            raise InviteUnknown
        async with self.read() as work:
            found = await work.invites.get(invite_id)
            if found is None:
                raise InviteUnknown
            found.check_open(self.clock.now())
            issuer = await work.users.get(found.issued_by) if found.issued_by else None
        return OpenInvite(found.expires_at, found.email, issuer.username.name if issuer else None)
