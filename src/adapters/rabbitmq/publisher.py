"""Messages handed to RabbitMQ."""

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from aio_pika.abc import AbstractConnection, AbstractExchange
from aio_pika.exceptions import PublishError

from adapters.rabbitmq.connections import FAULTS, PATIENCE, close, connect
from adapters.rabbitmq.messages import outgoing
from adapters.rabbitmq.topology import EVENTS, declare_queues
from application.delivery.consumer import Consumer
from application.ports import Message

log = logging.getLogger(__name__)
SET_UP = 8.0
"""Seconds for connecting and declaring everything, some thirty round trips."""
REST = 1.0
"""Seconds until a queue that is gone is declared anew. RabbitMQ hands the messages of one that is declared anew within
milliseconds to the former consumer's channel, which drops them unseen, as long as that channel lives."""


class RabbitPublisher:
    """Publishes persistent CloudEvents, all of a batch in flight, and waits for the broker's confirms.

    What our own consumers want must reach a queue (mandatory); the rest is for whoever has bound one. After any
    fault the connection is made anew with the next batch.
    """

    def __init__(self, url: str, consumers: Mapping[str, Consumer]) -> None:
        self._url = url
        self._consumers = consumers
        self._wanted = frozenset[str]().union(*(consumer.types for consumer in consumers.values()))
        self._connection: AbstractConnection | None = None
        self._exchange: AbstractExchange | None = None
        self._opening = asyncio.Lock()
        self._rests_until = 0.0

    async def publish(self, messages: Sequence[Message]) -> Collection[UUID]:
        """The ids that the broker has confirmed within five seconds, after eight at most for a new connection."""
        safe: set[UUID] = set()
        try:
            exchange = self._exchange or await self._open()
            async with asyncio.timeout(PATIENCE):
                results = await asyncio.gather(
                    *(self._publish(exchange, message, safe) for message in messages), return_exceptions=True
                )
        except FAULTS as fault:
            log.warning("RabbitMQ does not take events, they wait in the outbox: %r", fault)
            await self.close()
            return safe
        if faults := [result for result in results if result is not None]:
            log.warning("RabbitMQ took %d of %d events: %r", len(safe), len(messages), faults[0])
            if any(isinstance(fault, PublishError) for fault in faults):
                self._rests_until = asyncio.get_running_loop().time() + REST
            await self.close()
        return safe

    async def close(self) -> None:
        """Let go of the connection."""
        connection, self._connection, self._exchange = self._connection, None, None
        if connection is not None:
            await close(connection)

    async def _open(self) -> AbstractExchange:
        async with asyncio.timeout(SET_UP), self._opening:
            if self._exchange is not None:
                return self._exchange
            await asyncio.sleep(self._rests_until - asyncio.get_running_loop().time())
            self._connection = await connect(self._url)
            channel = await self._connection.channel(publisher_confirms=True, on_return_raises=True)
            await declare_queues(channel, self._consumers)
            self._exchange = await channel.get_exchange(EVENTS, ensure=False)
            return self._exchange

    async def _publish(self, exchange: AbstractExchange, message: Message, safe: set[UUID]) -> None:
        await exchange.publish(outgoing(message), message.type, mandatory=message.type in self._wanted)
        safe.add(message.id)
