"""Exchanges and queues, declared by whoever comes first."""

from collections.abc import Mapping

from aio_pika import Connection, ExchangeType
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractQueue
from aio_pika.connection import make_url
from aio_pika.exceptions import AMQPError
from pamqp.common import FieldTable

from application.delivery.consumer import Consumer

EVENTS = "bottomline.events"
PARKED = "bottomline.parked"
PATIENCE = 5.0
"""Seconds that the broker has to answer."""
HEARTBEAT = 5
"""Seconds between heartbeats; a frozen broker is noticed after three missed ones."""
FAULTS = (AMQPError, OSError, RuntimeError)
"""What a broker that is away raises; RuntimeError is aio-pika's word for using a channel that has just closed."""
DELIVERIES = 20
"""How often a message that fails is tried before it is parked."""
_QUORUM: FieldTable = {
    "x-queue-type": "quorum",
    "x-delivery-limit": DELIVERIES,
    "x-dead-letter-exchange": PARKED,
    "x-dead-letter-strategy": "at-least-once",
    "x-overflow": "reject-publish",
}


async def connect(url: str) -> AbstractConnection:
    """A connection. Raises one of FAULTS, or TimeoutError, after five seconds at the latest.

    One that does not come about is closed here: the library would leave it to a finalizer, which may find no loop.
    """
    connection = Connection(make_url(url, heartbeat=HEARTBEAT), heartbeat=HEARTBEAT)
    try:
        await connection.connect(timeout=PATIENCE)
    except BaseException:
        await connection.close()
        raise
    return connection


async def declare_parking(channel: AbstractChannel) -> AbstractQueue:
    """The queue of what was given up. Looking at a message counts as a delivery, so their limit is out of reach."""
    exchange = await channel.declare_exchange(PARKED, ExchangeType.FANOUT, durable=True)
    arguments: FieldTable = {"x-queue-type": "quorum", "x-delivery-limit": 1_000_000_000}
    queue = await channel.declare_queue(PARKED, durable=True, arguments=arguments)
    await queue.bind(exchange)
    return queue


async def declare_queues(channel: AbstractChannel, consumers: Mapping[str, Consumer]) -> Mapping[str, AbstractQueue]:
    """The durable topic exchange for all events, a quorum queue for each consumer, and one where poison is parked.

    Also declared by the relay: else what it publishes before the first worker starts would be unroutable.
    """
    exchange = await channel.declare_exchange(EVENTS, ExchangeType.TOPIC, durable=True)
    await declare_parking(channel)
    queues = {}
    for name, consumer in consumers.items():
        queue = await channel.declare_queue(f"bottomline.{name}", durable=True, arguments=_QUORUM)
        for type_ in sorted(consumer.types):
            await queue.bind(exchange, routing_key=type_)
        queues[name] = queue
    return queues
