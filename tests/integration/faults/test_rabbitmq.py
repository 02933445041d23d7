"""RabbitMQ dies, hangs, resets and fills up: people sign up as ever, and no event or mail is lost."""

import asyncio
import re
from collections.abc import AsyncIterator, Callable

import asyncpg
import httpx
import pytest

from application.delivery.relay_outbox import LEASE
from tests.integration.faults.proxy import CONFIRMED
from tests.integration.faults.stage import Stage, guests, until_signed_up
from tests.integration.journeys.worlds import World
from tests.integration.processes import Browser, Process
from tests.integration.servers.local_rabbitmq import LocalRabbitMQ

RECONNECTED = 25.0
"""Seconds after which a broker that is back has been found again: 18, and some for a busy machine."""
TAKES_NONE = "RabbitMQ (does not take|took 0)"


@pytest.fixture
async def ann(world: World) -> AsyncIterator[Browser]:
    async with world.web.browser() as browser:
        yield browser


async def are_published(world: World) -> None:
    """Wait until no event waits."""
    connection = await asyncpg.connect(world.settings["BOTTOMLINE_DATABASE_URL"])
    try:
        async with asyncio.timeout(RECONNECTED):
            while await connection.fetchval("SELECT count(*) FROM outbox WHERE published_at IS NULL"):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
    finally:
        await connection.close()


@pytest.mark.parametrize("how", ["gone", "hanging"])
async def test_while_it_is_away_people_sign_up_and_their_mails_come_when_it_is_back(
    stage: Stage, world: World, ann: Browser, how: str
) -> None:
    people = await guests(world, "ann", "bob", "eve")
    await until_signed_up(ann, people[0])
    await stage.mails_arrive(people[:1])
    if how == "gone":
        await stage.rabbitmq.refuse()
    else:
        stage.rabbitmq.blackhole()
    for guest in people[1:]:
        assert (await guest.sign_up(ann)).status_code == 202
    assert world.worker is not None
    await world.worker.said(TAKES_NONE)
    await stage.rabbitmq.forward()
    await are_published(world)
    await stage.mails_arrive(people, within=RECONNECTED)


async def test_a_confirm_that_is_lost_has_the_event_published_again_and_makes_one_mail(
    stage: Stage, world: World, ann: Browser
) -> None:
    people = await guests(world, *(f"ann{number}" for number in range(10)))
    await until_signed_up(ann, people[0])
    await stage.mails_arrive(people[:1])
    for guest in people[1:]:
        stage.rabbitmq.swallow(CONFIRMED)
        await until_signed_up(ann, guest)
        await asyncio.sleep(0.2)
    await stage.rabbitmq.forward()
    assert stage.rabbitmq.swallowed != []
    await are_published(world)
    await stage.mails_arrive(people, within=RECONNECTED)


async def test_resets_and_slow_lines_lose_nothing(stage: Stage, world: World, ann: Browser) -> None:
    people = await guests(world, *(f"ann{number}" for number in range(10)))
    stage.rabbitmq.delay(0.02)
    for guest in people:
        await until_signed_up(ann, guest)
        await stage.rabbitmq.reset()
    await are_published(world)
    await stage.mails_arrive(people, within=RECONNECTED)


async def waiting(worker: Process, is_so: Callable[[float], bool]) -> float:
    """How long the oldest event has waited, once the metrics of the worker say what is awaited."""
    async with asyncio.timeout(30), httpx.AsyncClient() as prometheus:
        while True:
            page = await prometheus.get(f"http://127.0.0.1:{worker.settings['BOTTOMLINE_METRICS_PORT']}/metrics")
            (found,) = re.findall(r"^bottomline_events_waiting_seconds (\S+)$", page.text, re.MULTILINE)
            if is_so(float(found)):
                return float(found)
            await asyncio.sleep(0.2)


class TestOneThatIsKilled:
    """With a broker of the test's own."""

    @pytest.fixture
    def rabbitmq_url(self, own_rabbitmq: LocalRabbitMQ) -> str:
        return own_rabbitmq.url

    async def test_what_stands_in_its_queues_when_it_is_killed_is_handled_when_it_is_back(
        self, stage: Stage, world: World, ann: Browser, own_rabbitmq: LocalRabbitMQ
    ) -> None:
        people = await guests(world, *(f"ann{number}" for number in range(10)))
        await until_signed_up(ann, people[0])
        await stage.mails_arrive(people[:1])
        stage.workers_database.blackhole()  # so the worker keeps what it has in hand, and the rest stays
        stage.rabbitmq.swallow(CONFIRMED)
        await until_signed_up(ann, *people[1:])
        await asyncio.to_thread(own_rabbitmq.kill)
        await stage.workers_database.forward()
        await asyncio.to_thread(own_rabbitmq.start)
        await are_published(world)
        await stage.mails_arrive(people, within=RECONNECTED + LEASE.seconds)

    async def test_a_queue_that_has_lost_its_leader_holds_up_no_other(
        self, stage: Stage, world: World, ann: Browser, own_rabbitmq: LocalRabbitMQ
    ) -> None:
        people = await guests(world, "ann", "bob")
        await until_signed_up(ann, people[0])
        await stage.mails_arrive(people[:1])
        await asyncio.to_thread(own_rabbitmq.strand, "bottomline.sessions")
        await until_signed_up(ann, people[1])
        await stage.mails_arrive(people, within=RECONNECTED)
        assert world.worker is not None
        await world.worker.said("its queue bottomline.sessions, is away")
        await asyncio.to_thread(own_rabbitmq.control, "delete_queue", "bottomline.sessions")
        async with asyncio.timeout(RECONNECTED):
            while "bottomline.sessions" not in await asyncio.to_thread(own_rabbitmq.control, "list_consumers"):  # noqa: ASYNC110
                await asyncio.sleep(0.5)

    async def test_on_a_full_disk_it_takes_no_event_which_is_said_and_later_all(
        self, stage: Stage, world: World, ann: Browser, own_rabbitmq: LocalRabbitMQ
    ) -> None:
        people = await guests(world, "ann", "bob", "eve")
        await until_signed_up(ann, people[0])
        await stage.mails_arrive(people[:1])
        await asyncio.to_thread(own_rabbitmq.control, "set_disk_free_limit", "100000GB")
        for guest in people[1:]:
            assert (await guest.sign_up(ann)).status_code == 202
        assert world.worker is not None
        await world.worker.said(TAKES_NONE)
        assert await waiting(world.worker, lambda seconds: seconds > 0) < 60, "the metrics say so"
        await asyncio.to_thread(own_rabbitmq.control, "set_disk_free_limit", "50MB")
        await are_published(world)
        await stage.mails_arrive(people, within=RECONNECTED)
        await waiting(world.worker, lambda seconds: seconds == 0)
