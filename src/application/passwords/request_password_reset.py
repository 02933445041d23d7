"""Request a password reset."""

from dataclasses import dataclass

from application.ports import Begin, Clock
from domain.email_address import EmailAddress
from domain.events import PasswordResetRequested


@dataclass(frozen=True, slots=True)
class RequestPasswordReset:
    """Ask for a way back into the account of an address. Whether there is one shows nowhere here."""

    begin: Begin
    clock: Clock

    async def __call__(self, *, email: EmailAddress) -> None:
        """One row in the outbox, whatever the address; whoever mails it keeps to the address's quota."""
        async with self.begin() as work:
            await work.outbox.add(PasswordResetRequested(email.address), at=self.clock.now())
