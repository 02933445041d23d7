"""Fixtures: each database in turn, empty."""

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.integration.contracts.record import Record


@pytest.fixture
async def record(engine: AsyncEngine) -> Record:
    return Record(engine)
