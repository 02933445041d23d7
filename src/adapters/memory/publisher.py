"""Messages handed to consumers in this process."""

import logging
from collections.abc import Collection, Mapping, Sequence
from uuid import UUID

from adapters.cloudevents.codec import decode
from application.delivery.consumer import Consumer
from application.ports import Message, Unavailable

log = logging.getLogger(__name__)


class MemoryPublisher:
    """Hands each message to its consumers and counts it safe once all have handled it.

    A consumer that fails sees the message again with the outbox's next try.
    """

    def __init__(self, consumers: Mapping[str, Consumer]) -> None:
        self._consumers = consumers

    async def publish(self, messages: Sequence[Message]) -> Collection[UUID]:
        """The ids of the messages that every consumer has handled."""
        return {message.id for message in messages if await self._handled(message)}

    async def _handled(self, message: Message) -> bool:
        try:
            event = decode(message.type, message.data)
            for consumer in self._consumers.values():
                if message.type in consumer.types:
                    await consumer.handle(message, event)
        except Unavailable as fault:
            log.warning("event %s (%s) will be handed on again: %s", message.id, message.type, fault)
            return False
        except Exception:
            log.exception("event %s (%s) will be handed on again", message.id, message.type)
            return False
        return True
