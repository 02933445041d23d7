"""A breaker between this process and its Redis."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from redis.asyncio import Redis
from redis.exceptions import MasterDownError, RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from adapters.redis.client import LOST, PATIENCE
from application.ports import Unavailable

log = logging.getLogger(__name__)
T = TypeVar("T")

PAUSE = 1.0
"""Seconds that Redis is left alone after a fault; also how often one call goes to see whether it is back."""
OURSELVES = 0.1
"""Seconds by which a wait may overrun. One that overran by more tells of this process, which was too busy to look at
an answer that may have been there; opening then would send the crowd to the database on top."""
QUIET = 60.0
"""Seconds between two lines of the log about commands that Redis refuses."""
_FAULTS = (*LOST, RedisTimeoutError, MasterDownError, OSError)
"""No answer, or one that every command would get: connection lost, loading (a connection error to the client), …"""


class Breaker:
    """Stands before Redis for all adapters of a process, so that a Redis that hangs costs few requests a wait.

    A fault opens it; while it is open, one call a second goes through to see whether Redis is back, and all others
    are refused without touching a socket. `timer` counts seconds, monotonically.

    What Redis answers opens it only where every command gets that answer: LOADING, BUSY, MASTERDOWN, too many clients,
    a wrong password. Where writes alone are refused (OOM, READONLY, MISCONF) it stays closed: reading costs no wait,
    and the tombstones that are there are worth it.
    """

    def __init__(self, redis: Redis, timer: Callable[[], float] = time.monotonic, patience: float = PATIENCE) -> None:
        self.client = redis
        self._timer = timer
        self._patience = patience
        self._is_open = False
        self._next_probe = 0.0
        self._quiet_until = 0.0

    async def run(self, call: Callable[[Redis], Awaitable[T]]) -> T:
        """What Redis answers to the call. Raises Unavailable: at once while open, else after 0.25 s at the latest."""
        self._check_open()
        began = self._timer()
        try:
            async with asyncio.timeout(self._patience):
                answer = await call(self.client)
        except _FAULTS as fault:
            if self._timer() - began < self._patience + OURSELVES:
                self._open(fault)
            raise Unavailable("Redis did not answer") from fault
        except RedisError as refusal:
            self._refused(refusal)
            raise Unavailable("Redis refused a command") from refusal
        self._close()
        return answer

    def _check_open(self) -> None:
        """Refuse the caller while open; the one who may probe takes the turn, so nobody else does for a while."""
        if self._is_open:
            now = self._timer()
            if now < self._next_probe:
                raise Unavailable("Redis is left alone after a fault")
            self._next_probe = now + PAUSE

    def _open(self, fault: Exception) -> None:
        if not self._is_open:
            cause = f"{type(fault).__name__} {fault}" if str(fault) else f"no answer within {self._patience} s"
            log.warning("Redis is away, the service goes on without it: %s", cause)
        self._is_open = True
        self._next_probe = self._timer() + PAUSE

    def _close(self) -> None:
        if self._is_open:
            log.warning("Redis is back")
        self._is_open = False

    def _refused(self, refusal: RedisError) -> None:
        if str(refusal).startswith("BUSY "):
            self._open(refusal)
            return
        self._close()
        if self._timer() >= self._quiet_until:
            self._quiet_until = self._timer() + QUIET
            log.warning("Redis refuses what it is asked: %s %s", type(refusal).__name__, refusal)
