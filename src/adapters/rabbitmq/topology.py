"""Exchanges and queues, declared by whoever comes first."""

from collections.abc import Mapping

from aio_pika import ExchangeType
from aio_pika.abc import AbstractChannel, AbstractQueue
from pamqp.common import FieldTable

from application.delivery.consumer import Consumer

EVENTS = "bottomline.events"
PARKED = "bottomline.parked"
WAITS = (1, 10, 60, 600)
"""Seconds that a message waits after its consumer's first failure, the second, …; the last stands for all after it."""
CRASHES = 50
"""How often a queue hands out a message that nobody answers for: it may be what kills its worker."""
_QUORUM: FieldTable = {
    "x-queue-type": "quorum",
    "x-dead-letter-strategy": "at-least-once",
    "x-overflow": "reject-publish",
}


async def declare_queues(channel: AbstractChannel, consumers: Mapping[str, Consumer]) -> Mapping[str, AbstractQueue]:
    """The durable topic exchange for all events, a quorum queue for each consumer, and where what fails goes.

    Also declared by the relay: else what it publishes before the first worker starts would be unroutable.
    """
    exchange = await channel.declare_exchange(EVENTS, ExchangeType.TOPIC, durable=True)
    await declare_parking(channel)
    for seconds in WAITS:
        await _declare_waiting(channel, seconds)
    arguments: FieldTable = {**_QUORUM, "x-dead-letter-exchange": PARKED, "x-delivery-limit": CRASHES}
    queues = {}
    for name, consumer in consumers.items():
        queue = await channel.declare_queue(queue_of(name), durable=True, arguments=arguments)
        for type_ in sorted(consumer.types):
            await queue.bind(exchange, routing_key=type_)
        queues[name] = queue
    return queues


async def declare_parking(channel: AbstractChannel) -> AbstractQueue:
    """The queue of what was given up. Looking at a message counts as a delivery, so their limit is out of reach."""
    exchange = await channel.declare_exchange(PARKED, ExchangeType.FANOUT, durable=True)
    arguments: FieldTable = {"x-queue-type": "quorum", "x-delivery-limit": 1_000_000_000}
    queue = await channel.declare_queue(PARKED, durable=True, arguments=arguments)
    await queue.bind(exchange)
    return queue


async def _declare_waiting(channel: AbstractChannel, seconds: float) -> None:
    """An exchange whose messages wait, and then go to the queue that their routing key names."""
    exchange = await channel.declare_exchange(_waiting(seconds), ExchangeType.FANOUT, durable=True)
    arguments: FieldTable = {**_QUORUM, "x-dead-letter-exchange": "", "x-message-ttl": int(seconds * 1000)}
    queue = await channel.declare_queue(exchange.name, durable=True, arguments=arguments)
    await queue.bind(exchange)


def queue_of(name: str) -> str:
    """The queue of a consumer."""
    return f"bottomline.{name}"


def waiting_after(failures: int) -> str:
    """The exchange where a message waits after so many failures of its consumer."""
    return _waiting(WAITS[min(max(failures, 1), len(WAITS)) - 1])


def _waiting(seconds: float) -> str:
    return f"bottomline.wait.{seconds}s"
