"""Fixtures: Bottomline, running in processes of its own."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest
from redis import Redis

from adapters.sql.engine import open_engine
from tests.integration.conftest import empty
from tests.integration.journeys.worlds import World, embedded, on_servers
from tests.integration.servers import Servers
from tests.integration.smtp_sink import SmtpSink


@pytest.fixture
async def empty_postgres(postgres_url: str) -> str:
    """The URL of a migrated database with nothing in it."""
    engine = open_engine(postgres_url)
    await empty(engine)
    await engine.dispose()
    return postgres_url


@pytest.fixture
def embedded_world(tmp_path: Path) -> AbstractAsyncContextManager[World]:
    return embedded(tmp_path)


@pytest.fixture
def redis_url(servers: Servers) -> str:
    """The Redis that the service uses, emptied as its database is; a test that kills it brings its own."""
    with Redis.from_url(servers.redis) as admin:
        admin.flushall()
    return servers.redis


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


@pytest.fixture
async def world(a_world: AbstractAsyncContextManager[World]) -> AsyncIterator[World]:
    async with a_world as running_world:
        yield running_world
