"""Fixtures: real servers, and what Bottomline needs on them."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, ExitStack
from pathlib import Path

import pytest
from _pytest.capture import CaptureManager
from redis import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.engine import open_engine
from adapters.sql.migrate import migrate
from adapters.sql.tables import metadata
from tests.integration.databases import migrated_database
from tests.integration.journeys.worlds import World, embedded, on_servers
from tests.integration.rabbit import forget_topology
from tests.integration.servers import Servers, ServersMissing, running
from tests.integration.servers.local_postgres import LocalPostgres
from tests.integration.servers.local_rabbitmq import LocalRabbitMQ
from tests.integration.servers.local_redis import LocalRedis
from tests.integration.servers.programs import require
from tests.integration.servers.source import note_source
from tests.integration.smtp_sink import SmtpSink


@pytest.fixture(scope="session")
def servers(request: pytest.FixtureRequest) -> Iterator[Servers]:
    """Postgres, Redis and RabbitMQ, from wherever this machine can have them."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    assert isinstance(capture, CaptureManager)
    with ExitStack() as stack:
        try:
            with capture.global_and_fixture_disabled():
                found = stack.enter_context(running())
        except ServersMissing as missing:
            pytest.fail(str(missing), pytrace=False)
        note_source(request.config, found.source)
        yield found


@pytest.fixture(scope="session")
async def postgres_url(servers: Servers) -> AsyncIterator[str]:
    """A migrated database of this run's own."""
    async with migrated_database(servers.postgres) as url:
        yield url


@pytest.fixture(scope="session")
async def sqlite_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A migrated file."""
    url = f"sqlite:///{tmp_path_factory.mktemp('sqlite') / 'bottomline.db'}"
    engine = open_engine(url, is_patient=True)
    await migrate(engine)
    await engine.dispose()
    return url


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Each database in turn."""
    return str(request.getfixturevalue(f"{request.param}_url"))


@pytest.fixture
async def engine(database_url: str) -> AsyncIterator[AsyncEngine]:
    """An engine on an empty schema."""
    opened = open_engine(database_url)
    await empty(opened)
    yield opened
    await opened.dispose()


async def empty(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            await connection.execute(table.delete())


@pytest.fixture
async def empty_postgres(postgres_url: str) -> str:
    """The URL of a migrated database with nothing in it."""
    return await emptied(postgres_url)


@pytest.fixture
def redis_url(servers: Servers) -> str:
    """The Redis that the service uses, emptied as its database is; a test that kills it brings its own."""
    with Redis.from_url(servers.redis) as admin:
        admin.flushall()
    return servers.redis


@pytest.fixture
def own_redis() -> Iterator[LocalRedis]:
    """A Redis of this test's own, to be killed; a local process, so where there can be none, it is said."""
    _require("redis")
    with LocalRedis() as own:
        yield own


@pytest.fixture(scope="module")
def own_postgres() -> Iterator[LocalPostgres]:
    """A Postgres to be killed, as above; whoever does it starts it again."""
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


async def emptied(url: str) -> str:
    """The URL of a database, with its tables and nothing in them."""
    engine = open_engine(url, is_patient=True)
    await migrate(engine)
    await empty(engine)
    await engine.dispose()
    return url


@pytest.fixture
async def rabbitmq_url(servers: Servers) -> AsyncIterator[str]:
    """A broker without our exchanges and queues, before and after."""
    await forget_topology(servers.rabbitmq)
    yield servers.rabbitmq
    await forget_topology(servers.rabbitmq)


@pytest.fixture
def smtp_sink() -> Iterator[SmtpSink]:
    """A real SMTP server that keeps what it takes."""
    with SmtpSink() as sink:
        yield sink


@pytest.fixture
def embedded_world(tmp_path: Path) -> AbstractAsyncContextManager[World]:
    return embedded(tmp_path)


@pytest.fixture
def servers_world(
    tmp_path: Path, empty_postgres: str, redis_url: str, rabbitmq_url: str, smtp_sink: SmtpSink
) -> AbstractAsyncContextManager[World]:
    return on_servers(tmp_path, empty_postgres, redis_url, rabbitmq_url, smtp_sink)


@pytest.fixture(params=["embedded", "servers"])
def a_world(request: pytest.FixtureRequest) -> AbstractAsyncContextManager[World]:
    """Each way to run Bottomline in turn."""
    chosen: AbstractAsyncContextManager[World] = request.getfixturevalue(f"{request.param}_world")
    return chosen


async def eventually(what: Callable[[], bool], within: float = 10.0) -> None:
    """Wait until it is so."""
    deadline = asyncio.get_running_loop().time() + within
    while not what():
        assert asyncio.get_running_loop().time() < deadline, f"not within {within} s: {what}"
        await asyncio.sleep(0.02)
