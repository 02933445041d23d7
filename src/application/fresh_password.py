"""A password asked for once more, before something that cannot easily be taken back (ASVS 7.5.1)."""

from dataclasses import dataclass
from uuid import UUID

from application.ports import Begin, Bucket, PasswordHasher, RateLimiter, Work
from domain.errors import NotLoggedIn, PasswordWrong
from domain.limits import PASSWORD_CHECKS_BY_USER
from domain.password import Password
from domain.user import User


@dataclass(frozen=True, slots=True)
class FreshPassword:
    """Checks that whoever is logged in knows the password too."""

    read: Begin
    hasher: PasswordHasher
    limiter: RateLimiter

    async def __call__(self, *, user_id: UUID, password: Password, field: str = "password") -> User:
        """The user, as they are now.

        Raises PasswordWrong naming `field`, NotLoggedIn where the account is gone, TooManyRequests.
        """
        await self.limiter.take(Bucket(PASSWORD_CHECKS_BY_USER, str(user_id)))
        async with self.read() as work:
            user = await work.users.get(user_id)
        if user is None:
            raise NotLoggedIn
        if not await self.hasher.verify(password, user.password_hash):
            raise PasswordWrong(field)
        return user


async def lock_unchanged(user: User, work: Work, field: str = "password") -> User:
    """Lock the account whose password was just checked.

    Raises PasswordWrong naming `field` where it is another by now, NotLoggedIn where the account is gone.
    """
    locked = await work.users.lock(user.id)
    if locked is None:
        raise NotLoggedIn
    if locked.password_hash != user.password_hash:
        raise PasswordWrong(field)
    return locked
