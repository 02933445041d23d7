"""Usernames remembered in this process."""

import time
from collections import OrderedDict
from collections.abc import Callable

from application.ports import Holder
from domain.username import Username

RESERVED, TAKEN = 30.0, 3600.0


class MemoryUsernames:
    """Names out of reach, as far as this process knows; at most `size`, the oldest forgotten first.

    `timer` counts seconds, monotonically.
    """

    def __init__(self, size: int = 100_000, timer: Callable[[], float] = time.monotonic) -> None:
        self._entries: OrderedDict[str, tuple[float, Holder]] = OrderedDict()
        self._size = size
        self._timer = timer

    async def get(self, username: Username) -> Holder | None:
        """For whom the name is out of reach."""
        until, holder = self._entries.get(username.key, (0.0, None))
        return holder if self._timer() < until else None

    async def add(self, username: Username, holder: Holder) -> bool:
        """Reserve the name for half a minute, or note it as taken for an hour; False where another owner has it."""
        held = await self.get(username)
        if held is not None and held.owner != holder.owner:
            return False
        if held is None or holder.is_taken or not held.is_taken:
            self._remember(username.key, holder)
        return True

    async def delete(self, username: Username, owner: bytes) -> None:
        """Free the name if it is reserved by this owner."""
        if await self.get(username) == Holder(owner):
            del self._entries[username.key]

    def _remember(self, key: str, holder: Holder) -> None:
        self._entries.pop(key, None)
        self._entries[key] = self._timer() + (TAKEN if holder.is_taken else RESERVED), holder
        while len(self._entries) > self._size:
            self._entries.popitem(last=False)
