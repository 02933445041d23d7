"""Waiting for only so long."""

import asyncio
from typing import Any

_late: set[asyncio.Future[Any]] = set()
"""An event loop keeps no task alive by itself."""


async def is_done_within(seconds: float, task: asyncio.Future[Any]) -> bool:
    """Whether the task is done in time.

    A late one is left to end by itself, for cancelling inside a database driver can strand a connection; its outcome
    is looked at by nobody.
    """
    done, _ = await asyncio.wait({task}, timeout=seconds)
    if not done:
        _late.add(task)
        task.add_done_callback(_let_go)
    return bool(done)


def _let_go(task: asyncio.Future[Any]) -> None:
    _late.discard(task)
    if not task.cancelled():
        task.exception()
