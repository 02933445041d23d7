"""Messages handed to RabbitMQ."""

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

import aio_pika
from aio_pika.abc import AbstractConnection, AbstractExchange

from adapters.cloudevents.codec import envelop
from adapters.rabbitmq.topology import EVENTS, FAULTS, PATIENCE, connect, declare_queues
from application.delivery.consumer import Consumer
from application.ports import Message

log = logging.getLogger(__name__)


class RabbitPublisher:
    """Publishes persistent CloudEvents, all of a batch in flight, and waits for the broker's confirms.

    What our own consumers want must reach a queue (mandatory); the rest is for whoever has bound one. After any
    fault the connection is made anew with the next batch. One batch at a time.
    """

    def __init__(self, url: str, consumers: Mapping[str, Consumer]) -> None:
        self._url = url
        self._consumers = consumers
        self._wanted = frozenset[str]().union(*(consumer.types for consumer in consumers.values()))
        self._connection: AbstractConnection | None = None
        self._exchange: AbstractExchange | None = None

    async def publish(self, messages: Sequence[Message]) -> Collection[UUID]:
        """The ids that the broker has confirmed within five seconds."""
        safe: set[UUID] = set()
        try:
            async with asyncio.timeout(PATIENCE):
                exchange = self._exchange or await self._open()
                results = await asyncio.gather(
                    *(self._publish(exchange, message, safe) for message in messages), return_exceptions=True
                )
        except FAULTS as fault:
            log.warning("RabbitMQ does not take events, they wait in the outbox: %r", fault)
            await self.close()
            return safe
        if faults := [result for result in results if result is not None]:
            log.warning("RabbitMQ took %d of %d events: %r", len(safe), len(messages), faults[0])
            await self.close()
        return safe

    async def close(self) -> None:
        """Let go of the connection."""
        connection, self._connection, self._exchange = self._connection, None, None
        if connection is not None:
            try:
                async with asyncio.timeout(1):
                    await connection.close()
            except FAULTS as fault:
                log.debug("closing a broken connection: %r", fault)

    async def _open(self) -> AbstractExchange:
        self._connection = await connect(self._url)
        channel = await self._connection.channel(publisher_confirms=True, on_return_raises=True)
        await declare_queues(channel, self._consumers)
        self._exchange = await channel.get_exchange(EVENTS, ensure=False)
        return self._exchange

    async def _publish(self, exchange: AbstractExchange, message: Message, safe: set[UUID]) -> None:
        body = aio_pika.Message(
            envelop(message),
            message_id=str(message.id),
            type=message.type,
            timestamp=message.at,
            content_type="application/cloudevents+json",
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        )
        await exchange.publish(body, message.type, mandatory=message.type in self._wanted)
        safe.add(message.id)
