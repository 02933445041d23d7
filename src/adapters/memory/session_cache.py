"""Sessions remembered in this process."""

from collections import OrderedDict
from collections.abc import Collection, Iterable
from datetime import UTC, datetime, timedelta

from application.ports import Ended
from domain.session import LoggedIn

REMEMBERED = timedelta(minutes=1)
_ALWAYS = datetime.max.replace(tzinfo=UTC)


class MemorySessionCache:
    """A session cache for a single process; at most `size` sessions, the oldest forgotten first."""

    def __init__(self, size: int = 100_000) -> None:
        self._entries: OrderedDict[bytes, tuple[LoggedIn | Ended, datetime]] = OrderedDict()
        self._size = size

    async def get(self, key_hash: bytes, at: datetime) -> LoggedIn | Ended | None:
        """What is remembered of this session."""
        what, until = self._entries.get(key_hash, (None, at))
        return what if at < until else None

    async def put(self, found: LoggedIn, at: datetime) -> None:
        """Remember a session for a minute, unless anything is remembered of it."""
        if await self.get(found.session.key_hash, at) is None:
            remembered = LoggedIn(found.session.without_origin, found.user)
            self._remember(found.session.key_hash, remembered, at + REMEMBERED)

    async def bury(self, key_hashes: Iterable[bytes]) -> None:
        """Remember sessions as ended, until there is no more room."""
        for key_hash in key_hashes:
            self._remember(key_hash, Ended.ENDED, _ALWAYS)

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
            what, _ = self._entries.get(key_hash, (None, _ALWAYS))
            if what is not Ended.ENDED:
                self._entries.pop(key_hash, None)

    def _remember(self, key_hash: bytes, what: LoggedIn | Ended, until: datetime) -> None:
        self._entries.pop(key_hash, None)
        self._entries[key_hash] = what, until
        while len(self._entries) > self._size:
            self._entries.popitem(last=False)


class NoSessionCache:
    """Remembers nothing: every check reads the record. For replicas that share a database but no cache."""

    async def get(self, key_hash: bytes, at: datetime) -> LoggedIn | Ended | None:  # noqa: ARG002
        """Nothing."""
        return None

    async def put(self, found: LoggedIn, at: datetime) -> None:
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
