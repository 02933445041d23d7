"""Change a mail address: the request."""

from dataclasses import dataclass
from uuid import UUID

from application.fresh_password import FreshPassword, lock_unchanged
from application.ports import Begin, Clock, Ids
from domain.email_address import EmailAddress
from domain.errors import EmailUnchanged
from domain.events import EmailChangeRequested
from domain.password import Password
from domain.token import Purpose, Token


@dataclass(frozen=True, slots=True)
class ChangeEmail:
    """Ask for another mail address. It counts once it is confirmed by a mail to it; until then nothing changes.

    Whether the address has an account shows nowhere here: whoever reads its mail is told. Asked for the same address
    again, the link that was mailed goes on working: its address may have been sent enough, so that no other comes.
    """

    begin: Begin
    fresh_password: FreshPassword
    clock: Clock
    ids: Ids

    async def __call__(self, *, user_id: UUID, password: Password, email: EmailAddress) -> None:
        """Raises PasswordWrong, EmailUnchanged, NotLoggedIn, TooManyRequests."""
        user = await self.fresh_password(user_id=user_id, password=password)
        if email == user.email:
            raise EmailUnchanged
        now = self.clock.now()
        async with self.begin() as work:
            await lock_unchanged(user, work)
            token = await work.tokens.newest(user.id, Purpose.EMAIL_CHANGE)
            if token is None or token.email != email or not token.is_usable(now):
                token = Token.issue(Purpose.EMAIL_CHANGE, id=self.ids.new(), user_id=user.id, at=now, email=email)
                await work.tokens.add(token)
            await work.outbox.add(EmailChangeRequested(user.id, token.id), at=now)
