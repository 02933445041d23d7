"""Tries counted in this process."""

import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import timedelta

from application.ports import Bucket
from domain.errors import TooManyRequests

_NOTHING = timedelta(0)


class MemoryRateLimiter:
    """Buckets of a single process: at most `size` that are not full, the longest untouched forgotten first.

    To forget a bucket is to fill it. That helps nobody: so many buckets take tries from thousands of addresses, and who
    has those gets on without. `timer` counts nanoseconds, monotonically.
    """

    def __init__(self, size: int = 100_000, timer: Callable[[], int] = time.monotonic_ns) -> None:
        self._full_at: OrderedDict[tuple[str, str], timedelta] = OrderedDict()
        self._size = size
        self._timer = timer

    async def take(self, *buckets: Bucket) -> None:
        """Take from all of these buckets or from none. Raises TooManyRequests."""
        now = timedelta(microseconds=self._timer() // 1000)
        full_in = {bucket: self._full_in(bucket, now) for bucket in buckets}
        wait = max((bucket.limit.wait(bucket.cost, full_in[bucket]) for bucket in buckets), default=_NOTHING)
        if wait > _NOTHING:
            raise TooManyRequests(wait)
        for bucket in buckets:
            if bucket.cost:
                self._fill_at(bucket, now + full_in[bucket] + bucket.limit.interval * bucket.cost)
        self._forget(now)

    def _full_in(self, bucket: Bucket, now: timedelta) -> timedelta:
        return max(self._full_at.get((bucket.limit.name, bucket.key), now) - now, _NOTHING)

    def _fill_at(self, bucket: Bucket, at: timedelta) -> None:
        name = bucket.limit.name, bucket.key
        self._full_at[name] = at
        self._full_at.move_to_end(name)

    def _forget(self, now: timedelta) -> None:
        """Forget the longest untouched, as long as it is full again or there are too many."""
        while self._full_at and (len(self._full_at) > self._size or next(iter(self._full_at.values())) <= now):
            self._full_at.popitem(last=False)


class NoRateLimiter:
    """Lets everything pass. For load tests only."""

    async def take(self, *buckets: Bucket) -> None:
        """Do nothing."""
