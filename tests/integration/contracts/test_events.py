"""What every way of publishing promises: run in process and on RabbitMQ."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import uuid4

import aio_pika
import pytest

from adapters.cloudevents.codec import encode
from adapters.memory.publisher import MemoryPublisher
from adapters.rabbitmq import connections
from adapters.rabbitmq.consumer import PREFETCH, consume
from adapters.rabbitmq.publisher import RabbitPublisher
from adapters.rabbitmq.topology import EVENTS, PARKED
from application.delivery.consumer import Consumer
from application.ports import Message, Publisher, Unavailable
from domain.events import Event, SessionsEnded, UserConfirmed
from tests.integration.conftest import eventually
from tests.integration.servers.ports import LoopbackPort

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def a_message(event: Event | None = None) -> Message:
    event = event or UserConfirmed(uuid4())
    return Message(uuid4(), event.type, encode(event), NOW)


class Recorder:
    """Handles events, or fails as often as it is told to."""

    def __init__(self, *failures: Exception) -> None:
        self.failures = list(failures)
        self.handled: list[tuple[Message, Event]] = []

    async def __call__(self, message: Message, event: Event) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.handled.append((message, event))


def wanting(recorder: Recorder, *types: str) -> dict[str, Consumer]:
    return {"mails": Consumer(frozenset(types or {UserConfirmed.type}), recorder)}


@asynccontextmanager
async def rabbit(url: str, consumers: dict[str, Consumer]) -> AsyncIterator[RabbitPublisher]:
    """A publisher, and a worker beside it."""
    publisher = RabbitPublisher(url, consumers)
    try:
        async with consuming(url, consumers):
            yield publisher
    finally:
        await publisher.close()


@asynccontextmanager
async def consuming(url: str, consumers: Mapping[str, Consumer]) -> AsyncIterator[None]:
    """A worker."""
    tasks = [asyncio.create_task(consume(url, *named)) for named in consumers.items()]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@pytest.fixture(params=["memory", "rabbitmq"])
def broker(request: pytest.FixtureRequest) -> str | None:
    """The URL of the broker; None where there is none."""
    return None if request.param == "memory" else str(request.getfixturevalue("rabbitmq_url"))


@asynccontextmanager
async def bus(broker: str | None, consumers: dict[str, Consumer]) -> AsyncIterator[Publisher]:
    if broker is None:
        yield MemoryPublisher(consumers)
        return
    async with rabbit(broker, consumers) as publisher:
        yield publisher


async def test_an_event_reaches_its_consumer_whole(broker: str | None) -> None:
    recorder = Recorder()
    messages = [a_message() for _ in range(100)]
    async with bus(broker, wanting(recorder)) as publisher:
        assert set(await publisher.publish(messages)) == {message.id for message in messages}
        await eventually(lambda: len(recorder.handled) == 100)
    assert {message.id: message for message, _ in recorder.handled} == {message.id: message for message in messages}


async def test_an_event_that_nobody_here_wants_is_safe_all_the_same(broker: str | None) -> None:
    recorder = Recorder()
    message = a_message(SessionsEnded(uuid4(), (), ()))
    async with bus(broker, wanting(recorder)) as publisher:
        assert set(await publisher.publish([message])) == {message.id}
    assert recorder.handled == []


async def test_in_process_a_failing_consumer_leaves_the_event_to_be_tried_again() -> None:
    recorder = Recorder(Boom(), Unavailable("no database"))
    publisher, message = MemoryPublisher(wanting(recorder)), a_message()
    assert set(await publisher.publish([message])) == set()
    assert set(await publisher.publish([message])) == set()
    assert set(await publisher.publish([message])) == {message.id}
    assert len(recorder.handled) == 1


async def test_through_rabbitmq_a_failing_consumer_gets_the_event_again(rabbitmq_url: str) -> None:
    recorder = Recorder(Unavailable("no database"), Boom())
    async with rabbit(rabbitmq_url, wanting(recorder)) as publisher:
        await publisher.publish([a_message()])
        await eventually(lambda: len(recorder.handled) == 1)


async def test_events_published_before_the_first_worker_wait_for_it(rabbitmq_url: str) -> None:
    recorder, message = Recorder(), a_message()
    consumers = wanting(recorder)
    publisher = RabbitPublisher(rabbitmq_url, consumers)
    assert set(await publisher.publish([message])) == {message.id}
    await publisher.close()
    async with consuming(rabbitmq_url, consumers):
        await eventually(lambda: len(recorder.handled) == 1)


async def test_what_no_queue_would_keep_is_not_confirmed(rabbitmq_url: str) -> None:
    publisher = RabbitPublisher(rabbitmq_url, wanting(Recorder()))
    await publisher.publish([a_message()])
    async with await aio_pika.connect(rabbitmq_url) as connection:
        channel = await connection.channel()
        await channel.queue_delete("bottomline.mails")
    lost, found = a_message(), a_message()
    assert set(await publisher.publish([lost])) == set()
    assert set(await publisher.publish([found])) == {found.id}, "the next batch declares the queue again"
    await publisher.close()


async def test_without_a_broker_nothing_is_confirmed_and_nothing_raised() -> None:
    port = LoopbackPort()
    publisher = RabbitPublisher(f"amqp://127.0.0.1:{port.number}/", wanting(Recorder()))
    assert set(await publisher.publish([a_message()])) == set()
    await publisher.close()
    port.release()


async def test_a_connection_that_does_not_come_about_leaves_nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """aio-pika leaves it to a finalizer otherwise, which warns of a coroutine that nobody awaits."""
    made: list[aio_pika.Connection] = []

    class Watched(aio_pika.Connection):
        async def connect(self, timeout: float | None = None) -> None:
            made.append(self)
            await super().connect(timeout)

    monkeypatch.setattr(connections, "Connection", Watched)
    port = LoopbackPort()
    with pytest.raises(OSError, match="Connect call failed"):
        await connections.connect(f"amqp://127.0.0.1:{port.number}/")
    port.release()
    assert [connection.is_closed for connection in made] == [True]


@pytest.mark.parametrize(
    "body", [b"nonsense", b'{"type":"caf\xe9"}', b'{"x":' * 10_000], ids=["text", "latin-1", "deep"]
)
async def test_what_cannot_be_read_is_parked_and_blocks_nobody(rabbitmq_url: str, body: bytes) -> None:
    recorder = Recorder()
    async with rabbit(rabbitmq_url, wanting(recorder)) as publisher:
        await publisher.publish([a_message()])
        async with await aio_pika.connect(rabbitmq_url) as connection:
            channel = await connection.channel()
            exchange = await channel.get_exchange(EVENTS)
            for _ in range(PREFETCH):
                await exchange.publish(aio_pika.Message(body), "user.confirmed")
            await publisher.publish([a_message() for _ in range(10)])
            await eventually(lambda: len(recorder.handled) == 11)
            parked = await channel.get_queue(PARKED)
            async with asyncio.timeout(10), parked.iterator(no_ack=True) as poisons:
                assert [(await anext(poisons)).body for _ in range(PREFETCH)] == [body] * PREFETCH


async def test_any_client_can_bind_a_queue_and_read_cloud_events(rabbitmq_url: str) -> None:
    publisher, message = RabbitPublisher(rabbitmq_url, wanting(Recorder())), a_message()
    await publisher.publish([a_message()])
    async with await aio_pika.connect(rabbitmq_url) as connection:
        channel = await connection.channel()
        queue = await channel.declare_queue(exclusive=True)
        await queue.bind(EVENTS, "user.#")
        await publisher.publish([message])
        async with asyncio.timeout(10), queue.iterator(no_ack=True) as incoming:
            taken = await anext(incoming)
    assert (taken.message_id, taken.type, taken.content_type) == (
        str(message.id),
        "user.confirmed",
        "application/cloudevents+json",
    )
    assert taken.delivery_mode == aio_pika.DeliveryMode.PERSISTENT
    assert json.loads(taken.body)["data"] == json.loads(message.data)
    await publisher.close()


class Boom(Exception):
    """A fault of the consumer's own."""
