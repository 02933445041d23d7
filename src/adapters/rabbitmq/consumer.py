"""Messages taken from RabbitMQ."""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue
from pamqp.common import FieldValue

from adapters.cloudevents.codec import UnknownEvent, decode, open_envelope
from adapters.rabbitmq.connections import FAREWELL, FAULTS, PATIENCE, connected
from adapters.rabbitmq.messages import FAILURES, PARKED_AT, QUEUE, REASON, copy_of, failures
from adapters.rabbitmq.topology import PARKED, declare_queues, queue_of, waiting_after
from application.delivery.consumer import Consumer
from application.ports import Message, Unavailable
from domain.events import Event

log = logging.getLogger(__name__)
PREFETCH = 16
TRIES = 20
"""How often a message that its consumer fails with is tried before it is parked: for about three hours."""
HOLD = 60.0
"""Seconds that a message is kept in hand while a server that its consumer needs is away."""
GRACE = 5.0
"""Seconds that messages in hand have to be finished when the process is asked to stop."""
SET_UP = 10.0
"""Seconds for declaring everything and beginning to consume; a quorum queue without a leader lets us wait for ever."""
LOOK = 15.0
"""Seconds between two looks at whether the queue is read."""
_PAUSE = 1.0


async def consume(url: str, name: str, consumer: Consumer) -> None:
    """Hand the messages of its queue to a consumer until cancelled; a lost connection is made anew.

    Each consumer has a connection of its own, so that a queue that does not answer holds up no other.

    A message is acknowledged once it is handled, or safe in another queue: one that its consumer fails with waits,
    each time longer, and is parked in the end; one that cannot be read is parked at once, with the reason. While a
    server that the consumer needs is away, messages wait and no failure is counted.
    """
    while True:
        try:
            await _consume(url, name, consumer)
            log.warning("the queue %s was deleted, and is declared anew", queue_of(name))
        except FAULTS as fault:
            log.warning("RabbitMQ, or its queue %s, is away: %r", queue_of(name), fault)
        await asyncio.sleep(_PAUSE)


async def _consume(url: str, name: str, consumer: Consumer) -> None:
    """Until the channel is closed, or nobody reads the queue: it was deleted."""
    async with connected(url) as connection, AsyncExitStack() as stack:
        async with asyncio.timeout(SET_UP):
            channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
            await channel.set_qos(prefetch_count=PREFETCH)
            queue = (await declare_queues(channel, {name: consumer}))[name]
            await stack.enter_async_context(_Taking(consumer, queue, channel).running())
        while await _undisturbed(_is_read(channel, queue)):
            await asyncio.wait([asyncio.ensure_future(channel.closed())], timeout=LOOK)


async def _undisturbed(look: Coroutine[Any, Any, bool]) -> bool:
    """What a look finds; it goes on where whoever waits is cancelled, for a cancelled call closes its channel."""
    looking = asyncio.ensure_future(look)
    looking.add_done_callback(lambda done: done.cancelled() or done.exception())
    return await asyncio.shield(looking)


async def _is_read(channel: AbstractChannel, queue: AbstractQueue) -> bool:
    """Whether a queue has a consumer: the broker may not tell that it was deleted and declared anew."""
    async with asyncio.timeout(PATIENCE):
        found = await channel.declare_queue(queue.name, passive=True)
    return bool(found.declaration_result.consumer_count)


class _Taking:
    """The taking of messages from one queue."""

    def __init__(self, consumer: Consumer, queue: AbstractQueue, channel: AbstractChannel) -> None:
        self._consumer = consumer
        self._queue = queue
        self._channel = channel
        self._in_hand: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Take messages while the block runs; those in hand at its end are finished, or given back in time."""
        tag = await self._queue.consume(self._take)
        try:
            yield
        finally:
            with suppress(*FAULTS):
                await self._queue.cancel(tag, timeout=FAREWELL)
            if self._in_hand:
                _, late = await asyncio.wait(self._in_hand, timeout=GRACE)
                for task in late:
                    task.cancel()

    async def _take(self, incoming: AbstractIncomingMessage) -> None:
        task = asyncio.create_task(self._answer_for(incoming))
        self._in_hand.add(task)
        task.add_done_callback(self._in_hand.discard)

    async def _answer_for(self, incoming: AbstractIncomingMessage) -> None:
        try:
            await self._settle(incoming)
            await incoming.ack()
        except FAULTS as fault:
            log.warning("message %s will come again: %r", incoming.message_id, fault)
            await asyncio.sleep(_PAUSE)
            with suppress(*FAULTS):
                await incoming.nack(requeue=True)

    async def _settle(self, incoming: AbstractIncomingMessage) -> None:
        """Return once the message is handled, or safe in another queue. Raises one of FAULTS."""
        try:
            message = open_envelope(incoming.body)
            event = decode(message.type, message.data)
        except UnknownEvent as error:
            await self._park(incoming, str(error))
            return
        failed = failures(incoming)
        try:
            await self._handle(message, event)
        except Unavailable:
            await self._put_off(incoming, failed)
        except Exception as fault:
            log.exception("message %s (%s) failed", message.id, message.type)
            if failed + 1 < TRIES:
                await self._put_off(incoming, failed + 1)
            else:
                await self._park(
                    incoming, f"its consumer failed {failed + 1} times, at last with {type(fault).__name__}"
                )

    async def _handle(self, message: Message, event: Event) -> None:
        """Handle it, with patience for servers that are away: Unavailable is raised in the end."""
        deadline = asyncio.get_running_loop().time() + HOLD
        while True:
            try:
                await self._consumer.handle(message, event)
            except Unavailable as fault:
                log.warning("message %s waits: %s", message.id, fault)
                if asyncio.get_running_loop().time() > deadline:
                    raise
                await asyncio.sleep(_PAUSE)
            else:
                return

    async def _put_off(self, incoming: AbstractIncomingMessage, failed: int) -> None:
        await self._hand_on(incoming, waiting_after(failed), {FAILURES: failed})

    async def _park(self, incoming: AbstractIncomingMessage, reason: str) -> None:
        log.warning("message %s is parked: %s", incoming.message_id, reason)
        headers: dict[str, FieldValue] = {QUEUE: self._queue.name, REASON: reason, PARKED_AT: datetime.now(UTC)}
        await self._hand_on(incoming, PARKED, headers)

    async def _hand_on(self, incoming: AbstractIncomingMessage, to: str, headers: Mapping[str, FieldValue]) -> None:
        """Have a copy safe behind an exchange: from then on the message may be acknowledged."""
        exchange = await self._channel.get_exchange(to, ensure=False)
        await exchange.publish(copy_of(incoming, headers), self._queue.name, mandatory=True, timeout=PATIENCE)
