"""Word from Postgres that the outbox has grown."""

import asyncio
import contextlib
import logging

import asyncpg
from sqlalchemy import make_url

from application.ports import Signal

log = logging.getLogger(__name__)
CHANNEL = "bottomline_outbox"
_RECONNECT = 2.0


async def listen(url: str, signal: Signal) -> None:
    """Set the signal at each commit that adds events, until cancelled; a lost connection is made anew.

    A courtesy: without it the relay finds the same events within its poll. Not behind PgBouncer in transaction mode.
    """
    dsn = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    while True:
        with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
            connection = await asyncpg.connect(dsn, timeout=5, command_timeout=5)
            try:
                await _listen_on(connection, signal)
            finally:
                connection.terminate()
        log.warning("listening for new events was interrupted; the relay polls meanwhile")
        await asyncio.sleep(_RECONNECT)


async def _listen_on(connection: asyncpg.Connection, signal: Signal) -> None:
    """Listen, and ask now and then whether the server is still there."""
    await connection.add_listener(CHANNEL, lambda *_: signal.set())
    signal.set()
    while True:
        await asyncio.sleep(10)
        await connection.execute("SELECT 1")
