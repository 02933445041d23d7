"""What a consumer gave up can be looked at, handed out again and dropped."""

import asyncio
import json
import time
from collections.abc import Mapping
from itertools import pairwise
from uuid import UUID, uuid4

import aio_pika
import pytest
from aio_pika.abc import AbstractChannel, AbstractQueue
from pamqp.common import FieldTable

from adapters.cloudevents.codec import envelop
from adapters.rabbitmq import consumer as rabbit_consumer
from adapters.rabbitmq import topology
from adapters.rabbitmq.consumer import TRIES
from adapters.rabbitmq.messages import PARKED_AT, QUEUE, REASON
from adapters.rabbitmq.parked import ParkedMessages
from adapters.rabbitmq.publisher import REST, RabbitPublisher
from adapters.rabbitmq.topology import CRASHES, EVENTS
from application.delivery.consumer import Consumer
from application.ports import Message, Unavailable
from domain.events import Event, UserConfirmed
from tests.integration.conftest import eventually
from tests.integration.contracts.test_events import Boom, Recorder, a_message, rabbit, wanting
from tests.integration.faults.proxy import Proxy
from tests.integration.rabbit import IMPATIENT
from tests.integration.servers.ports import LoopbackPort


@pytest.fixture
async def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages that hardly wait between two tries."""
    monkeypatch.setattr(topology, "WAITS", IMPATIENT)


@pytest.fixture
def parked(rabbitmq_url: str) -> ParkedMessages:
    return ParkedMessages(rabbitmq_url)


async def how_many(parked: ParkedMessages, number: int) -> None:
    """Wait until so many are parked."""
    async with asyncio.timeout(15):
        while len(await parked.list()) != number:  # noqa: ASYNC110  only the broker knows
            await asyncio.sleep(0.1)


@pytest.mark.usefixtures("impatient")
async def test_what_fails_too_often_is_parked_and_can_be_handed_out_again(
    rabbitmq_url: str, parked: ParkedMessages
) -> None:
    recorder = Recorder(*(Boom() for _ in range(TRIES)))
    poison, good = a_message(), [a_message() for _ in range(20)]
    async with rabbit(rabbitmq_url, wanting(recorder)) as publisher:
        await publisher.publish([poison])
        await how_many(parked, 1)
        await publisher.publish(good)
        for _ in range(10):
            assert len(await parked.list()) == 1, "looking does not use it up"
        (found,) = await parked.list()
        assert (found.id, found.type, found.queue) == (str(poison.id), UserConfirmed.type, "bottomline.mails")
        assert found.reason == "its consumer failed 20 times, at last with Boom"
        assert found.at is not None
        assert await parked.replay(lambda message: message.id == "another") == 0
        assert await parked.replay(lambda message: message.id == found.id) == 1
        await eventually(lambda: len(recorder.handled) == 21)
        assert await parked.list() == []
    assert {message.id for message, _ in recorder.handled} == {poison.id, *(message.id for message in good)}


async def test_what_cannot_be_read_is_shown_with_what_is_wrong_and_can_be_dropped(
    rabbitmq_url: str, parked: ParkedMessages
) -> None:
    unknown = b'{"id": "%s", "type": "user.flew", "time": "2026-01-01T12:00:00Z", "dataschema": "%s", "data": {}}'
    flew = unknown % (str(uuid4()).encode(), b"urn:bottomline:event:user.flew:1")
    later = unknown % (str(uuid4()).encode(), b"urn:bottomline:event:user.flew:2")
    bodies = [b"nonsense", flew, b"\xff", later]
    async with (
        rabbit(rabbitmq_url, wanting(Recorder())) as publisher,
        await aio_pika.connect(rabbitmq_url) as connection,
    ):
        await publisher.publish([a_message()])
        channel = await connection.channel()
        exchange = await channel.get_exchange(EVENTS)
        for body in bodies:
            await exchange.publish(aio_pika.Message(body), UserConfirmed.type)
        await how_many(parked, 4)
        found = {message.body: message for message in await parked.list()}
        assert found.keys() == set(bodies)
        assert "not a CloudEvent" in found[b"nonsense"].reason
        assert "no event has the type 'user.flew'" in found[flew].reason
        assert "its data are urn:bottomline:event:user.flew:2" in found[later].reason
        assert len({message.id for message in found.values()}) == 4, "each can be named, though it has no id"
        assert await parked.drop(lambda message: message.body == b"nonsense") == 1
        assert {message.body for message in await parked.list()} == set(bodies[1:])
        assert await parked.drop(lambda _: True) == 3
        assert await parked.list() == []


async def test_without_a_broker_it_is_said() -> None:
    port = LoopbackPort()
    with pytest.raises(Unavailable):
        await ParkedMessages(f"amqp://127.0.0.1:{port.number}/").list()
    port.release()


def a_body(version: int = 1, type: str = "user.confirmed", data: str = '{"user_id": "%s"}' % UUID(int=7)) -> bytes:  # noqa: UP031
    """A CloudEvent as another version of Bottomline, or somebody else, might write it."""
    schema = f"urn:bottomline:event:{type}:{version}"
    envelope = {"id": str(uuid4()), "type": type, "time": "2026-01-01T12:00:00Z", "dataschema": schema}
    return json.dumps({**envelope, "data": json.loads(data)}).encode()


POISONS = {
    "not JSON": (b"\xff nonsense", "not a CloudEvent"),
    "unknown type": (a_body(type="user.flew"), "no event has the type 'user.flew'"),
    "wrong schema": (a_body(data='{"user_id": 7}'), "the data do not fit user.confirmed"),
    "another version": (a_body(version=2), "its data are urn:bottomline:event:user.confirmed:2"),
}


@pytest.mark.parametrize("kind", POISONS)
async def test_one_poison_among_a_thousand_good_messages_is_parked_and_the_thousand_are_handled(
    rabbitmq_url: str, parked: ParkedMessages, kind: str
) -> None:
    poison, reason = POISONS[kind]
    recorder = Recorder()
    good = [a_message() for _ in range(1000)]
    async with (
        rabbit(rabbitmq_url, wanting(recorder)) as publisher,
        await aio_pika.connect(rabbitmq_url) as connection,
    ):
        await publisher.publish(good[:500])
        exchange = await (await connection.channel()).get_exchange(EVENTS)
        await exchange.publish(aio_pika.Message(poison), UserConfirmed.type)
        await publisher.publish(good[500:])
        await how_many(parked, 1)
        await eventually(lambda: len(recorder.handled) >= 1000)
        (found,) = await parked.list()
    assert (found.body, found.queue) == (poison, "bottomline.mails")
    assert reason in found.reason
    assert {message.id for message, _ in recorder.handled} == {message.id for message in good}
    assert len(recorder.handled) == 1000


async def test_a_message_that_fails_waits_longer_each_time_and_holds_up_no_other(
    rabbitmq_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topology, "WAITS", (0.2, 0.8))
    unlucky, tries = a_message(), list[float]()

    async def handle(message: Message, _: Event) -> None:
        if message.id == unlucky.id:
            tries.append(time.monotonic())
            if len(tries) < 4:
                raise Boom
        else:
            others.append(time.monotonic())

    others = list[float]()
    consumers = {"mails": Consumer(frozenset({UserConfirmed.type}), handle)}
    async with rabbit(rabbitmq_url, consumers) as publisher:
        await publisher.publish([unlucky, *(a_message() for _ in range(50))])
        await eventually(lambda: len(tries) == 4 and len(others) == 50)
    await forget_waiting(rabbitmq_url, 0.2, 0.8)
    waits = [later - sooner for sooner, later in pairwise(tries)]
    assert waits[0] > 0.2
    assert min(waits[1:]) > 0.8
    assert max(others) < tries[2], "none waited for the unlucky one"


async def test_what_waits_for_a_server_is_not_counted_as_failing(
    rabbitmq_url: str, parked: ParkedMessages, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(topology, "WAITS", IMPATIENT)
    monkeypatch.setattr(rabbit_consumer, "HOLD", 0.0)
    recorder = Recorder(*(Unavailable("no database") for _ in range(TRIES + 1)))
    async with rabbit(rabbitmq_url, wanting(recorder)) as publisher:
        await publisher.publish([a_message()])
        await eventually(lambda: len(recorder.handled) == 1)
        assert await parked.list() == []


async def test_a_message_that_nobody_lives_to_answer_for_is_parked(rabbitmq_url: str, parked: ParkedMessages) -> None:
    publisher = RabbitPublisher(rabbitmq_url, wanting(Recorder()))
    await publisher.publish([a_message()])
    await publisher.close()
    async with await aio_pika.connect(rabbitmq_url) as connection:
        queue = await (await connection.channel()).get_queue("bottomline.mails")
        for _ in range(CRASHES + 1):
            incoming = await queue.get(timeout=5)
            await incoming.nack(requeue=True)
    await how_many(parked, 1)
    (found,) = await parked.list()
    assert found.queue == "bottomline.mails"
    assert "too often without an answer" in found.reason


async def test_a_message_in_hand_is_finished_when_the_worker_is_asked_to_stop(rabbitmq_url: str) -> None:
    begun, handled = asyncio.Event(), list[UUID]()

    async def handle(message: Message, _: Event) -> None:
        begun.set()
        await asyncio.sleep(0.3)
        handled.append(message.id)

    message, recorder = a_message(), Recorder()
    async with rabbit(rabbitmq_url, {"mails": Consumer(frozenset({UserConfirmed.type}), handle)}) as publisher:
        await publisher.publish([message])
        await begun.wait()
    assert handled == [message.id]
    async with rabbit(rabbitmq_url, wanting(recorder)) as publisher:
        later = a_message()
        await publisher.publish([later])
        await eventually(lambda: len(recorder.handled) == 1)
    assert [seen.id for seen, _ in recorder.handled] == [later.id], "the first one was acknowledged"


async def forget_waiting(url: str, *seconds: float) -> None:
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        for name in (f"bottomline.wait.{wait}s" for wait in seconds):
            await channel.queue_delete(name)
            await channel.exchange_delete(name)


async def test_a_queue_that_is_deleted_is_declared_and_read_again(
    rabbitmq_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rabbit_consumer, "LOOK", 0.5)
    recorder = Recorder()
    async with rabbit(rabbitmq_url, wanting(recorder)) as publisher:
        await publisher.publish([a_message()])
        await eventually(lambda: len(recorder.handled) == 1)
        async with await aio_pika.connect(rabbitmq_url) as connection:
            await (await connection.channel()).queue_delete("bottomline.mails")
        later, begun = a_message(), time.monotonic()
        async with asyncio.timeout(10):
            while later.id not in await publisher.publish([later]):
                pass
        assert time.monotonic() - begun >= REST, "declared anew at once, it would be the former consumer's"
        await eventually(lambda: len(recorder.handled) == 2, within=30)


async def test_a_broker_that_freezes_while_queues_are_declared_is_left_in_time(
    rabbitmq_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(rabbit_consumer, "SET_UP", 0.5)
    recorder, frozen, declare_queues = Recorder(), asyncio.Event(), topology.declare_queues
    async with Proxy(rabbitmq_url) as proxy:

        async def declare(channel: AbstractChannel, consumers: Mapping[str, Consumer]) -> Mapping[str, AbstractQueue]:
            if not frozen.is_set():
                proxy.blackhole()
                frozen.set()
            return await declare_queues(channel, consumers)

        monkeypatch.setattr(rabbit_consumer, "declare_queues", declare)
        async with rabbit(proxy.url, wanting(recorder)) as publisher:
            await frozen.wait()
            await eventually(lambda: "bottomline.mails, is away: TimeoutError" in caplog.text, within=4)
            proxy.let_pass()
            async with asyncio.timeout(15):
                while not await publisher.publish([a_message()]):
                    pass
            await eventually(lambda: recorder.handled != [], within=15)


async def test_a_parked_message_whose_queue_is_gone_stays_and_keeps_no_other_from_being_replayed(
    rabbitmq_url: str, parked: ParkedMessages
) -> None:
    recorder = Recorder()
    async with (
        rabbit(rabbitmq_url, wanting(recorder)) as publisher,
        await aio_pika.connect(rabbitmq_url) as connection,
    ):
        await publisher.publish([a_message()])
        await eventually(lambda: len(recorder.handled) == 1)
        exchange = await (await connection.channel()).get_exchange(topology.PARKED)
        for queue in ("bottomline.gone", "bottomline.mails"):
            message = a_message()
            noted: FieldTable = {QUEUE: queue, REASON: "it failed", PARKED_AT: message.at}
            await exchange.publish(aio_pika.Message(envelop(message), message_id=queue, headers=noted), "")
        await how_many(parked, 2)
        assert await parked.replay(lambda _: True) == 1
        await eventually(lambda: len(recorder.handled) == 2)
        assert [message.id for message in await parked.list()] == ["bottomline.gone"]
