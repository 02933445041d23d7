"""Reset a password."""

from dataclasses import dataclass
from uuid import UUID

from application import ending, mailed_tokens
from application.password_check import PasswordCheck
from application.ports import Begin, Bucket, Clock, PasswordHasher, RateLimiter, SessionCache, TokenSigner, Turns
from domain.client_address import ClientAddress
from domain.errors import ResetInvalid
from domain.events import PasswordChanged
from domain.limits import RESET_BY_ADDRESS
from domain.password import NewPassword
from domain.token import Purpose
from domain.user import User


@dataclass(frozen=True, slots=True)
class ResetPassword:
    """Give an account another password, on the word of whoever reads its mail.

    All sessions end, other resets and changes of address that are under way are void, and the user is told by mail
    (ASVS 6.3.7, 7.4.3).
    """

    begin: Begin
    read: Begin
    check: PasswordCheck
    hasher: PasswordHasher
    cache: SessionCache
    signer: TokenSigner
    clock: Clock
    turns: Turns
    limiter: RateLimiter

    async def __call__(self, *, reset: str, password: NewPassword, client: ClientAddress) -> None:
        """Raises ResetInvalid, InvalidFields, TooManyRequests; of many at once with one token, one succeeds."""
        await self.limiter.take(Bucket(RESET_BY_ADDRESS, client.network))
        token_id = mailed_tokens.read(self.signer, Purpose.RESET, reset)
        async with self.turns(token_id):
            user = await self._holder(token_id)
            await self.check(password, words=(user.username.name, user.email.address))
            await self._reset(token_id, await self.hasher.hash(password))

    async def _holder(self, token_id: UUID) -> User:
        """Whose password it is, worth hashing another for."""
        async with self.read() as work:
            token = await work.tokens.get(token_id)
            user = await work.users.get(token.user_id) if token and token.is_usable(self.clock.now()) else None
        if user is None:
            raise ResetInvalid
        return user

    async def _reset(self, token_id: UUID, password_hash: str) -> None:
        now = self.clock.now()
        async with self.begin() as work:
            _, user = await mailed_tokens.use(work, token_id, Purpose.RESET, now)
            if not await work.users.update(user.with_password(password_hash)):
                raise ResetInvalid
            await work.tokens.void(user.id, Purpose.RESET, Purpose.EMAIL_CHANGE, at=now)
            ended = await work.sessions.delete_all(user.id)
            await ending.tell(work, user.id, ended, now)
            await work.outbox.add(PasswordChanged(user.id), at=now)
        await ending.bury(self.cache, ended)
