"""Delete a user."""

import asyncio
from dataclasses import dataclass
from uuid import UUID

from application import ending
from application.fresh_password import FreshPassword, lock_unchanged
from application.patience import is_done_within
from application.ports import Begin, Clock, Ids, SessionCache, Unavailable, Work
from domain.events import UserDeleted
from domain.mail import Mail, MailKind
from domain.password import Password
from domain.user import User
from domain.username import HOLD

PATIENCE = 1.9
"""Seconds after which no commit is begun any more, and the user is told that nothing happened."""
COMMIT_PATIENCE = 0.8
"""Seconds more that a commit under way may take to tell its outcome: that comes before being quick."""


class DeletionUnavailable(Unavailable):
    """The account cannot be deleted now, and is untouched."""


@dataclass(slots=True)
class _Attempt:
    """One try to delete an account: whether its time is over, it is past the point of no return, it has happened."""

    is_over: bool = False
    is_committing: bool = False
    has_happened: bool = False


@dataclass(frozen=True, slots=True)
class DeleteUser:
    """Delete an account with its sessions, tokens, open invites and mails in one transaction, or leave it as it is.

    It happens within two seconds, or it does not happen: a transaction that is late is rolled back. Where the answer
    to the commit itself is lost, the record is asked. The username is held, so that nobody can pass for who is gone.
    What strangers have claimed with the address stays claimed: else they would see that it had an account.
    """

    begin: Begin
    read: Begin
    fresh_password: FreshPassword
    cache: SessionCache
    clock: Clock
    ids: Ids

    async def __call__(self, *, user_id: UUID, password: Password, within: float = PATIENCE + COMMIT_PATIENCE) -> None:
        """`within` are the seconds in which the outcome can still be told.

        Raises PasswordWrong, NotLoggedIn, DeletionUnavailable, TooManyRequests.
        """
        patience = min(PATIENCE, within - COMMIT_PATIENCE)
        if patience <= 0:
            raise DeletionUnavailable
        attempt = _Attempt()
        deletion = asyncio.ensure_future(self._delete(user_id, password, attempt))
        is_done = await is_done_within(patience, deletion)
        attempt.is_over = True
        if not is_done and attempt.is_committing:
            is_done = await is_done_within(COMMIT_PATIENCE, deletion)
        if is_done:
            await deletion
        elif not attempt.has_happened:
            raise DeletionUnavailable

    async def _delete(self, user_id: UUID, password: Password, attempt: _Attempt) -> None:
        try:
            user = await self.fresh_password(user_id=user_id, password=password)
            await self._delete_checked(user, attempt)
        except DeletionUnavailable:
            raise
        except Unavailable as fault:
            if not attempt.is_committing or not await self._is_gone(user_id):
                raise DeletionUnavailable from fault

    async def _delete_checked(self, user: User, attempt: _Attempt) -> None:
        async with self.begin() as work:
            user = await lock_unchanged(user, work)
            ended = await work.sessions.delete_all(user.id)
            await self._erase(user, work)
            await ending.tell(work, user.id, ended, self.clock.now())
            if attempt.is_over:
                raise DeletionUnavailable
            attempt.is_committing = True
        attempt.has_happened = True
        await ending.bury(self.cache, ended)

    async def _erase(self, user: User, work: Work) -> None:
        now = self.clock.now()
        await work.username_holds.extend(user.username, now + HOLD)
        await work.invites.delete_open(user.id, now)
        await work.mails.forget(user.email)
        await work.users.delete(user.id)
        await work.outbox.add(UserDeleted(user.id), at=now)
        await work.mails.add(Mail(self.ids.new(), MailKind.FAREWELL, user.email, now, username=user.username.name))

    async def _is_gone(self, user_id: UUID) -> bool:
        try:
            async with self.read() as work:
                return await work.users.get(user_id) is None
        except Unavailable:
            return False
