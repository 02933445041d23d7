"""Log in."""

from dataclasses import dataclass

from application.ports import Begin, Clock, Ids, PasswordHasher, SessionCache, SessionKeys
from domain.email_address import EmailAddress
from domain.errors import CredentialsInvalid
from domain.password import Password
from domain.session import LoggedIn, Session, SessionKey, SessionLife


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
        if user is None or not right or not user.is_confirmed:
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
            await work.sessions.add(session)
        started = LoggedIn(session, user.profile)
        await self.cache.put(started)
        return started, key
