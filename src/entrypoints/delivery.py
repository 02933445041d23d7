"""The loops that carry events and mails out of the record."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import timedelta

from application.ports import Signal, Unavailable
from entrypoints.container import Container
from entrypoints.settings import Settings

log = logging.getLogger(__name__)
POLL = timedelta(seconds=1)
GRACE = 10.0
"""Seconds that a batch has to finish when the process is asked to stop."""


@asynccontextmanager
async def delivering(container: Container, settings: Settings) -> AsyncIterator[None]:
    """Relay events and send mails for as long as the block runs. Batches under way are finished at its end."""
    stopping = asyncio.Event()
    signals = container.outbox_signal(), container.mails_signal()
    loops = [
        asyncio.create_task(_repeat(container.relay_outbox(), container.outbox_signal(), stopping)),
        asyncio.create_task(_repeat(container.deliver_mails(), container.mails_signal(), stopping)),
    ]
    listeners = [asyncio.create_task(listener) for listener in _listeners(container, settings)]
    try:
        yield
    finally:
        stopping.set()
        for signal in signals:
            signal.set()
        await _finish(loops, GRACE)
        await _finish(listeners, 0)


def _listeners(container: Container, settings: Settings) -> list[Coroutine[None, None, None]]:
    listeners = []
    if not settings.is_embedded:
        from adapters.sql.outbox_listener import listen

        listeners.append(listen(settings.database_url, container.outbox_signal()))
    if settings.rabbitmq_url:
        from adapters.rabbitmq.consumer import consume

        listeners.append(consume(settings.rabbitmq_url, container.consumers()))
    return listeners


async def _repeat(step: Callable[[], Awaitable[int]], signal: Signal, stopping: asyncio.Event) -> None:
    """Take one step after the other while there is work; else wait for word of some, or look again by and by."""
    while not stopping.is_set():
        try:
            busy = await step()
        except Unavailable as fault:
            log.warning("delivery waits: %s", fault)
            busy = 0
        except Exception:
            log.exception("delivery failed and will try again")
            busy = 0
        if not busy and not stopping.is_set():
            await signal.wait(POLL)


async def _finish(tasks: list[asyncio.Task[None]], grace: float) -> None:
    if not tasks:
        return
    _, late = await asyncio.wait(tasks, timeout=grace)
    for task in late:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
