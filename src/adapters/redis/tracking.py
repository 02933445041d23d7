"""Hearing from Redis what changes in it: server-assisted client-side caching."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from contextvars import Context
from typing import Any

import hiredis
from redis.asyncio import Redis
from redis.asyncio.connection import Connection, SSLConnection
from redis.exceptions import RedisError

from adapters.redis.client import PATIENCE

log = logging.getLogger(__name__)

LEASE = PATIENCE
"""Seconds for which a proof holds that nothing was left unheard: as long as whoever changes something waits for Redis
at most, so that a Redis that hangs is not believed any more when they go on without it."""
RENEWED = LEASE / 2.5
"""Age in seconds at which a proof that is in use is renewed."""
GIVEN_UP = 5.0
"""Seconds after which a connection that proves nothing is closed."""
LIFE = 60.0
"""Seconds after which a connection is closed in any case: after a failover it may be to a server that nobody else uses
any more."""
PAUSE = 1.0
"""Seconds between two tries to connect."""
REFUSED = 60.0
"""Seconds until a Redis that refuses to tell of changes is asked again."""
_SOON_OVER = ("LOADING ", "BUSY ", "MASTERDOWN ")

Changed = Callable[[Iterable[bytes] | None], None]
"""Takes the names that have changed; None where any may have."""
Timer = Callable[[], float]
"""Counts seconds, monotonically."""


class Tracking:
    """Hears of every change to what is named with a prefix (`CLIENT TRACKING … BCAST`, Redis 6).

    While `is_current`, every change that Redis had made a quarter of a second ago has been told to `changed`; most are
    within a fraction of a millisecond. What has arrived is told before requests that arrive later are answered: it is
    taken in while the event loop reads from the socket, and Granian hands requests over to a later turn of uvloop.

    It connects when it is first asked, and again as it is asked: a process that checks no sessions has no connection.
    """

    def __init__(self, redis: Redis, prefix: bytes, changed: Changed, timer: Timer = time.monotonic) -> None:
        self._redis = redis
        self._prefix = prefix
        self._changed = changed
        self._timer = timer
        self._line: _Line | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._next_try = 0.0
        self.refusal = ""
        """Why Redis does not tell, or cannot be reached for it; nothing where it does."""

    def is_current(self) -> bool:
        """Whether what has been heard is all that has changed, but for the last quarter of a second."""
        now = self._timer()
        if self._line is None:
            self._try_to_connect(now)
            return False
        return self._line.is_current(now)

    def close(self) -> None:
        """Hear no more."""
        self._next_try = float("inf")
        if self._connecting:
            self._connecting.cancel()
        if self._line:
            self._line.close()

    def _try_to_connect(self, now: float) -> None:
        if now >= self._next_try and self._connecting is None:
            self._next_try = now + PAUSE
            self._connecting = asyncio.get_running_loop().create_task(self._connect(), context=Context())
            self._connecting.add_done_callback(self._has_tried)

    def _has_tried(self, _: asyncio.Task[None]) -> None:
        self._connecting = None

    async def _connect(self) -> None:
        """Try once; that Redis is away, the log is told by those who need it."""
        line = None
        try:
            target: Any = self._redis.connection_pool.make_connection()  # type: ignore[no-untyped-call]
            ssl = target.ssl_context.get() if isinstance(target, SSLConnection) else None
            line = _Line(_greeting(target, self._prefix), self._changed, self._lost, self._timer)
            async with asyncio.timeout(PATIENCE):
                await asyncio.get_running_loop().create_connection(lambda: line, target.host, target.port, ssl=ssl)
            self._line = None if line.is_over else line
        except (OSError, ValueError, RedisError) as fault:
            self.refusal = f"{type(fault).__name__} {fault}"
        finally:
            if line is not None and line is not self._line:
                line.close()

    def _lost(self, line: "_Line", refusal: str) -> None:
        if line is self._line:
            self._line = None
        if refusal and not refusal.startswith(_SOON_OVER):
            self._next_try = self._timer() + REFUSED
            if refusal != self.refusal:
                log.warning("Redis does not tell of changes, so it is asked at each session check: %s", refusal)
            self.refusal = refusal


class _Line(asyncio.Protocol):
    """One connection, from the greeting to its end."""

    def __init__(self, greeting: bytes, changed: Changed, lost: Callable[["_Line", str], None], timer: Timer) -> None:
        self._greeting = greeting
        self._changed = changed
        self._lost = lost
        self._timer = timer
        self._reader = hiredis.Reader()
        self._transport: asyncio.Transport | None = None
        self._begun = timer()
        self._proven = float("-inf")
        self._asked: float | None = None
        self.is_over = False

    def connection_made(self, transport: Any) -> None:
        """Greet, and ask for a first proof."""
        self._transport = transport
        self._asked = self._timer()
        transport.write(self._greeting + _ASK)

    def data_received(self, data: bytes) -> None:
        """Take what Redis says, here and now: a task of our own would come after requests that are newer."""
        self._reader.feed(data)
        try:
            while not self.is_over and (said := self._reader.gets()) is not False:
                self._take(said)
        except hiredis.HiredisError as error:
            self.close(str(error))

    def connection_lost(self, _: Exception | None) -> None:
        """Say so."""
        self.close()

    def is_current(self, now: float) -> bool:
        """Whether the last proof is young enough; an old one is renewed."""
        if self._asked is None:
            if now - self._proven > RENEWED:
                self._ask(now)
        elif now - self._asked > GIVEN_UP:
            self.close()
        return now - self._proven < LEASE

    def close(self, refusal: str = "") -> None:
        """End it at once, and say why."""
        if self._transport is not None:
            self._transport.abort()
        if not self.is_over:
            self.is_over = True
            self._proven = float("-inf")
            self._lost(self, refusal)

    def _ask(self, now: float) -> None:
        if now - self._begun > LIFE:
            self.close()
        elif self._transport is not None and not self._transport.is_closing():
            self._asked = now
            self._transport.write(_ASK)

    def _take(self, said: Any) -> None:
        if isinstance(said, hiredis.PushNotification):
            if said[0] == b"invalidate":
                self._changed(said[1])
        elif isinstance(said, hiredis.ReplyError):
            self.close(str(said) if self._proven < 0 else "")
        elif said == _PROOF and self._asked is not None:
            if self._proven < 0:
                self._changed(None)  # what was kept before Redis told of changes
            self._proven, self._asked = self._asked, None


def _greeting(target: Connection, prefix: bytes) -> bytes:
    """What begins a connection; the protocol in which Redis can speak unasked is the third.

    The password is a command of its own: an older Redis quotes what stands behind a HELLO that it does not know.
    """
    secret = [word.encode() for word in (target.username, target.password or "") if word is not None]
    log_in = _packed(b"AUTH", *secret) if target.username or target.password else b""
    return log_in + _packed(b"HELLO", b"3") + _packed(b"CLIENT", b"TRACKING", b"ON", b"BCAST", b"PREFIX", prefix)


def _packed(*words: bytes) -> bytes:
    return bytes(hiredis.pack_command(words))  # type: ignore[arg-type]  # its stub wants exactly one word


_PROOF = b"heard"
_ASK = _packed(b"ECHO", _PROOF)
"""Not PING, which Redis refuses while it cannot save (MISCONF); reading goes on then, and so does telling."""
