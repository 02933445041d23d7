"""What every command begins with."""

import asyncio
import gc
import os
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

import click

from application.ports import Unavailable
from domain.errors import InvalidFields, Refusal
from entrypoints.faults import cause_of
from entrypoints.settings import BadSettings, Settings, read_settings

if TYPE_CHECKING:
    from entrypoints.container import Container

T = TypeVar("T")


def settings() -> Settings:
    """The settings of this process; a line for each bad one, and exit status 2."""
    try:
        return read_settings(os.environ)
    except BadSettings as error:
        for problem in error.problems:
            click.echo(problem, err=True)
        sys.exit(2)


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a command's work to its end; refusals and absent servers are one line and exit status 1."""
    gc.freeze()
    gc.enable()
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            return runner.run(work)
    except InvalidFields as refusal:
        raise click.ClickException(" ".join(f"{field.field}: {field.message}" for field in refusal.fields)) from refusal
    except Refusal as refusal:
        raise click.ClickException(refusal.message) from refusal
    except Unavailable as fault:
        raise click.ClickException(f"{fault} ({cause_of(fault)}). See: bottomline doctor") from fault


async def require_schema(settings: Settings) -> None:
    """Stop where the schema is known to be too old; a database that is down may come up later."""
    if settings.is_embedded:
        return
    from adapters.sql.engine import open_engine
    from adapters.sql.migrate import revision
    from adapters.sql.migrations import HEAD

    engine = open_engine(settings.database_url)
    try:
        found = await revision(engine)
    except Unavailable:
        return
    finally:
        await engine.dispose()
    if found is None or found < HEAD:
        raise click.ClickException(
            f"The schema is at {found or 'nothing'} and must be at {HEAD}. Run: bottomline migrate"
        )


def with_container(work: Callable[["Container"], Awaitable[T]]) -> T:
    """Do a command's work with what the service is made of."""
    found = settings()
    from adapters.sql.migrate import migrate
    from entrypoints.container import opened

    async def inside() -> T:
        await require_schema(found)
        async with opened(found, announce=click.echo) as container:
            if found.is_embedded:
                await migrate(container.engine())
            return await work(container)

    return run(inside())


def _loop_factory() -> Any:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
