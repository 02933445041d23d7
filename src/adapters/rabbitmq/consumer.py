"""Messages taken from RabbitMQ."""

import asyncio
import logging
from collections.abc import Mapping
from functools import partial

from aio_pika.abc import AbstractIncomingMessage

from adapters.cloudevents.codec import UnknownEvent, decode, open_envelope
from adapters.rabbitmq.topology import FAULTS, connect, declare_queues
from application.delivery.consumer import Consumer
from application.ports import Unavailable

log = logging.getLogger(__name__)
PREFETCH = 16
_RECONNECT = 1.0


async def consume(url: str, consumers: Mapping[str, Consumer]) -> None:
    """Hand messages to the consumers until cancelled; a lost connection is made anew.

    A message is acknowledged once it is handled. While a server that the consumer needs is away, it waits with the
    message in hand; a message that fails otherwise comes again up to the queue's delivery limit and is then parked,
    one that cannot be read at once.
    """
    while True:
        try:
            async with await connect(url) as connection:
                channel = await connection.channel()
                await channel.set_qos(prefetch_count=PREFETCH)
                for name, queue in (await declare_queues(channel, consumers)).items():
                    await queue.consume(partial(_take, consumers[name]))
                await channel.closed()
        except FAULTS as fault:
            log.warning("RabbitMQ is away: %r", fault)
        await asyncio.sleep(_RECONNECT)


async def _take(consumer: Consumer, incoming: AbstractIncomingMessage) -> None:
    try:
        message = open_envelope(incoming.body)
        event = decode(message.type, message.data)
    except UnknownEvent as error:
        log.warning("message %s is parked: %s", incoming.message_id, error)
        await incoming.reject(requeue=False)
        return
    while True:
        try:
            await consumer.handle(message, event)
        except Unavailable as fault:
            log.warning("message %s waits: %s", message.id, fault)
            await asyncio.sleep(_RECONNECT)
        except Exception:
            log.exception("message %s (%s) failed and will come again", message.id, message.type)
            await asyncio.sleep(_RECONNECT)
            await incoming.nack(requeue=True)
            return
        else:
            await incoming.ack()
            return
