"""The connection pool."""

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError

PATIENCE = 0.25
"""Seconds that a connection or an answer may take."""
LOST = (RedisConnectionError, RuntimeError)
"""What a connection that was lost raises; RuntimeError is uvloop's word for one that was reset since it was used."""


def open_redis(url: str, patience: float = PATIENCE) -> Redis:
    """A client that repeats a command once whose connection was lost: a restart costs no request.

    It gives up quickly on a connection that it does not get. For an answer it waits for as long as whoever asked: its
    own timers would cost a sixth of a command, and the breaker has one. Every command must be safe to run twice.
    """
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=64,
        timeout=patience,
        socket_timeout=None,
        socket_connect_timeout=patience,
        protocol=2,  # Redis 5 does not know the greeting of the third, and quotes the password in it
        retry=Retry(NoBackoff(), 1, supported_errors=LOST),  # type: ignore[arg-type]  # it catches whatever it is given
        health_check_interval=0,
    )
    return Redis.from_pool(pool)
