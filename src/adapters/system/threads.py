"""Threads for work that would hold up the event loop."""

import os
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from typing import TypeVar

from adapters.system.outcomes import Outcomes
from application.ports import Overloaded, Place

T = TypeVar("T")
PATIENCE = 2.0
"""Seconds that a request waits for its turn: with what comes before and after, an answer within three."""
WEIGHT = 0.1
"""How much the newest piece of work counts in what one is expected to take."""
SHARE = 0.3
"""How much of their patience a flood's pieces may need by the clock of the processor; beside an event loop that is busy
all the time, that is three times as long by the one on the wall."""
CROWD = 16
"""So many for each thread are no flood yet, and may need all of it."""
LONGEST_WAIT = timedelta(seconds=30)
"""The latest that somebody who is refused is told to come again."""
NICENESS = 4
"""How far the threads stand behind the event loop, which has to answer everybody else meanwhile (Linux)."""


class Threads:
    """So many threads, and only work that somebody still waits for.

    What has more work before it than can be done within `patience`, or beyond `CROWD` a share of it, going by the
    processor time that pieces took of late, is refused at once; what has waited longer is not begun. So a flood costs
    no more than what can be done in time, and whoever comes after it is served. Those who are refused are told to come
    again one behind the other, as fast as work is done. `expected` is what the first piece is taken to need. All are
    seconds.
    """

    def __init__(self, name: str, count: int, *, expected: float, patience: float = PATIENCE) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix=name, initializer=_stand_back)
        self._outcomes = Outcomes()
        self._count = count
        self._inside = 0
        self._expected = expected
        self._patience = patience
        self._promised = 0.0

    def admit(self, under_way: int) -> None:
        """Return where one more piece can be done in time. Raises Overloaded where so many before it are too many."""
        before = under_way // self._count
        if before * self._expected > self._patience * (1 if before < CROWD else SHARE):
            raise Overloaded("too much is waiting", self._turn())

    @contextmanager
    def place(self) -> Iterator[Place]:
        """A place in the queue, for whoever has to find something out before the work. Raises Overloaded."""
        self.admit(self._inside)
        self._inside += 1
        try:
            yield Place(time.monotonic() + self._patience)
        finally:
            self._inside -= 1

    async def run(self, work: Callable[[], T], place: Place | None = None) -> T:
        """What the work returns or raises. Raises Overloaded where it was not begun."""
        with nullcontext(place) if place else self.place() as taken:
            return await self._outcomes.of(self._pool.submit(self._do, work, taken))

    def close(self) -> None:
        """Let go of the threads; what waits is dropped."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _turn(self) -> timedelta:
        """When to come again, for one more who is refused: behind those who were told so before."""
        now = time.monotonic()
        latest = now + LONGEST_WAIT.total_seconds()
        self._promised = min(max(self._promised, now) + self._expected / self._count, latest)
        return timedelta(seconds=self._promised - now)

    def _do(self, work: Callable[[], T], place: Place) -> T:
        if time.monotonic() > place:
            raise Overloaded("nobody waits for it any more")
        before = time.thread_time()
        try:
            return work()
        finally:
            self._expected += WEIGHT * (time.thread_time() - before - self._expected)


def _stand_back() -> None:
    """Only Linux knows the niceness of a thread; elsewhere it would be the whole process's."""
    if sys.platform == "linux":
        os.nice(NICENESS)
