"""Fixtures: the service behind proxies, and servers of a test's own to kill."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from redis import Redis

from adapters.sql.engine import open_engine
from adapters.sql.migrate import migrate
from tests.integration.conftest import empty
from tests.integration.faults.stage import Stage
from tests.integration.journeys.worlds import World
from tests.integration.servers import Servers, ServersMissing
from tests.integration.servers.local_postgres import LocalPostgres
from tests.integration.servers.local_rabbitmq import LocalRabbitMQ
from tests.integration.servers.programs import require
from tests.integration.smtp_sink import SmtpSink


@pytest.fixture
async def database(postgres_url: str) -> str:
    """The URL of a migrated database with nothing in it."""
    engine = open_engine(postgres_url)
    await empty(engine)
    await engine.dispose()
    return postgres_url


@pytest.fixture
def redis_url(servers: Servers) -> str:
    with Redis.from_url(servers.redis) as admin:
        admin.flushall()
    return servers.redis


@pytest.fixture
async def stage(
    tmp_path: Path, database: str, redis_url: str, rabbitmq_url: str, smtp_sink: SmtpSink
) -> AsyncIterator[Stage]:
    """The proxies; nothing runs behind them yet."""
    async with Stage(tmp_path, database, redis_url, rabbitmq_url, smtp_sink) as stage:
        yield stage


@pytest.fixture
async def world(stage: Stage) -> AsyncIterator[World]:
    async with stage.running() as world:
        yield world


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[LocalPostgres]:
    """A Postgres to be killed; a local process, so where there can be none, it is said."""
    _require("postgres")
    with LocalPostgres() as own:
        yield own


@pytest.fixture(scope="module")
def own_rabbitmq() -> Iterator[LocalRabbitMQ]:
    """A RabbitMQ to be killed, as above."""
    _require("rabbitmq")
    with LocalRabbitMQ() as own:
        yield own


def _require(name: str) -> None:
    try:
        require([name])
    except ServersMissing as missing:
        pytest.skip(str(missing))


async def migrated(url: str) -> str:
    """A database with its tables, empty."""
    engine = open_engine(url, is_patient=True)
    await migrate(engine)
    await empty(engine)
    await engine.dispose()
    return url
