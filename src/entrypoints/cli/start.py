"""What every command begins with."""

import asyncio
import os
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

import click

from application.ports import Unavailable
from domain.errors import InvalidFields, Refusal
from entrypoints.settings import BadSettings, Settings, read_settings

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
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            return runner.run(work)
    except InvalidFields as refusal:
        raise click.ClickException(" ".join(f"{field.field}: {field.message}" for field in refusal.fields)) from refusal
    except Refusal as refusal:
        raise click.ClickException(refusal.message) from refusal
    except Unavailable as fault:
        raise click.ClickException(f"{fault} ({fault.__cause__}). See: bottomline doctor") from fault


def _loop_factory() -> Any:
    try:
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop
