"""Connections to Postgres and SQLite."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, event, make_url
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, NotSupportedError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from application.ports import Unavailable

READS = "bottomline_reads"
_POSTGRES = {
    "pool_size": 10,
    "max_overflow": 0,  # one over the size is closed again after each use, and opening takes longer than a statement
    "pool_timeout": 1,
    "pool_recycle": 1800,
    "pool_use_lifo": True,
}
_SERVER_SETTINGS = {
    "application_name": "bottomline",
    "statement_timeout": "900",
    "lock_timeout": "500",
    "idle_in_transaction_session_timeout": "5000",
    "timezone": "UTC",
}

_OURS = (DataError, IntegrityError, NotSupportedError, ProgrammingError)
"""Errors that tell of a fault in our statements, not in the server."""


@contextmanager
def unavailable_on_faults() -> Iterator[None]:
    """Raise Unavailable for what a database that is down, hung, locked or full raises."""
    try:
        yield
    except _OURS:
        raise
    except (DBAPIError, PoolTimeoutError, OSError) as fault:
        raise Unavailable("the database did not answer in time, or refused") from fault
    except Exception as fault:
        # SQLAlchemy translates nothing while it sets up a connection, which may be refused or lost again at once.
        if not type(fault).__module__.startswith("asyncpg."):
            raise
        raise Unavailable("the database did not accept or keep a new connection") from fault


def open_engine(url: str, *, is_patient: bool = False) -> AsyncEngine:
    """An engine on a server (`postgresql://…`) or a file (`sqlite:///…`).

    It gives up on a slow server after a second, unless `is_patient`, for changes of the schema. What statements carry
    stays out of error messages.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed.set(drivername="sqlite+aiosqlite").render_as_string(hide_password=False))
    return create_async_engine(
        parsed.set(drivername="postgresql+asyncpg", query={}),
        hide_parameters=True,
        connect_args={
            "dsn": postgres_dsn(parsed),
            "timeout": 1,
            "command_timeout": None if is_patient else 1,
            "server_settings": {"application_name": "bottomline"} if is_patient else _SERVER_SETTINGS,
        },
        **_POSTGRES,
    )


def postgres_dsn(url: str | URL) -> str:
    """The address as libpq writes it, which the driver reads itself: with `sslmode=verify-full` and the like."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def reading(engine: AsyncEngine) -> AsyncEngine:
    """The same connections, each statement on its own: no transaction around a single read."""
    return engine.execution_options(isolation_level="AUTOCOMMIT", **{READS: True})


def _sqlite(url: str) -> AsyncEngine:
    if file := make_url(url).database:
        Path(file).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = create_async_engine(
        url, hide_parameters=True, connect_args={"timeout": 2.5}, pool_size=4, max_overflow=4, pool_timeout=2.5
    )
    event.listen(engine.sync_engine, "connect", _prepare_sqlite)
    event.listen(engine.sync_engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _: object) -> None:
    """Write-ahead log synced at each commit (an answered sign-up outlives a power cut), and real foreign keys."""
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA {pragma}")
        cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    """Take the write lock at once: a transaction that reads first and writes later would lose updates."""
    if not connection.get_execution_options().get(READS):
        connection.exec_driver_sql("BEGIN IMMEDIATE")
