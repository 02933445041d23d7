"""Word from Postgres that the outbox has grown."""

import asyncio
import logging

import asyncpg

from adapters.sql.engine import postgres_dsn
from application.ports import Signal

log = logging.getLogger(__name__)
CHANNEL = "bottomline_outbox"
_RECONNECT = 2.0


async def listen(url: str, signal: Signal) -> None:
    """Set the signal at each commit that adds events, until cancelled; a lost connection is made anew.

    A courtesy: without it the relay finds the same events within its poll. Not behind PgBouncer in transaction mode.
    """
    dsn = postgres_dsn(url)
    while True:
        try:
            await _listen_over(await asyncpg.connect(dsn, timeout=5, command_timeout=5), signal)
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as fault:
            log.warning("listening for new events was interrupted, the relay polls meanwhile: %r", fault)
        await asyncio.sleep(_RECONNECT)


async def _listen_over(connection: asyncpg.Connection, signal: Signal) -> None:
    """Listen, and ask now and then whether the server is still there."""
    try:
        await connection.add_listener(CHANNEL, lambda *_: signal.set())
        signal.set()
        while True:
            await asyncio.sleep(10)
            await connection.execute("SELECT 1")
    finally:
        connection.terminate()
