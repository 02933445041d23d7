"""How messages look on the wire."""

from collections.abc import Mapping

import aio_pika
from aio_pika.abc import AbstractIncomingMessage
from pamqp.common import FieldValue

from adapters.cloudevents.codec import envelop
from application.ports import Message

FAILURES = "bottomline-failures"
"""How often its consumer has failed with it."""
QUEUE, REASON, PARKED_AT = "bottomline-queue", "bottomline-reason", "bottomline-parked-at"
"""Of a parked message: the queue that it stood in, why it is parked, since when."""


def outgoing(message: Message) -> aio_pika.Message:
    """The message as a persistent CloudEvent (structured mode)."""
    return aio_pika.Message(
        envelop(message),
        message_id=str(message.id),
        type=message.type,
        timestamp=message.at,
        content_type="application/cloudevents+json",
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
    )


def copy_of(incoming: AbstractIncomingMessage, headers: Mapping[str, FieldValue]) -> aio_pika.Message:
    """The message as it was published first, with other headers: what brokers have noted on it is left behind."""
    return aio_pika.Message(
        incoming.body,
        headers=dict(headers),
        message_id=incoming.message_id,
        type=incoming.type,
        timestamp=incoming.timestamp,
        content_type=incoming.content_type,
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
    )


def failures(incoming: AbstractIncomingMessage) -> int:
    """How often its consumer has failed with it so far."""
    noted = incoming.headers.get(FAILURES)
    return noted if isinstance(noted, int) else 0
