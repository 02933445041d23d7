"""Confirm an account."""

from dataclasses import dataclass

from application.ports import Begin, Clock, TokenSigner
from domain.errors import ConfirmationInvalid
from domain.events import UserConfirmed
from domain.token import Purpose


@dataclass(frozen=True, slots=True)
class ConfirmAccount:
    """Take a mailed confirmation as proof of the address; from now on the user can log in."""

    begin: Begin
    signer: TokenSigner
    clock: Clock

    async def __call__(self, *, confirmation: str) -> None:
        """Raises ConfirmationInvalid; of many at once with one token, one succeeds."""
        token_id = self.signer.read(Purpose.CONFIRMATION, confirmation)
        if token_id is None:
            raise ConfirmationInvalid
        now = self.clock.now()
        async with self.begin() as work:
            user_id = await work.tokens.consume(token_id, Purpose.CONFIRMATION, now)
            if user_id is None or not await work.users.confirm(user_id, now):
                raise ConfirmationInvalid
            await work.outbox.add(UserConfirmed(user_id), at=now)
