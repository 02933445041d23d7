"""Messages that a consumer could not handle."""

import hashlib
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

from adapters.cloudevents.codec import UnknownEvent, decode, open_envelope
from adapters.rabbitmq.topology import FAULTS, HEARTBEAT, declare_parking
from application.ports import Unavailable

PATIENCE = 5.0
MOST = 10_000
"""Messages that are looked at in one go."""


REASONS = {
    "delivery_limit": "its consumer failed too often: see the log of the worker",
    "rejected": "its consumer could not read it then, and can now",
}
"""The broker's words for why a message that can be read is here."""


@dataclass(frozen=True, slots=True)
class ParkedMessage:
    """A message that was given up: for which consumer's queue, when first, and why."""

    id: str
    type: str
    queue: str
    at: datetime | None
    reason: str
    body: bytes


class ParkedMessages:
    """What stands in the queue of parked messages; each stays there until it is safe elsewhere.

    A message that is replayed while the process dies may come twice; consumers take it once.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    async def list(self) -> Sequence[ParkedMessage]:
        """All, the oldest first. Raises Unavailable."""
        async with self._channel() as channel:
            return [_read(incoming) async for incoming in _waiting(channel)]

    async def replay(self, is_chosen: Callable[[ParkedMessage], bool]) -> int:
        """Hand the chosen ones to their consumers again; how many. Raises Unavailable."""

        async def to_its_queue(channel: AbstractChannel, message: ParkedMessage, incoming: Any) -> None:
            copy = aio_pika.Message(
                incoming.body,
                message_id=incoming.message_id,
                type=incoming.type,
                timestamp=incoming.timestamp,
                content_type=incoming.content_type,
                delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            )
            await channel.default_exchange.publish(copy, message.queue, mandatory=True)

        return await self._take_out(is_chosen, to_its_queue)

    async def drop(self, is_chosen: Callable[[ParkedMessage], bool]) -> int:
        """Forget the chosen ones; how many. Raises Unavailable."""

        async def nowhere(*_: Any) -> None:
            return

        return await self._take_out(is_chosen, nowhere)

    async def _take_out(self, is_chosen: Callable[[ParkedMessage], bool], put: Callable[..., Any]) -> int:
        """Put the chosen ones elsewhere; the others go back to where they were when the channel is closed."""
        taken = 0
        async with self._channel() as channel:
            async for incoming in _waiting(channel):
                message = _read(incoming)
                if is_chosen(message):
                    await put(channel, message, incoming)
                    await incoming.ack()
                    taken += 1
        return taken

    @asynccontextmanager
    async def _channel(self) -> AsyncIterator[AbstractChannel]:
        try:
            connection = await aio_pika.connect(self._url, timeout=PATIENCE, heartbeat=HEARTBEAT)
            async with connection, await connection.channel(publisher_confirms=True, on_return_raises=True) as channel:
                yield channel
        except FAULTS as fault:
            raise Unavailable("RabbitMQ did not answer, or refused") from fault


async def _waiting(channel: AbstractChannel) -> AsyncIterator[AbstractIncomingMessage]:
    """Each message that is parked now, once."""
    queue = await declare_parking(channel)
    for _ in range(min(MOST, queue.declaration_result.message_count or 0)):
        incoming = await queue.get(fail=False, timeout=PATIENCE)
        if incoming is None:
            return
        yield incoming


def _read(incoming: AbstractIncomingMessage) -> ParkedMessage:
    """Why it is here is what the broker noted; of what cannot be read, what is wrong with it."""
    deaths: Any = incoming.headers.get("x-death") or [{}]
    death = deaths[0]
    return ParkedMessage(
        id=incoming.message_id or hashlib.sha256(incoming.body).hexdigest()[:16],
        type=incoming.type or "-",
        queue=str(death.get("queue", "-")),
        at=death.get("time"),
        reason=_unreadable(incoming.body) or REASONS.get(str(death.get("reason")), "unknown"),
        body=incoming.body,
    )


def _unreadable(body: bytes) -> str | None:
    try:
        message = open_envelope(body)
        decode(message.type, message.data)
    except UnknownEvent as error:
        return str(error)
    return None
