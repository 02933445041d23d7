"""Sessions remembered in this process."""

import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable

from application.ports import Ended
from domain.session import LoggedIn

REMEMBERED = 60.0
BURIED = 120.0


class MemorySessionCache:
    """A session cache for a single process; at most `size` sessions, the oldest forgotten first.

    `timer` counts seconds, monotonically.
    """

    def __init__(self, size: int = 100_000, timer: Callable[[], float] = time.monotonic) -> None:
        self._entries: OrderedDict[bytes, tuple[float, LoggedIn | Ended]] = OrderedDict()
        self._size = size
        self._timer = timer

    async def get(self, key_hash: bytes) -> LoggedIn | Ended | None:
        """What is remembered of this session."""
        until, what = self._entries.get(key_hash, (0.0, None))
        return what if self._timer() < until else None

    async def put(self, found: LoggedIn) -> None:
        """Remember a session for a minute, unless anything is remembered of it."""
        if await self.get(found.session.key_hash) is None:
            remembered = LoggedIn(found.session.without_origin, found.user)
            self._remember(found.session.key_hash, remembered, REMEMBERED)

    async def bury(self, key_hashes: Iterable[bytes]) -> None:
        """Remember sessions as ended for two minutes."""
        for key_hash in key_hashes:
            self._remember(key_hash, Ended.ENDED, BURIED)

    async def bury_unrecorded(self, key_hashes: Iterable[bytes]) -> None:
        """The same: there is no other process that could record their end."""
        await self.bury(key_hashes)

    async def unrecorded(self) -> Collection[bytes]:
        """None: what this process has to record, it knows."""
        return ()

    async def recorded(self, key_hashes: Iterable[bytes]) -> None:
        """Do nothing."""

    async def forget(self, key_hashes: Iterable[bytes]) -> None:
        """Forget live sessions; the next reader asks the record."""
        for key_hash in key_hashes:
            if await self.get(key_hash) is not Ended.ENDED:
                self._entries.pop(key_hash, None)

    def _remember(self, key_hash: bytes, what: LoggedIn | Ended, seconds: float) -> None:
        self._entries.pop(key_hash, None)
        self._entries[key_hash] = self._timer() + seconds, what
        while len(self._entries) > self._size:
            self._entries.popitem(last=False)


class NoSessionCache:
    """Remembers nothing: every check reads the record. For replicas that share a database but no cache."""

    async def get(self, key_hash: bytes) -> LoggedIn | Ended | None:  # noqa: ARG002
        """Nothing."""
        return None

    async def put(self, found: LoggedIn) -> None:
        """Do nothing."""

    async def bury(self, key_hashes: Iterable[bytes]) -> None:
        """Do nothing: nothing is remembered that would have to be forgotten."""

    async def bury_unrecorded(self, key_hashes: Iterable[bytes]) -> None:
        """Do nothing."""

    async def unrecorded(self) -> Collection[bytes]:
        """Nothing."""
        return ()

    async def recorded(self, key_hashes: Iterable[bytes]) -> None:
        """Do nothing."""

    async def forget(self, key_hashes: Iterable[bytes]) -> None:
        """Do nothing."""
