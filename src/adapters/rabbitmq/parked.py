"""Messages that a consumer could not handle."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aio_pika.abc import AbstractChannel, AbstractIncomingMessage, AbstractQueue
from aio_pika.exceptions import PublishError

from adapters.rabbitmq.connections import FAULTS, PATIENCE, connected
from adapters.rabbitmq.messages import PARKED_AT, QUEUE, REASON, copy_of
from adapters.rabbitmq.topology import declare_parking
from application.ports import Unavailable

MOST = 10_000
"""Messages that are looked at in one go."""
WHOLE = 60.0
"""Seconds for looking at all of them."""

_CRASHES = "it was handed out too often without an answer: it may be what ends its worker"


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
        """Hand the chosen ones to their consumers again; how many, without those whose queue is gone.

        Raises Unavailable.
        """

        async def hand_out(channel: AbstractChannel, message: ParkedMessage, incoming: AbstractIncomingMessage) -> bool:
            if not is_chosen(message):
                return False
            try:
                copy = copy_of(incoming, {})
                await channel.default_exchange.publish(copy, message.queue, mandatory=True, timeout=PATIENCE)
            except PublishError:
                return False  # there is no such queue any more
            return True

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
            async for incoming in _each(channel):
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
            async with asyncio.timeout(WHOLE), connected(self._url) as connection:
                yield await connection.channel(publisher_confirms=True, on_return_raises=True)
        except FAULTS as fault:
            raise Unavailable("RabbitMQ did not answer, or refused") from fault


async def _each(channel: AbstractChannel) -> AsyncIterator[AbstractIncomingMessage]:
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


def _read(incoming: AbstractIncomingMessage) -> ParkedMessage:
    """Its consumer has noted from where it is here, since when and why; else the broker parked it, and has noted it."""
    headers: dict[str, Any] = dict(incoming.headers)
    if REASON in headers:
        queue, at, reason = headers[QUEUE], headers[PARKED_AT], headers[REASON]
    else:
        death = (headers.get("x-death") or [{}])[0]
        queue, at, reason = death.get("queue", "-"), death.get("time"), _CRASHES
    return ParkedMessage(
        id=incoming.message_id or hashlib.sha256(incoming.body).hexdigest()[:16],
        type=incoming.type or "-",
        queue=str(queue),
        at=at,
        reason=str(reason),
        body=incoming.body,
    )
