"""Sessions that Redis remembers, kept in this process too."""

import time
from collections import OrderedDict
from collections.abc import Iterable

from redis.asyncio import Redis

from adapters.redis.tracking import Timer, Tracking
from domain.session import LoggedIn

SIZE = 10_000
"""Sessions kept at most, some 10 MB; the oldest copy goes first."""
NEWS = 10_000
"""Changes of which the order is kept; reads may be under way that asked before them."""


class Copies:
    """Copies that are as good as asking Redis, for it tells of every change to what they are of.

    While it cannot, or has not proved lately that it does, there are none. A read that was under way when what it read
    changed leaves no copy, whichever is heard of first.
    """

    def __init__(self, redis: Redis, prefix: bytes, size: int = SIZE, timer: Timer = time.monotonic) -> None:
        self._kept: OrderedDict[bytes, tuple[LoggedIn, float]] = OrderedDict()
        self._size = size
        self._news: dict[bytes, int] = {}
        self._oldest_news = 0
        self.heard = 0
        """How much has been heard of changes by now; whoever reads takes note of it before."""
        self._tracking = Tracking(redis, prefix, self.drop, timer)

    def get(self, name: bytes, now: float) -> LoggedIn | None:
        """The copy under this name, if it may be believed."""
        if not self.are_current:
            return None
        found, good_until = self._kept.get(name, _NONE)
        return found if now < good_until else None

    @property
    def are_current(self) -> bool:
        """Whether Redis tells of changes, and has proved it lately."""
        return self._tracking.is_current()

    def keep(self, name: bytes, found: LoggedIn, good_until: float, heard: int) -> None:
        """Keep what Redis has said, unless it has changed since so much had been `heard`."""
        if heard < self._oldest_news or self._news.get(name, 0) > heard:
            return
        self._kept.pop(name, None)
        self._kept[name] = found, good_until
        if len(self._kept) > self._size:
            self._kept.popitem(last=False)

    def drop(self, names: Iterable[bytes] | None) -> None:
        """Drop the copies of what has changed; None for all."""
        self.heard += 1
        if names is None:
            self._kept.clear()
            self._forget_news()
            return
        for name in names:
            self._kept.pop(name, None)
            self._news[name] = self.heard
        if len(self._news) > NEWS:
            self._forget_news()

    def close(self) -> None:
        """Have none any more."""
        self._tracking.close()

    def _forget_news(self) -> None:
        self._news.clear()
        self._oldest_news = self.heard


_NONE: tuple[LoggedIn | None, float] = (None, 0.0)
