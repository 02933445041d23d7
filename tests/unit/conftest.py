"""Fixtures: an embedded Bottomline without its web server."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from adapters.memory.usernames import MemoryUsernames
from adapters.sql.engine import open_engine
from adapters.sql.migrate import migrate
from entrypoints.container import Container, opened
from entrypoints.settings import Settings, read_settings
from tests.hand_clock import HandClock


@pytest.fixture(scope="session")
async def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database to copy: migrating takes longer than most tests."""
    file = tmp_path_factory.mktemp("template") / "bottomline.db"
    engine = open_engine(f"sqlite:///{file}")
    await migrate(engine)
    await engine.dispose()
    return file


@pytest.fixture
def settings(tmp_path: Path, empty_database: Path) -> Settings:
    """Embedded, with hashing as cheap as it gets, and as many tries as a test may need."""
    shutil.copy(empty_database, tmp_path / "bottomline.db")
    return read_settings(
        {
            "BOTTOMLINE_DATA_DIR": str(tmp_path),
            "BOTTOMLINE_ARGON2_TIME": "1",
            "BOTTOMLINE_ARGON2_MEMORY_KIB": "8",
            "BOTTOMLINE_RATE_LIMITS": "off",
        }
    )


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def said() -> list[str]:
    """The lines that were announced on the console."""
    return []


@pytest.fixture
async def container(settings: Settings, clock: HandClock, said: list[str]) -> AsyncIterator[Container]:
    usernames = MemoryUsernames(timer=lambda: clock.now().timestamp())
    swap = {"clock": clock, "usernames": usernames}
    async with opened(settings, announce=said.append, swap=swap) as opened_container:
        yield opened_container
