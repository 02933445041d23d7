"""The schema, on SQLite and on Postgres."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from importlib.resources import files
from pathlib import Path

import asyncpg
import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.memory.signal import MemorySignal
from adapters.sql.engine import open_engine
from adapters.sql.migrate import LOCK, migrate, revision
from adapters.sql.migrations import HEAD
from adapters.sql.outbox_listener import listen
from adapters.sql.tables import metadata
from adapters.sql.unit_of_work import SqlBegin, Wakers
from adapters.system.randomness import Uuid7Ids
from application.ports import Unavailable
from domain.events import UserConfirmed
from tests.hand_clock import HandClock
from tests.integration.conftest import eventually
from tests.integration.databases import empty_database
from tests.integration.servers import Servers


@pytest.fixture(params=["sqlite", "postgres"])
async def bare_url(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """A database without a schema."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'new' / 'bottomline.db'}"
        return
    servers: Servers = request.getfixturevalue("servers")
    async with empty_database(servers.postgres) as url:
        yield url


async def test_processes_that_start_at_once_migrate_once(bare_url: str) -> None:
    engines = [open_engine(bare_url, is_patient=True) for _ in range(5)]
    try:
        assert await revision(engines[0]) is None
        assert sum(await asyncio.gather(*map(migrate, engines))) >= 1
        assert {await revision(engine) for engine in engines} == {HEAD}
        assert not await migrate(engines[0])
    finally:
        for engine in engines:
            await engine.dispose()


async def test_a_record_of_an_older_release_is_brought_up_to_date_and_keeps_its_rows(bare_url: str) -> None:
    def to_the_first(connection: Connection) -> None:
        config = migrations()
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")

    engine = open_engine(bare_url, is_patient=True)
    async with engine.begin() as connection:
        await connection.run_sync(to_the_first)
        await connection.execute(text("INSERT INTO username_holds VALUES ('ann', '2026-01-01')"))
    assert await revision(engine) == "0001"
    assert await migrate(engine)
    assert await revision(engine) == HEAD
    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT username_key FROM username_holds")) == "ann"
    await engine.dispose()


async def test_the_migrations_lead_to_the_tables(engine: AsyncEngine) -> None:
    async with engine.connect() as connection:
        differences = await connection.run_sync(
            lambda sync: compare_metadata(MigrationContext.configure(sync), metadata)
        )
    assert differences == []


def test_the_named_head_is_the_newest_revision() -> None:
    assert ScriptDirectory.from_config(migrations()).get_current_head() == HEAD


def migrations() -> Config:
    config = Config()
    config.set_main_option("script_location", str(files("adapters.sql.migrations")))
    config.set_main_option("path_separator", "os")
    return config


async def test_a_sqlite_commit_is_on_disk_and_foreign_keys_hold(sqlite_url: str) -> None:
    engine = open_engine(sqlite_url)
    async with engine.connect() as connection:
        found = {
            name: await connection.scalar(text(f"PRAGMA {name}"))
            for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    await engine.dispose()
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


async def test_sqlite_loses_no_update(sqlite_url: str) -> None:
    """Transactions that read first and write later would, if they did not take the lock at once."""
    engine = open_engine(sqlite_url)
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE IF NOT EXISTS counter (n INTEGER)"))
        await connection.execute(text("DELETE FROM counter"))
        await connection.execute(text("INSERT INTO counter VALUES (0)"))

    async def increment() -> None:
        async with engine.begin() as connection:
            n = await connection.scalar(text("SELECT n FROM counter"))
            await connection.execute(text("UPDATE counter SET n = :n"), {"n": n + 1})

    for _ in range(20):
        await asyncio.gather(*(increment() for _ in range(20)))
    async with engine.begin() as connection:
        assert await connection.scalar(text("SELECT n FROM counter")) == 400
        await connection.execute(text("DROP TABLE counter"))
    await engine.dispose()


async def test_postgres_tells_a_listener_of_each_commit_that_adds_events(postgres_url: str) -> None:
    engine = open_engine(postgres_url)
    heard, nobody = MemorySignal(), MemorySignal()
    async with listening(postgres_url, heard):
        await heard.wait(timedelta(seconds=10))
        begin = SqlBegin(engine, Uuid7Ids(), Wakers(nobody, nobody))
        async with begin() as work:
            await work.outbox.add(UserConfirmed(Uuid7Ids().new()), at=HandClock().now())
            await asyncio.sleep(0.1)
            assert not heard._event.is_set(), "before the commit there is nothing to fetch"
        async with asyncio.timeout(5):
            await heard.wait(timedelta(seconds=10))
    await engine.dispose()


@asynccontextmanager
async def listening(url: str, signal: MemorySignal) -> AsyncIterator[None]:
    task = asyncio.create_task(listen(url, signal))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("mode", ["disable", "prefer", "require"])
async def test_postgres_is_spoken_to_encrypted_as_its_address_says(
    postgres_url: str, mode: str, caplog: pytest.LogCaptureFixture
) -> None:
    url, heard = f"{postgres_url}?sslmode={mode}", MemorySignal()
    engine = open_engine(url)
    plain = await asyncpg.connect(postgres_url, ssl=False)
    async with listening(url, heard):
        if mode == "require" and await plain.fetchval("SHOW ssl") == "off":
            with pytest.raises(Unavailable):
                await revision(engine)
            await eventually(lambda: "rejected SSL" in caplog.text)
        else:
            assert await revision(engine) == HEAD
            async with asyncio.timeout(5):
                await heard.wait(timedelta(seconds=10))
    await plain.close()
    await engine.dispose()


async def test_a_migration_waits_for_another_as_long_as_that_takes(servers: Servers) -> None:
    async with empty_database(servers.postgres) as url:
        other = await asyncpg.connect(url)
        await other.execute(f"SELECT pg_advisory_lock({LOCK})")
        engine = open_engine(url, is_patient=True)
        waiting = asyncio.create_task(migrate(engine))
        await asyncio.sleep(2)
        assert not waiting.done()
        await other.close()
        assert await waiting
        await engine.dispose()
