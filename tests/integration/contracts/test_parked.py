"""What a consumer gave up can be looked at, handed out again and dropped."""

import asyncio
from uuid import uuid4

import aio_pika
import pytest

from adapters.rabbitmq import consumer as rabbit_consumer
from adapters.rabbitmq.parked import ParkedMessages
from adapters.rabbitmq.topology import DELIVERIES, EVENTS
from application.ports import Unavailable
from domain.events import UserConfirmed
from tests.integration.conftest import eventually
from tests.integration.contracts.test_events import Boom, Recorder, a_message, rabbit, wanting
from tests.integration.servers.ports import LoopbackPort


@pytest.fixture
async def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A consumer that does not rest between two tries."""
    monkeypatch.setattr(rabbit_consumer, "_RECONNECT", 0.0)


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
    recorder = Recorder(*(Boom() for _ in range(DELIVERIES + 1)))
    poison, good = a_message(), [a_message() for _ in range(20)]
    async with rabbit(rabbitmq_url, wanting(recorder)) as publisher:
        await publisher.publish([poison])
        await how_many(parked, 1)
        await publisher.publish(good)
        for _ in range(2 * DELIVERIES):
            assert len(await parked.list()) == 1, "looking does not use it up"
        (found,) = await parked.list()
        assert (found.id, found.type, found.queue) == (str(poison.id), UserConfirmed.type, "bottomline.mails")
        assert "failed too often" in found.reason
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
