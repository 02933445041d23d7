"""Real questions to each kind of server: it answers only when it can serve."""

import asyncio
import socket
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

import aio_pika
import asyncpg
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from adapters.rabbitmq.connections import connected

PATIENCE_SECONDS = 2.0
NOT_YET = (
    OSError,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    RedisError,
    aio_pika.exceptions.AMQPError,
    HTTPException,
)


async def _select_one(url: str) -> None:
    connection = await asyncpg.connect(url, timeout=PATIENCE_SECONDS, command_timeout=PATIENCE_SECONDS)
    try:
        await connection.fetchval("SELECT 1")
    finally:
        connection.terminate()


async def _open_channel(url: str) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS), connected(url) as connection:
        await connection.channel()


def _in_a_loop_of_its_own(ask: Callable[[str], Coroutine[None, None, None]], url: str) -> None:
    """Ask in a thread, because the caller may be a test that runs in a loop."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(lambda: asyncio.run(ask(url))).result()


def ask_postgres(url: str) -> None:
    _in_a_loop_of_its_own(_select_one, url)


def ask_redis(url: str) -> None:
    patience = {"socket_timeout": PATIENCE_SECONDS, "socket_connect_timeout": PATIENCE_SECONDS}
    with Redis.from_url(url, retry=Retry(NoBackoff(), 0), **patience) as client:
        client.ping()


def ask_rabbitmq(url: str) -> None:
    _in_a_loop_of_its_own(_open_channel, url)


def ask_nginx(url: str) -> None:
    """Any answer will do: what stands behind it may come later."""
    connection = HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE_SECONDS)
    try:
        connection.request("GET", "/")
        connection.getresponse()
    finally:
        connection.close()


QUESTIONS = {"postgres": ask_postgres, "redis": ask_redis, "rabbitmq": ask_rabbitmq, "nginx": ask_nginx}
PORTS = {"postgres": 5432, "redis": 6379, "rabbitmq": 5672}


def wait_until_answers(name: str, url: str, *, seconds: float, check: Callable[[], None] = lambda: None) -> None:
    """Return as soon as the server answers; raise `TimeoutError` after so many seconds, or what `check` raises.

    A refused port costs next to nothing, so a server that is still starting is not slowed down.
    """
    address = (urlsplit(url).hostname, urlsplit(url).port or PORTS[name])
    deadline = time.monotonic() + seconds
    while True:
        check()
        try:
            socket.create_connection(address, PATIENCE_SECONDS).close()
            return QUESTIONS[name](url)
        except NOT_YET as error:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{name} did not answer in {seconds:.0f} s: {error!r}") from error
        time.sleep(0.02)
