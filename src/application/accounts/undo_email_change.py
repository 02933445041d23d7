"""Change a mail address: the undoing."""

from dataclasses import dataclass

from application import ending, mailed_tokens
from application.ports import Begin, Bucket, Clock, Ids, RateLimiter, SessionCache, TokenSigner, Work
from domain.client_address import ClientAddress
from domain.errors import EmailChangeInvalid
from domain.events import EmailChangeUndone
from domain.limits import CONFIRM_BY_ADDRESS
from domain.mail import Mail, MailKind
from domain.token import Purpose, Token
from domain.user import User


@dataclass(frozen=True, slots=True)
class UndoEmailChange:
    """Give an account its former address back, on the word of whoever reads that address's mail.

    Somebody else knew the password, so it works no more: all sessions end, and a reset is mailed. Later changes are
    undone with it, and cannot be done again by their mails; earlier ones can still be undone.
    """

    begin: Begin
    cache: SessionCache
    signer: TokenSigner
    clock: Clock
    ids: Ids
    limiter: RateLimiter

    async def __call__(self, *, undo: str, client: ClientAddress) -> None:
        """Raises EmailChangeInvalid, also where another account has the address by now, and TooManyRequests."""
        await self.limiter.take(Bucket(CONFIRM_BY_ADDRESS, client.network))
        token_id = mailed_tokens.read(self.signer, Purpose.EMAIL_UNDO, undo)
        now = self.clock.now()
        async with self.begin() as work:
            token, user = await mailed_tokens.use(work, token_id, Purpose.EMAIL_UNDO, now)
            if token.email is None or not await work.users.update(user.with_address(token.email).without_password()):
                raise EmailChangeInvalid
            await work.tokens.void(user.id, Purpose.RESET, Purpose.EMAIL_CHANGE, at=now)
            await work.tokens.void(user.id, Purpose.EMAIL_UNDO, at=now, since=token.created_at)
            ended = await work.sessions.delete_all(user.id)
            await ending.tell(work, user.id, ended, now)
            await work.outbox.add(EmailChangeUndone(user.id), at=now)
            await self._mail_reset(user.with_address(token.email), work)
        await ending.bury(self.cache, ended)

    async def _mail_reset(self, user: User, work: Work) -> None:
        """Past the address's quota: whoever stole the account may have used that up."""
        now = self.clock.now()
        reset = Token.issue(Purpose.RESET, id=self.ids.new(), user_id=user.id, at=now)
        await work.tokens.add(reset)
        await work.mails.add(
            Mail(self.ids.new(), MailKind.RESET, user.email, now, reset.id, reset.expires_at, user.username.name)
        )
