"""Bring the schema up to date."""

from importlib.resources import as_file, files

from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.sql.engine import reading, unavailable_on_faults
from adapters.sql.migrations import HEAD

LOCK = 0x626F74746F6D  # "bottom": the advisory lock that replicas starting at once queue for


async def migrate(engine: AsyncEngine) -> bool:
    """Upgrade to the newest revision; whether there was anything to do. Several processes may call it at once.

    Everything happens in one transaction: a fault leaves the schema as it was. The engine is to be a patient one,
    for it may have to wait for another process. Raises Unavailable.
    """
    with unavailable_on_faults():
        if await revision(engine) == HEAD:
            return False
        async with engine.begin() as connection:
            await _queue(connection)
            await connection.run_sync(_upgrade)
    return True


async def revision(engine: AsyncEngine) -> str | None:
    """The revision that the schema is at; None where there is no schema. Raises Unavailable."""
    with unavailable_on_faults():
        async with reading(engine).connect() as connection:
            if not await connection.run_sync(lambda sync: inspect(sync).has_table("alembic_version")):
                return None
            found: str | None = await connection.scalar(text("SELECT version_num FROM alembic_version"))
            return found


async def _queue(connection: AsyncConnection) -> None:
    """Wait for other migrating processes; SQLite's transaction has the only write lock already."""
    if connection.dialect.name == "postgresql":
        await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    with as_file(files("adapters.sql.migrations")) as folder:
        config = Config()
        config.set_main_option("script_location", str(folder))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
