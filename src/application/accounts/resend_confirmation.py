"""Resend a confirmation."""

from dataclasses import dataclass

from application.ports import Begin, Clock
from domain.email_address import EmailAddress
from domain.events import ConfirmationResendRequested


@dataclass(frozen=True, slots=True)
class ResendConfirmation:
    """Ask for the confirmation of an address once more. Whether there is anyone to write to shows nowhere here."""

    begin: Begin
    clock: Clock

    async def __call__(self, *, email: EmailAddress) -> None:
        """One row in the outbox, whatever the address; whoever mails it keeps to the address's quota."""
        async with self.begin() as work:
            await work.outbox.add(ConfirmationResendRequested(email.address), at=self.clock.now())
