"""Change a password."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from application import ending
from application.fresh_password import FreshPassword, lock_unchanged
from application.password_check import PasswordCheck
from application.ports import Begin, Clock, Ids, PasswordHasher, SessionCache, SessionKeys
from domain.errors import NotLoggedIn
from domain.events import PasswordChanged
from domain.password import NewPassword, Password
from domain.session import LoggedIn, Session, SessionKey, SessionLife
from domain.token import Purpose


@dataclass(frozen=True, slots=True)
class ChangePassword:
    """Give an account another password, for whoever knows the current one (ASVS 6.2.3).

    All sessions end; a new one takes the place of this one (ASVS 7.2.4, 7.4.3). Resets and changes of address that
    are under way are void, and the user is told by mail (ASVS 6.3.7).
    """

    begin: Begin
    fresh_password: FreshPassword
    check: PasswordCheck
    hasher: PasswordHasher
    keys: SessionKeys
    ids: Ids
    clock: Clock
    cache: SessionCache
    life: SessionLife

    async def __call__(self, *, me: LoggedIn, current: Password, new: NewPassword) -> tuple[LoggedIn, SessionKey]:
        """The new session and the key for its cookie.

        Raises PasswordWrong naming `current_password`, InvalidFields, NotLoggedIn, TooManyRequests.
        """
        user = await self.fresh_password(user_id=me.user.id, password=current, field="current_password")
        await self.check(new, words=(user.username.name, user.email.address))
        password_hash = await self.hasher.hash(new)
        now = self.clock.now()
        key = self.keys.new()
        async with self.begin() as work:
            user = await lock_unchanged(user, work, "current_password")
            await work.users.update(user.with_password(password_hash))
            await work.tokens.void(user.id, Purpose.RESET, Purpose.EMAIL_CHANGE, at=now)
            ended = await work.sessions.delete_all(user.id)
            session = self._in_place_of(me.session, ended, key, now)
            await work.sessions.add(session)
            await ending.tell(work, user.id, ended, now)
            await work.outbox.add(PasswordChanged(user.id), at=now)
        await ending.bury(self.cache, ended)
        started = LoggedIn(session, user.profile)
        await self.cache.put(started, now)
        return started, key

    def _in_place_of(self, mine: Session, ended: Sequence[Session], key: SessionKey, now: datetime) -> Session:
        """A session that begins where mine did. Raises NotLoggedIn where mine was not among those that were ended."""
        for former in ended:
            if former.id == mine.id:
                return Session.start(
                    id=self.ids.new(),
                    user_id=former.user_id,
                    key=key,
                    at=now,
                    life=self.life,
                    user_agent=former.user_agent,
                    ip=former.ip,
                )
        raise NotLoggedIn
