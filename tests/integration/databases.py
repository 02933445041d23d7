"""Databases on a Postgres server, for as long as they are needed."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy import make_url

from adapters.sql.engine import open_engine
from adapters.sql.migrate import migrate


@asynccontextmanager
async def empty_database(server: str) -> AsyncIterator[str]:
    """The URL of an empty database, which is dropped at the end, whoever is still connected."""
    name = f"bottomline_{secrets.token_hex(4)}"
    admin = await asyncpg.connect(server)
    await admin.execute(f"CREATE DATABASE {name}")
    try:
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
    finally:
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await admin.close()


@asynccontextmanager
async def migrated_database(server: str) -> AsyncIterator[str]:
    """The same, with the tables."""
    async with empty_database(server) as url:
        engine = open_engine(url, is_patient=True)
        await migrate(engine)
        await engine.dispose()
        yield url
