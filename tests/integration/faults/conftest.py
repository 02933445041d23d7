"""Fixtures: the service behind proxies."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.integration.faults.stage import Stage
from tests.integration.journeys.worlds import World
from tests.integration.smtp_sink import SmtpSink


@pytest.fixture
async def stage(
    tmp_path: Path, empty_postgres: str, redis_url: str, rabbitmq_url: str, smtp_sink: SmtpSink
) -> AsyncIterator[Stage]:
    """The proxies; nothing runs behind them yet."""
    async with Stage(tmp_path, empty_postgres, redis_url, rabbitmq_url, smtp_sink) as stage:
        yield stage


@pytest.fixture
async def world(stage: Stage) -> AsyncIterator[World]:
    async with stage.running() as world:
        yield world
