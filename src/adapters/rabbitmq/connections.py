"""Connections to RabbitMQ."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aio_pika import Connection
from aio_pika.abc import AbstractConnection
from aio_pika.connection import make_url
from aio_pika.exceptions import AMQPError

log = logging.getLogger(__name__)
PATIENCE = 5.0
"""Seconds that the broker has to answer."""
HEARTBEAT = 5
"""Seconds between heartbeats; a frozen broker is noticed after three missed ones."""
FAREWELL = 1.0
"""Seconds for saying goodbye."""
FAULTS = (AMQPError, OSError, RuntimeError)
"""What a broker that is away raises; RuntimeError is aio-pika's word for using a channel that has just closed."""


async def connect(url: str) -> AbstractConnection:
    """A connection. Raises one of FAULTS after five seconds at the latest.

    One that does not come about is closed here: the library would leave it to a finalizer, which may find no loop.
    """
    connection = Connection(make_url(url, heartbeat=HEARTBEAT), heartbeat=HEARTBEAT)
    try:
        await connection.connect(timeout=PATIENCE)
    except BaseException:
        await connection.close()
        raise
    return connection


async def close(connection: AbstractConnection) -> None:
    """Let go of a connection, whatever has become of it, in about a second."""
    try:
        async with asyncio.timeout(FAREWELL):
            await connection.close()
    except FAULTS as fault:
        log.debug("closing a broken connection: %r", fault)


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[AbstractConnection]:
    """A connection for a block. Raises one of FAULTS."""
    connection = await connect(url)
    try:
        yield connection
    finally:
        await close(connection)
