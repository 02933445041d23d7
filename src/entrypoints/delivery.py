"""The loops beside the requests: they carry events and mails out of the record, and finish what requests left."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from adapters.memory.signal import MemorySignal
from application.ports import Signal, Unavailable
from entrypoints.container import Container
from entrypoints.settings import Settings

log = logging.getLogger(__name__)
POLL = timedelta(seconds=1)
HOUSEKEEPING = timedelta(hours=1)
SETTLED = timedelta(seconds=10)
"""What can wait begins so long after the start: whoever started the process waits for its first answer."""
WATCH = timedelta(seconds=15)
GRACE = 25.0
"""Seconds that what is under way has to finish when the process is asked to stop: more than a mail takes at most."""


@dataclass(frozen=True, slots=True)
class _Work:
    """A step that is taken again and again: when `signal` says that there is something to do, and `every` so often.

    The first is taken `after` the start.
    """

    step: Callable[[], Awaitable[int]]
    signal: Signal = field(default_factory=MemorySignal)
    every: timedelta = POLL
    after: timedelta = timedelta(0)


@asynccontextmanager
async def delivering(container: Container, settings: Settings) -> AsyncIterator[None]:
    """Relay events, send mails and forget what is over for as long as the block runs.

    What is under way at its end is finished, all at once.
    """
    works = [
        _Work(container.relay_outbox(), container.outbox_signal()),
        *([_Work(container.relay_outbox())] if settings.rabbitmq_url else []),  # so that a backlog waits for no server
        _Work(container.deliver_mails(), container.mails_signal()),
        _Work(container.deliver_mails()),  # so that a mail that takes long holds up no other
        _Work(container.keep_house(), every=HOUSEKEEPING, after=SETTLED),
        _Work(container.watch_outbox(), every=WATCH),
    ]
    with _metrics(settings):
        async with _repeating(*works), _listening(*_listeners(container, settings)):
            yield


@asynccontextmanager
async def finishing_log_outs(container: Container) -> AsyncIterator[None]:
    """Record the log-outs that could not be recorded when they were asked for."""
    async with _repeating(_Work(container.log_out().finish, container.log_outs_signal())):
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
async def _repeating(*works: _Work) -> AsyncIterator[None]:
    """Do all of this work for as long as the block runs; the steps under way are finished at its end."""
    stopping = asyncio.Event()
    loops = [asyncio.create_task(_repeat(work, stopping)) for work in works]
    try:
        yield
    finally:
        stopping.set()
        for work in works:
            work.signal.set()
        await _finish(loops, GRACE)


@asynccontextmanager
async def _listening(*listeners: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """Listen for as long as the block runs."""
    tasks = [asyncio.create_task(_keep_up(listen)) for listen in listeners]
    try:
        yield
    finally:
        await _finish(tasks, 0)


async def _keep_up(listen: Callable[[], Awaitable[None]]) -> None:
    """Listen until cancelled, and begin again whatever happens.

    aiormq has those who wait for a connection that is lost cancelled, though nobody has asked them to stop.
    """
    while True:
        try:
            await listen()
        except asyncio.CancelledError:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise
            log.warning("listening was interrupted and begins again")
        except Exception:
            log.exception("listening failed and begins again")
        await asyncio.sleep(POLL.total_seconds())


def _listeners(container: Container, settings: Settings) -> list[Callable[[], Awaitable[None]]]:
    listeners: list[Callable[[], Awaitable[None]]] = []
    if not settings.is_embedded:
        from adapters.sql.outbox_listener import listen

        listeners.append(partial(listen, settings.database_url, container.outbox_signal()))
    if settings.rabbitmq_url:
        from adapters.rabbitmq.consumer import consume

        listeners += [partial(consume, settings.rabbitmq_url, *named) for named in container.consumers().items()]
    return listeners


async def _repeat(work: _Work, stopping: asyncio.Event) -> None:
    """Take one step after the other while there is work; else wait for word of some, or look again by and by."""
    if work.after:
        await work.signal.wait(work.after)
    while not stopping.is_set():
        try:
            busy = await work.step()
        except Unavailable as fault:
            log.warning("delivery waits: %s", fault)
            busy = 0
        except Exception:
            log.exception("delivery failed and will try again")
            busy = 0
        if not busy and not stopping.is_set():
            await work.signal.wait(work.every)


async def _finish(tasks: list[asyncio.Task[None]], grace: float) -> None:
    if not tasks:
        return
    _, late = await asyncio.wait(tasks, timeout=grace)
    for task in late:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
