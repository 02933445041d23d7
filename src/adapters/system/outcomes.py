"""What work in threads ends with, on its way to the event loop."""

import asyncio
from collections import deque
from concurrent.futures import Future
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")
TOGETHER = 4
"""So many outcomes are handed over at once, while at least twice as many pieces are still to be done."""


class Outcomes:
    """Outcomes of a crowd's pieces, handed over a few at a time; those of a few, each at once.

    A piece that streams megabytes leaves the event loop cold caches. What the loop does for four of them after one wake
    costs it a third less than after four (bench/README.md), and the pieces are interrupted less often.
    """

    def __init__(self) -> None:
        self._under_way: set[Future[Any]] = set()
        self._ended: deque[tuple[asyncio.Future[Any], Future[Any]]] = deque()

    async def of(self, piece: Future[T]) -> T:
        """What the piece returns or raises. Where nobody waits for it any more, and it is not begun, it is dropped."""
        loop = asyncio.get_running_loop()
        outcome: asyncio.Future[T] = loop.create_future()
        self._under_way.add(piece)
        piece.add_done_callback(partial(self._collect, loop, outcome))
        try:
            return await outcome
        finally:
            piece.cancel()

    def _collect(self, loop: asyncio.AbstractEventLoop, outcome: asyncio.Future[T], piece: Future[T]) -> None:
        """In the thread of the piece, or of whoever dropped it."""
        self._under_way.discard(piece)
        self._ended.append((outcome, piece))
        if len(self._ended) >= TOGETHER or len(self._under_way) < 2 * TOGETHER:
            with suppress(RuntimeError):  # the event loop has been closed meanwhile, and nobody waits
                loop.call_soon_threadsafe(self._hand_over)

    def _hand_over(self) -> None:
        while self._ended:
            outcome, piece = self._ended.popleft()
            if not outcome.done():
                _settle(outcome, piece)


def _settle(outcome: asyncio.Future[T], piece: Future[T]) -> None:
    if piece.cancelled():
        outcome.cancel()
    elif error := piece.exception():
        outcome.set_exception(error)
    else:
        outcome.set_result(piece.result())
