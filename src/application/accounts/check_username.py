"""Check a username: may somebody sign up with it?"""

from dataclasses import dataclass

from application.ports import Begin, Bucket, Clock, RateLimiter, Usernames
from domain.client_address import ClientAddress
from domain.errors import FieldCode, InvalidFields, UsernameTaken
from domain.limits import USERNAME_CHECKS_BY_ADDRESS
from domain.username import Username


@dataclass(frozen=True, slots=True)
class CheckedUsername:
    """A name, and the code of what stands against it; None where nothing does at the moment."""

    username: str
    reason: FieldCode | None = None


@dataclass(frozen=True, slots=True)
class CheckUsername:
    """Tell whether a name could be had. It promises nothing: the sign-up decides.

    A name that breaks the rules is an answer here and no refusal, so this use case reads the text itself.
    """

    read: Begin
    usernames: Usernames
    clock: Clock
    limiter: RateLimiter

    async def __call__(self, *, raw: str, client: ClientAddress) -> CheckedUsername:
        """What stands against the name that a person typed. Raises TooManyRequests."""
        await self.limiter.take(Bucket(USERNAME_CHECKS_BY_ADDRESS, client.network))
        try:
            username = Username.parse(raw)
            await self._check_free(username)
        except InvalidFields as refusal:
            return CheckedUsername(raw, refusal.fields[0].code)
        return CheckedUsername(username.name)

    async def _check_free(self, username: Username) -> None:
        """Raises UsernameTaken where the name is remembered as out of reach, or the record says so."""
        if await self.usernames.get(username) is not None:
            raise UsernameTaken
        async with self.read() as work:
            if await work.username_holds.has(username, self.clock.now()):
                raise UsernameTaken
