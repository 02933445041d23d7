"""Usernames remembered elsewhere while the first place is away."""

from application.ports import Holder, Unavailable, Usernames
from domain.username import Username


class FallbackUsernames:
    """Asks `second` where `first` is unavailable: reservations then hold in this process, and the unique index decides.

    What one of them has been told the other does not learn; both forget soon.
    """

    def __init__(self, first: Usernames, second: Usernames) -> None:
        self._first = first
        self._second = second

    async def get(self, username: Username) -> Holder | None:
        """For whom the name is out of reach."""
        try:
            return await self._first.get(username)
        except Unavailable:
            return await self._second.get(username)

    async def add(self, username: Username, holder: Holder) -> bool:
        """Reserve the name, or note it as taken; False where another owner has it."""
        try:
            return await self._first.add(username, holder)
        except Unavailable:
            return await self._second.add(username, holder)

    async def delete(self, username: Username, owner: bytes) -> None:
        """Free the name if it is reserved by this owner; also what was reserved while the first place was away."""
        await self._second.delete(username, owner)
        try:
            await self._first.delete(username, owner)
        except Unavailable:
            return
