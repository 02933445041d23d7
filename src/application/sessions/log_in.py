"""Log in."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from application import ending
from application.ports import (
    Begin,
    Bucket,
    Clock,
    Ids,
    PasswordHasher,
    RateLimiter,
    SessionCache,
    SessionKeys,
    Unavailable,
)
from domain.client_address import ClientAddress
from domain.email_address import EmailAddress
from domain.errors import CredentialsInvalid
from domain.limits import LOG_IN_BY_ACCOUNT_AND_ADDRESS, LOG_IN_BY_ADDRESS, LOG_IN_BY_ALL
from domain.password import Password
from domain.session import LoggedIn, Session, SessionKey, SessionLife
from domain.user import User

log = logging.getLogger(__name__)
MOST = 100
"""Sessions of one user (ASVS 7.1.2)."""
TRIES = 2
"""How often the password is checked: once more where its hash was renewed, or the password changed, meanwhile."""


@dataclass(frozen=True, slots=True)
class LogIn:
    """Start a session for whoever knows a confirmed account's password. Always a new session (ASVS 7.2.4).

    A user has at most `MOST`; the oldest give way.
    """

    begin: Begin
    read: Begin
    hasher: PasswordHasher
    keys: SessionKeys
    ids: Ids
    clock: Clock
    cache: SessionCache
    life: SessionLife
    limiter: RateLimiter

    async def __call__(
        self, *, email: EmailAddress, password: Password, user_agent: str | None, client: ClientAddress
    ) -> tuple[LoggedIn, SessionKey]:
        """The session and the key for its cookie.

        Raises CredentialsInvalid, also where the account is not confirmed, after the same work in every case; and
        TooManyRequests.
        """
        await self.limiter.take(
            Bucket(LOG_IN_BY_ACCOUNT_AND_ADDRESS, f"{email.key} {client.network}"),
            Bucket(LOG_IN_BY_ADDRESS, client.network),
            Bucket(LOG_IN_BY_ALL, "all"),
        )
        for _ in range(TRIES):
            user = await self._known(email, password)
            key = self.keys.new()
            session = Session.start(
                id=self.ids.new(),
                user_id=user.id,
                key=key,
                at=self.clock.now(),
                life=self.life,
                user_agent=user_agent,
                ip=client.text,
            )
            if (ended := await self._add(session, user)) is not None:
                await ending.bury(self.cache, ended)
                break
        else:
            raise CredentialsInvalid
        started = LoggedIn(session, user.profile)
        await self.cache.put(started, session.created_at)
        await self._renew_hash(user, password)
        return started, key

    async def _known(self, email: EmailAddress, password: Password) -> User:
        with self.hasher.place() as place:
            async with self.read() as work:
                user = await work.users.by_email(email)
            right = await self.hasher.verify(password, user.password_hash if user else None, place)
        if user is None or not right or not user.is_confirmed:
            raise CredentialsInvalid
        return user

    async def _add(self, session: Session, user: User) -> Sequence[Session] | None:
        """Start the session; those that gave way to it, or None where the account has another hash by now, or is gone.

        The oldest give way, so that ending all of them stays quick. Far from `MOST` nothing needs to be counted under
        a lock: so many do not begin at once.
        """
        async with self.read() as work:
            if await work.sessions.start(session, password_hash=user.password_hash, beside=MOST // 2):
                return ()
        async with self.begin() as work:
            locked = await work.users.lock(user.id)
            if locked is None or locked.password_hash != user.password_hash:
                return None
            await work.sessions.add(session)
            oldest = await work.sessions.of_user(user.id, past=MOST)
            ended = [one for one in oldest if await work.sessions.delete(one.key_hash)]
            await ending.tell(work, user.id, ended, self.clock.now())
        return ended

    async def _renew_hash(self, user: User, password: Password) -> None:
        """Keep the password under today's parameters; fails open: the person is logged in, the next time will do."""
        try:
            old = user.password_hash
            if old is not None and (renewed := await self.hasher.renew(password, old)):
                async with self.begin() as work:
                    await work.users.rehash(user.id, old=old, new=renewed)
        except Unavailable as fault:
            log.warning("the password of user %s keeps its old hash for now: %s", user.id, fault)
