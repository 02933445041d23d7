"""Log in."""

from dataclasses import dataclass

from application.ports import Begin, Clock, Ids, PasswordHasher, SessionCache, SessionKeys
from domain.email_address import EmailAddress
from domain.errors import CredentialsInvalid
from domain.events import ConfirmationResendRequested
from domain.password import Password
from domain.session import LoggedIn, Session, SessionKey, SessionLife
from domain.user import User


@dataclass(frozen=True, slots=True)
class LogIn:
    """Start a session for whoever knows a confirmed account's password. Always a new session (ASVS 7.2.4)."""

    begin: Begin
    read: Begin
    hasher: PasswordHasher
    keys: SessionKeys
    ids: Ids
    clock: Clock
    cache: SessionCache
    life: SessionLife

    async def __call__(
        self, *, email: EmailAddress, password: Password, user_agent: str | None, ip: str | None
    ) -> tuple[LoggedIn, SessionKey]:
        """The session and the key for its cookie. Raises CredentialsInvalid, after the same work in every case."""
        async with self.read() as work:
            user = await work.users.by_email(email)
        right = await self.hasher.verify(password, user.password_hash if user else None)
        if user is None or not right:
            raise CredentialsInvalid
        if not user.is_confirmed:
            await self._ask_for_confirmation(user)
            raise CredentialsInvalid
        key = self.keys.new()
        session = Session.start(
            id=self.ids.new(),
            user_id=user.id,
            key=key,
            at=self.clock.now(),
            life=self.life,
            user_agent=user_agent,
            ip=ip,
        )
        async with self.begin() as work:
            locked = await work.users.lock(user.id)
            if locked is None or locked.password_hash != user.password_hash:  # changed while it was being checked
                raise CredentialsInvalid
            await work.sessions.add(session)
        started = LoggedIn(session, user.profile)
        await self.cache.put(started)
        return started, key

    async def _ask_for_confirmation(self, user: User) -> None:
        """Whoever knows the password but has lost the confirmation gets another; the answer does not say so."""
        async with self.begin() as work:
            await work.outbox.add(ConfirmationResendRequested(user.email.address), at=self.clock.now())
