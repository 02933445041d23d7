"""Verify an invite: is it worth filling in the form?"""

from dataclasses import dataclass
from datetime import datetime

from application.ports import Begin, Clock, TokenSigner
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

    async def __call__(self, *, invite: str) -> OpenInvite:
        """What the holder may know. Raises InviteInvalid."""
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
