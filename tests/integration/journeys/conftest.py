"""Fixtures: Bottomline, running in processes of its own."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import pytest

from tests.integration.journeys.worlds import World


@pytest.fixture
async def world(a_world: AbstractAsyncContextManager[World]) -> AsyncIterator[World]:
    async with a_world as running_world:
        yield running_world
