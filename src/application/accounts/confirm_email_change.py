"""Change a mail address: the confirmation."""

from dataclasses import dataclass
from datetime import timedelta

from application import mailed_tokens
from application.ports import Begin, Bucket, Clock, Ids, RateLimiter, SessionCache, TokenSigner, Work
from domain.client_address import ClientAddress
from domain.errors import EmailChangeInvalid
from domain.events import EmailChanged
from domain.limits import CONFIRM_BY_ADDRESS
from domain.token import Purpose, Token
from domain.user import User


@dataclass(frozen=True, slots=True)
class ConfirmEmailChange:
    """Take a mailed token as proof of the new address, give the account that address, and tell the old one.

    The old one can undo it for a week. What was mailed to it before works no more.
    """

    begin: Begin
    cache: SessionCache
    signer: TokenSigner
    clock: Clock
    ids: Ids
    limiter: RateLimiter

    async def __call__(self, *, confirmation: str, client: ClientAddress) -> None:
        """Raises EmailChangeInvalid, also where another account has the address by now, and TooManyRequests."""
        await self.limiter.take(Bucket(CONFIRM_BY_ADDRESS, client.network))
        token_id = mailed_tokens.read(self.signer, Purpose.EMAIL_CHANGE, confirmation)
        now = self.clock.now()
        async with self.begin() as work:
            token, user = await mailed_tokens.use(work, token_id, Purpose.EMAIL_CHANGE, now)
            if token.email is None or not await work.users.update(user.with_address(token.email)):
                raise EmailChangeInvalid
            await self._tell_old_address(user, work)
            sessions = await work.sessions.of_user(user.id)
        await self.cache.forget([session.key_hash for session in sessions])

    async def _tell_old_address(self, user: User, work: Work) -> None:
        """Later changes have later undo tokens, whatever the clocks of several machines say."""
        now = self.clock.now()
        last = await work.tokens.newest(user.id, Purpose.EMAIL_UNDO)
        if last is not None:
            now = max(now, last.created_at + timedelta(microseconds=1))
        undo = Token.issue(Purpose.EMAIL_UNDO, id=self.ids.new(), user_id=user.id, at=now, email=user.email)
        await work.tokens.void(user.id, Purpose.RESET, Purpose.EMAIL_CHANGE, at=now)
        await work.tokens.add(undo)
        await work.outbox.add(EmailChanged(user.id, undo.id), at=now)
