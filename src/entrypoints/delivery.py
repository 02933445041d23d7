"""The loops beside the requests: they carry events and mails out of the record, and finish what requests left."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from datetime import timedelta

from adapters.memory.signal import MemorySignal
from application.ports import Signal, Unavailable
from entrypoints.container import Container
from entrypoints.settings import Settings

log = logging.getLogger(__name__)
POLL = timedelta(seconds=1)
HOUSEKEEPING = timedelta(hours=1)
WATCH = timedelta(seconds=15)
GRACE = 10.0
"""Seconds that a batch has to finish when the process is asked to stop."""


@asynccontextmanager
async def delivering(container: Container, settings: Settings) -> AsyncIterator[None]:
    """Relay events, send mails and forget what is over for as long as the block runs.

    Batches under way are finished at its end.
    """
    with _metrics(settings):
        listeners = [asyncio.create_task(listener) for listener in _listeners(container, settings)]
        relaying = _repeating(container.relay_outbox(), container.outbox_signal())
        try:
            async with (
                relaying,
                _repeating(container.deliver_mails(), container.mails_signal()),
                _repeating(container.keep_house(), MemorySignal(), HOUSEKEEPING),
                _repeating(container.watch_outbox(), MemorySignal(), WATCH),
            ):
                yield
        finally:
            await _finish(listeners, 0)


@asynccontextmanager
async def finishing_log_outs(container: Container) -> AsyncIterator[None]:
    """Record the log-outs that could not be recorded when they were asked for."""
    async with _repeating(container.log_out().finish, container.log_outs_signal()):
        yield


@contextmanager
def _metrics(settings: Settings) -> Iterator[None]:
    """Show the gauges, where somebody wants to see them; where the port is not to be had, the work goes on."""
    with ExitStack() as stack:
        if settings.metrics_port:
            from adapters.prometheus.gauges import served

            try:
                stack.enter_context(served(settings.host, settings.metrics_port))
            except OSError as fault:
                log.warning("no metrics are shown on port %d: %s", settings.metrics_port, fault.strerror)
        yield


@asynccontextmanager
async def _repeating(
    step: Callable[[], Awaitable[int]], signal: Signal, every: timedelta = POLL
) -> AsyncIterator[None]:
    """Repeat a step for as long as the block runs; the one under way is finished at its end."""
    stopping = asyncio.Event()
    loop = asyncio.create_task(_repeat(step, signal, every, stopping))
    try:
        yield
    finally:
        stopping.set()
        signal.set()
        await _finish([loop], GRACE)


def _listeners(container: Container, settings: Settings) -> list[Coroutine[None, None, None]]:
    listeners = []
    if not settings.is_embedded:
        from adapters.sql.outbox_listener import listen

        listeners.append(listen(settings.database_url, container.outbox_signal()))
    if settings.rabbitmq_url:
        from adapters.rabbitmq.consumer import consume

        listeners.append(consume(settings.rabbitmq_url, container.consumers()))
    return listeners


async def _repeat(
    step: Callable[[], Awaitable[int]], signal: Signal, every: timedelta, stopping: asyncio.Event
) -> None:
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
            await signal.wait(every)


async def _finish(tasks: list[asyncio.Task[None]], grace: float) -> None:
    if not tasks:
        return
    _, late = await asyncio.wait(tasks, timeout=grace)
    for task in late:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
