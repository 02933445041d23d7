"""Confirm an account."""

from dataclasses import dataclass

from application import mailed_tokens
from application.ports import Begin, Bucket, Clock, RateLimiter, TokenSigner
from domain.client_address import ClientAddress
from domain.errors import ConfirmationInvalid
from domain.events import UserConfirmed
from domain.limits import CONFIRM_BY_ADDRESS
from domain.token import Purpose


@dataclass(frozen=True, slots=True)
class ConfirmAccount:
    """Take a mailed confirmation as proof of the address; from now on the user can log in.

    Each sign-up with an address waits with a password and a confirmation of its own, and the one that is confirmed
    is the account: nobody can sign up ahead with somebody else's address and have the owner confirm it unawares.
    The claim of the sign-up that is confirmed is forgotten, and no other: strangers who have signed up with the address
    may repeat it as before, and learn nothing.
    """

    begin: Begin
    signer: TokenSigner
    clock: Clock
    limiter: RateLimiter

    async def __call__(self, *, confirmation: str, client: ClientAddress) -> None:
        """Raises ConfirmationInvalid, TooManyRequests; of many at once with one token, one succeeds."""
        await self.limiter.take(Bucket(CONFIRM_BY_ADDRESS, client.network))
        token_id = mailed_tokens.read(self.signer, Purpose.CONFIRMATION, confirmation)
        now = self.clock.now()
        async with self.begin() as work:
            token = await work.tokens.get(token_id)
            user = await work.users.get(token.user_id) if token and token.is_usable(now) else None
            if user is None or not await work.users.confirm(user.id, now):  # locks all who wait with the address
                raise ConfirmationInvalid
            if await work.tokens.consume(token_id, Purpose.CONFIRMATION, now) is None:
                raise ConfirmationInvalid
            await work.claims.forget(user.invite_id, user.email, user.username)
            await work.outbox.add(UserConfirmed(user.id), at=now)
