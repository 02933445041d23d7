"""Request a password reset."""

from dataclasses import dataclass

from application.ports import Begin, Bucket, Clock, RateLimiter
from domain.client_address import ClientAddress
from domain.email_address import EmailAddress
from domain.events import PasswordResetRequested
from domain.limits import MAIL_REQUESTS_BY_ADDRESS


@dataclass(frozen=True, slots=True)
class RequestPasswordReset:
    """Ask for a way back into the account of an address. Whether there is one shows nowhere here."""

    begin: Begin
    clock: Clock
    limiter: RateLimiter

    async def __call__(self, *, email: EmailAddress, client: ClientAddress) -> None:
        """One row in the outbox, whatever the address; whoever mails it keeps to the address's quota.

        Raises TooManyRequests.
        """
        await self.limiter.take(Bucket(MAIL_REQUESTS_BY_ADDRESS, client.network))
        async with self.begin() as work:
            await work.outbox.add(PasswordResetRequested(email.address), at=self.clock.now())
