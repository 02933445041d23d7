"""Fixtures: Bottomline, running in processes of its own."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from tests.integration.journeys.worlds import World, embedded, on_servers
from tests.integration.smtp_sink import SmtpSink


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


@pytest.fixture
async def world(a_world: AbstractAsyncContextManager[World]) -> AsyncIterator[World]:
    async with a_world as running_world:
        yield running_world
