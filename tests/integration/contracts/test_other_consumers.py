"""What docs/events.md shows to others works: the consumer that stands there, run as it is."""

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import aio_pika
import pytest
from aio_pika.abc import AbstractConnection
from aio_pika.exceptions import ChannelNotFoundEntity
from jsonschema import Draft202012Validator

from adapters.cloudevents.codec import decode, encode, envelop
from adapters.rabbitmq.publisher import RabbitPublisher
from application.ports import Message
from domain.events import ALL, Event, UserConfirmed
from tests.described_events import FORMATS, example
from tests.events_page import PAGE, SCHEMAS

(CONSUMER,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
QUEUE = "audit.events"


def a_message(event: type[Event]) -> Message:
    sample = decode(event.type, json.dumps(example(event)["data"]).encode())
    return Message(uuid4(), event.type, encode(sample), datetime.now(UTC))


@pytest.fixture
async def publisher(rabbitmq_url: str) -> AsyncIterator[RabbitPublisher]:
    """A publisher that has declared the exchange, by an event that came before any queue."""
    await forget_queue(rabbitmq_url)
    opened = RabbitPublisher(rabbitmq_url, {})
    await opened.publish([a_message(UserConfirmed)])
    yield opened
    await opened.close()
    await forget_queue(rabbitmq_url)


async def forget_queue(url: str) -> None:
    async with await aio_pika.connect(url) as connection:
        await (await connection.channel()).queue_delete(QUEUE)


@asynccontextmanager
async def consumer(url: str) -> AsyncIterator[asyncio.StreamReader]:
    """The consumer of the page, reading in a process of its own until it is killed; what it prints."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", CONSUMER, env={**os.environ, "AMQP_URL": url}, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        await consumers_are(1, url)
        yield process.stdout
    finally:
        process.kill()
        await process.wait()
    await consumers_are(0, url)


async def consumers_are(count: int, url: str) -> None:
    """Wait until so many read the queue."""
    async with asyncio.timeout(20), await aio_pika.connect(url) as connection:
        while await _consumers(connection) != count:  # noqa: ASYNC110  only the broker knows
            await asyncio.sleep(0.05)


async def _consumers(connection: AbstractConnection) -> int | None:
    """How many read the queue; None where there is no queue, which costs the channel."""
    channel = await connection.channel()
    try:
        queue = await channel.declare_queue(QUEUE, passive=True)
    except ChannelNotFoundEntity:
        return None
    await channel.close()
    return queue.declaration_result.consumer_count


async def read(printed: asyncio.StreamReader, count: int) -> list[dict[str, Any]]:
    async with asyncio.timeout(20):
        return [json.loads(await printed.readline()) for _ in range(count)]


async def test_the_consumer_of_the_page_reads_every_type_as_its_schema_says(
    rabbitmq_url: str, publisher: RabbitPublisher
) -> None:
    messages = [a_message(event) for event in ALL]
    async with consumer(rabbitmq_url) as printed:
        assert set(await publisher.publish(messages)) == {message.id for message in messages}
        found = await read(printed, len(messages))
    by_id = {event["id"]: event for event in found}
    assert by_id == {str(message.id): json.loads(envelop(message)) for message in messages}
    for event in found:
        schema = json.loads((SCHEMAS / f"{event['type']}.json").read_text())
        assert schema["$id"] == event["dataschema"]
        Draft202012Validator(schema, format_checker=FORMATS).validate(event)


async def test_the_consumer_of_the_page_passes_over_what_comes_again(
    rabbitmq_url: str, publisher: RabbitPublisher
) -> None:
    message, last = a_message(UserConfirmed), a_message(UserConfirmed)
    async with consumer(rabbitmq_url) as printed:
        for again in (message, message, last):
            await publisher.publish([again])
        assert [event["id"] for event in await read(printed, 2)] == [str(message.id), str(last.id)]


async def test_the_queue_of_the_page_keeps_what_comes_while_nobody_reads_and_gives_out_nothing_that_was_read(
    rabbitmq_url: str, publisher: RabbitPublisher
) -> None:
    """The consumer has acknowledged one event when it prints the next; the last it may not have, when it is killed."""
    first, second, waiting = (a_message(UserConfirmed) for _ in range(3))
    async with consumer(rabbitmq_url) as printed:
        await publisher.publish([first])
        await publisher.publish([second])
        await read(printed, 2)
    await publisher.publish([waiting])
    found: list[str] = []
    async with consumer(rabbitmq_url) as printed:
        while str(waiting.id) not in found:
            found += [event["id"] for event in await read(printed, 1)]
    assert str(first.id) not in found
