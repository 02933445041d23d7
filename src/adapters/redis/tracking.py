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

from adapters.redis.client import PATIENCE

log = logging.getLogger(__name__)

LEASE = PATIENCE
"""Seconds for which a proof holds that nothing was left unheard: as long as whoever changes something waits for Redis
at most, so that a Redis that hangs is not believed any more when they go on without it."""
RENEWED = LEASE / 2.5
"""Age in seconds at which a proof that is in use is renewed."""
GIVEN_UP = 5.0
"""Seconds after which a connection that proves nothing is closed."""
PAUSE = 1.0
"""Seconds between two tries to connect."""
REFUSED = 60.0
"""Seconds until a Redis that refuses to tell of changes is asked again."""

Changed = Callable[[Iterable[bytes] | None], None]
"""Takes the names that have changed; None where any may have."""


class Tracking:
    """Hears of every change to what is named with a prefix (`CLIENT TRACKING … BCAST`, Redis 6).

    While `is_current`, every change that Redis had made a quarter of a second ago has been told to `changed`; most are
    within a fraction of a millisecond. Changes are told before whatever else the event loop has been woken for since,
    so a request that comes after a change finds it heard.

    It connects when it is first asked, and again as it is asked: a process that checks no sessions has no connection.
    `timer` counts seconds, monotonically.
    """

    def __init__(
        self, redis: Redis, prefix: bytes, changed: Changed, timer: Callable[[], float] = time.monotonic
    ) -> None:
        self._redis = redis
        self._prefix = prefix
        self._changed = changed
        self._timer = timer
        self._line: _Line | None = None
        self._connecting: asyncio.Task[None] | None = None
        self._next_try = 0.0
        self._refusal = ""

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
        target: Any = self._redis.connection_pool.make_connection()  # type: ignore[no-untyped-call]
        line = _Line(_hello(target, self._prefix), self._changed, self._lost, self._timer)
        ssl = target.ssl_context.get() if isinstance(target, SSLConnection) else None
        try:
            async with asyncio.timeout(PATIENCE):
                await asyncio.get_running_loop().create_connection(lambda: line, target.host, target.port, ssl=ssl)
        except OSError:
            return
        if not line.is_lost:
            self._line = line

    def _lost(self, refusal: str) -> None:
        self._line = None
        if refusal and not refusal.startswith("LOADING "):
            self._next_try = self._timer() + REFUSED
            if refusal != self._refusal:
                log.warning("Redis does not tell of changes, so it is asked at each session check: %s", refusal)
        self._refusal = refusal


class _Line(asyncio.Protocol):
    """One connection, from the first greeting to its end."""

    def __init__(self, hello: bytes, changed: Changed, lost: Callable[[str], None], timer: Callable[[], float]) -> None:
        self._hello = hello
        self._changed = changed
        self._lost = lost
        self._timer = timer
        self._reader = hiredis.Reader()
        self._proven = float("-inf")
        self._asked: float | None = None
        self._refusal = ""
        self.is_lost = False

    def connection_made(self, transport: Any) -> None:
        """Greet, and ask for a first proof."""
        self._transport: asyncio.Transport = transport
        self._asked = self._timer()
        transport.write(self._hello + _PING)

    def data_received(self, data: bytes) -> None:
        """Take what Redis says, here and now: a task of our own would come after requests that are newer."""
        self._reader.feed(data)
        try:
            while not self.is_lost and (said := self._reader.gets()) is not False:
                self._take(said)
        except hiredis.HiredisError as error:
            self._refuse(str(error))

    def connection_lost(self, _: Exception | None) -> None:
        """Say so."""
        self._end()

    def is_current(self, now: float) -> bool:
        """Whether the last proof is young enough; an old one is renewed."""
        if self._asked is None:
            if now - self._proven > RENEWED and not self._transport.is_closing():
                self._asked = now
                self._transport.write(_PING)
        elif now - self._asked > GIVEN_UP:
            self.close()
        return now - self._proven < LEASE

    def close(self) -> None:
        """End it at once."""
        self._transport.abort()
        self._end()

    def _take(self, said: Any) -> None:
        if isinstance(said, hiredis.PushNotification):
            if said[0] == b"invalidate":
                self._changed(said[1])
        elif isinstance(said, hiredis.ReplyError):
            self._refuse(str(said))
        elif said == b"PONG" and self._asked is not None:
            if self._proven < 0:
                self._changed(None)  # what was kept before Redis told of changes
            self._proven, self._asked = self._asked, None

    def _refuse(self, refusal: str) -> None:
        self._refusal = refusal
        self.close()

    def _end(self) -> None:
        if not self.is_lost:
            self.is_lost = True
            self._proven = float("-inf")
            self._lost(self._refusal)


def telling(prefix: bytes) -> tuple[bytes, ...]:
    """The command that has Redis tell a connection of changes."""
    return b"CLIENT", b"TRACKING", b"ON", b"BCAST", b"PREFIX", prefix


def _hello(target: Connection, prefix: bytes) -> bytes:
    """What begins a connection; the protocol in which Redis can speak unasked is the third."""
    secret = [b"AUTH", (target.username or "default").encode(), target.password.encode()] if target.password else []
    return _packed(b"HELLO", b"3", *secret) + _packed(*telling(prefix))


def _packed(*words: bytes) -> bytes:
    return bytes(hiredis.pack_command(words))  # type: ignore[arg-type]  # its stub wants exactly one word


_PING = _packed(b"PING")
