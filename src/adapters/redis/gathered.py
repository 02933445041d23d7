"""Reads of one turn of the event loop, gathered into one command."""

import asyncio
from collections.abc import Sequence
from contextvars import Context
from typing import cast

from adapters.redis.breaker import Breaker
from application.ports import Unavailable

MOST = 256
"""Names in one command: Redis does nothing else meanwhile."""


class GatheredReads:
    """Reads values with one MGET for all who ask within the same turn of the event loop.

    The client's own cost of a command is what bounds how many sessions a process can check; it is paid once for all.
    Everybody waits for the same answer, and is told the same fault.
    """

    def __init__(self, redis: Breaker) -> None:
        self._redis = redis
        self._asking: list[tuple[bytes, asyncio.Future[bytes | None]]] = []
        self._reading: set[asyncio.Task[None]] = set()

    async def get(self, name: bytes) -> bytes | None:
        """The value of this name; None where there is none. Raises Unavailable."""
        if not self._asking:
            self._loop = asyncio.get_running_loop()  # once a turn: up to Python 3.11 it is a system call
            self._loop.call_soon(self._send, context=Context())  # it is nobody's request in particular
        answer: asyncio.Future[bytes | None] = self._loop.create_future()
        self._asking.append((name, answer))
        return await answer

    def _send(self) -> None:
        asking, self._asking = self._asking, []
        for start in range(0, len(asking), MOST):
            reading = asyncio.ensure_future(self._read(asking[start : start + MOST]))
            self._reading.add(reading)
            reading.add_done_callback(self._reading.discard)

    async def _read(self, asking: Sequence[tuple[bytes, asyncio.Future[bytes | None]]]) -> None:
        names = [name for name, _ in asking]
        waiting = [answer for _, answer in asking]
        try:
            values = cast("list[bytes | None]", await self._redis.run(lambda redis: redis.mget(names)))
            for answer, value in zip(waiting, values, strict=True):
                if not answer.done():
                    answer.set_result(value)
        except asyncio.CancelledError:
            for answer in waiting:
                answer.cancel()
            raise
        except Exception as fault:  # noqa: BLE001  whoever waits is told, whatever it is
            for answer in waiting:
                if not answer.done():
                    answer.set_exception(_again(fault))


def _again(fault: Exception) -> Exception:
    """The fault for one more who waits: each raises one of their own."""
    return Unavailable(*fault.args) if isinstance(fault, Unavailable) else fault
