"""Messages that a consumer could not handle."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue

from adapters.cloudevents.codec import UnknownEvent, decode, open_envelope
from adapters.rabbitmq.topology import FAULTS, PATIENCE, connect, declare_parking
from application.ports import Unavailable

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


Visit = Callable[[AbstractChannel, ParkedMessage, AbstractIncomingMessage], Awaitable[bool]]


class ParkedMessages:
    """What stands in the queue of parked messages; each stays there until it is safe elsewhere.

    A message that is replayed while the process dies may come twice; consumers take it once.
    """

    def __init__(self, url: str) -> None:
        self._url = url

    async def list(self) -> Sequence[ParkedMessage]:
        """All, the oldest first. Raises Unavailable."""
        seen: list[ParkedMessage] = []

        async def keep(_: AbstractChannel, message: ParkedMessage, __: AbstractIncomingMessage) -> bool:
            seen.append(message)
            return False

        await self._visit(keep)
        return seen

    async def replay(self, is_chosen: Callable[[ParkedMessage], bool]) -> int:
        """Hand the chosen ones to their consumers again; how many. Raises Unavailable."""

        async def hand_out(channel: AbstractChannel, message: ParkedMessage, incoming: AbstractIncomingMessage) -> bool:
            if is_chosen(message):
                await channel.default_exchange.publish(_copy(incoming), message.queue, mandatory=True)
                return True
            return False

        return await self._visit(hand_out)

    async def drop(self, is_chosen: Callable[[ParkedMessage], bool]) -> int:
        """Forget the chosen ones; how many. Raises Unavailable."""

        async def drop(_: AbstractChannel, message: ParkedMessage, __: AbstractIncomingMessage) -> bool:
            return is_chosen(message)

        return await self._visit(drop)

    async def _visit(self, is_done_with: Visit) -> int:
        """Visit each message; those that are done with leave the queue, the others go back. How many have left."""
        done, kept = 0, []
        async with self._channel() as channel:
            async for incoming in _waiting(channel):
                if await is_done_with(channel, _read(incoming), incoming):
                    await incoming.ack()
                    done += 1
                else:
                    kept.append(incoming)
            await _put_back(channel, kept)
        return done

    @asynccontextmanager
    async def _channel(self) -> AsyncIterator[AbstractChannel]:
        try:
            connection = await connect(self._url)
            async with connection, await connection.channel(publisher_confirms=True, on_return_raises=True) as channel:
                yield channel
        except FAULTS as fault:
            raise Unavailable("RabbitMQ did not answer, or refused") from fault


async def _waiting(channel: AbstractChannel) -> AsyncIterator[AbstractIncomingMessage]:
    """Each message that is parked now, once."""
    queue = await declare_parking(channel)
    for _ in range(min(MOST, _ready(queue))):
        incoming = await queue.get(fail=False, timeout=PATIENCE)
        if incoming is None:
            return
        yield incoming


async def _put_back(channel: AbstractChannel, messages: Sequence[AbstractIncomingMessage]) -> None:
    """Leave the messages where they were, and wait until the next who looks will find them."""
    for message in messages:
        await message.nack(requeue=True)
    with suppress(TimeoutError):
        async with asyncio.timeout(PATIENCE):
            while _ready(await declare_parking(channel)) < len(messages):  # noqa: ASYNC110  only the broker knows
                await asyncio.sleep(0.01)


def _ready(queue: AbstractQueue) -> int:
    return queue.declaration_result.message_count or 0


def _copy(incoming: AbstractIncomingMessage) -> aio_pika.Message:
    """The message as it was published first: what happened to it since is left behind."""
    return aio_pika.Message(
        incoming.body,
        message_id=incoming.message_id,
        type=incoming.type,
        timestamp=incoming.timestamp,
        content_type=incoming.content_type,
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
    )


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
