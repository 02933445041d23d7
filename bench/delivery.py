"""From the outbox to the broker, and from a sign-up to its mail."""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from uuid import uuid4

import asyncpg
import httpx
import uvloop
from sqlalchemy.ext.asyncio import AsyncEngine
from tests.integration.faults.campaign.sink import KillableSink
from tests.integration.journeys.worlds import World, settings_on_servers
from tests.integration.processes import Process, WebProcess
from tests.integration.servers import Servers, running

from adapters.cloudevents.codec import encode
from adapters.memory.signal import MemorySignal
from adapters.rabbitmq.connections import connected
from adapters.rabbitmq.messages import outgoing
from adapters.rabbitmq.publisher import RabbitPublisher
from adapters.rabbitmq.topology import EVENTS, queue_of
from adapters.sql.engine import open_engine
from adapters.sql.migrate import migrate
from adapters.sql.unit_of_work import SqlBegin, Wakers
from adapters.system.clock import SystemClock
from adapters.system.randomness import Uuid7Ids
from application.delivery.consumer import Consumer
from application.delivery.relay_outbox import RelayOutbox
from application.ports import Message
from bench.charts import Bar
from bench.results import ROUNDS, Chart, Group, Rounds, Row, milliseconds, percentile
from domain.events import ConfirmationRequested, Event, InviteClaimed, UserCreated

EVENTS_A_ROUND = 5_000
IN_FLIGHT = 100
SIGN_UPS, A_SECOND = 600, 20.0
BACKLOG = 100_000
WAITING = "SELECT count(*) FROM outbox WHERE published_at IS NULL"
SIGN_UPS_BESIDE = 5.0
Found = tuple[list[Row], list[Bar]]


def measure() -> Group:
    """On Postgres, Redis and RabbitMQ of this run's own; cheap hashing."""
    with running() as servers, tempfile.TemporaryDirectory() as folder:
        return uvloop.run(_measure(servers, Path(folder)))


async def _measure(servers: Servers, folder: Path) -> Group:
    engine = open_engine(servers.postgres, is_patient=True)
    await migrate(engine)
    rows, bars = await relay_beside_bare_publisher(engine, servers.rabbitmq)
    await engine.dispose()
    sink = KillableSink(folder)
    await sink.start()
    settings = settings_on_servers(servers.postgres, servers.redis, servers.rabbitmq, sink.url)
    async with WebProcess(folder, settings) as web, Process("worker", folder=folder, settings=settings) as worker:
        await worker.said("Bottomline's worker relays events")
        world = World(web, worker, folder, {**settings, "BOTTOMLINE_PUBLIC_URL": web.url}, lambda _: [])
        rows += await sign_ups_to_mails(world, sink)
        rows += await backlog(world, servers)
    await sink.close()
    return Group(rows, Chart("Events to the broker", "events a second", bars))


async def relay_beside_bare_publisher(engine: AsyncEngine, rabbitmq: str) -> Found:
    """Events a second of both, in turn, into the same quorum queue."""

    async def handle(_: Message, __: Event) -> None:
        pass

    begin = SqlBegin(engine, Uuid7Ids(), Wakers(MemorySignal(), MemorySignal()))
    publisher = RabbitPublisher(rabbitmq, {"mails": Consumer(frozenset({ConfirmationRequested.type}), handle)})
    relay = RelayOutbox(begin, publisher, SystemClock(), lambda: 0.5)
    bare, relayed = list[float](), list[float]()
    await fill(begin, 100, lambda _: a_confirmation())
    await relay()
    for _ in range(ROUNDS):
        bare.append(await bare_publisher(rabbitmq))
        await fill(begin, EVENTS_A_ROUND, lambda _: a_confirmation())
        begun = time.perf_counter()
        await asyncio.gather(drain(relay), drain(relay))  # as the worker does
        relayed.append(EVENTS_A_ROUND / (time.perf_counter() - begun))
        await purge(rabbitmq)
    await publisher.close()
    ours, least = Rounds(relayed), Rounds(bare)
    share = ours.over(least)
    name = f"bare aio-pika, {IN_FLIGHT} confirms in flight"
    told = f"{ours.median:,.0f} events/s, {share:.0%} of it"
    rows = [
        Row(name, f"{least.median:,.0f} events/s"),
        Row("relay, from Postgres", told, "at least 70 %", share >= 0.7),
    ]
    return rows, [least.bar(name), ours.bar("relay, from Postgres", is_ours=True)]


async def drain(relay: RelayOutbox) -> None:
    while await relay():
        pass


async def bare_publisher(rabbitmq: str) -> float:
    """Events a second without an outbox."""
    events = [a_confirmation() for _ in range(EVENTS_A_ROUND)]
    messages = [Message(uuid4(), event.type, encode(event), datetime.now(UTC)) for event in events]
    free = asyncio.Semaphore(IN_FLIGHT)
    async with connected(rabbitmq) as connection:
        channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
        exchange = await channel.get_exchange(EVENTS, ensure=False)

        async def publish(message: Message) -> None:
            async with free:
                await exchange.publish(outgoing(message), message.type, mandatory=True)

        begun = time.perf_counter()
        await asyncio.gather(*map(publish, messages))
        return EVENTS_A_ROUND / (time.perf_counter() - begun)


async def sign_ups_to_mails(world: World, sink: KillableSink) -> list[Row]:
    """How long after its answer the mail of a sign-up is taken."""
    answered = await sign_ups(world, "mailed", SIGN_UPS, A_SECOND)
    async with asyncio.timeout(60):
        while len(sink.by_address) < len(answered):
            sink.look()
            await asyncio.sleep(0.1)
    waits = [sink.by_address[address][0].at - at for address, (at, _) in answered.items()]
    p50, p99 = percentile(waits, 0.5), percentile(waits, 0.99)
    return [
        Row(
            f"sign-up answered to mail taken, {A_SECOND:.0f} sign-ups/s, p50 and p99",
            milliseconds(p50, p99),
            "p50 under 50 ms, p99 under 250 ms",
            p50 < 0.05 and p99 < 0.25,
        )
    ]


async def backlog(world: World, servers: Servers) -> list[Row]:
    """How a backlog drains, and what sign-ups notice of it."""
    quiet = [seconds for _, seconds in (await sign_ups(world, "quiet", 100, SIGN_UPS_BESIDE)).values()]
    assert world.worker is not None
    await world.worker.stop()
    engine = open_engine(servers.postgres)
    await fill(SqlBegin(engine, Uuid7Ids(), Wakers(MemorySignal(), MemorySignal())), BACKLOG, _mixed)
    await engine.dispose()
    await world.worker.start()
    async with _beside(world) as busy:
        rates = await drained(servers.postgres)
    slower = percentile(busy, 0.5) / percentile(quiet, 0.5)
    return [
        Row(
            f"a backlog of {BACKLOG:,} events drains: slowest and fastest tenth",
            f"{min(rates):,.0f} and {max(rates):,.0f} events/s",
            "a constant rate: not under two thirds",
            min(rates) > max(rates) * 2 / 3,
        ),
        Row(f"sign-up, {SIGN_UPS_BESIDE:.0f}/s in quiet, p50 and p99", _pair(quiet)),
        Row(
            "sign-up while the backlog drains, p50 and p99",
            _pair(busy),
            "p50 as in quiet, within a tenth",
            slower < 1.1,
        ),
    ]


async def drained(postgres: str) -> Sequence[float]:
    """Events a second of each tenth of the backlog, once it is gone."""
    connection = await asyncpg.connect(postgres)
    moments = list[float]()
    for tenth in range(10, -1, -1):
        while await connection.fetchval(WAITING) > tenth * BACKLOG / 10:  # noqa: ASYNC110  nobody tells us
            await asyncio.sleep(0.5)
        moments.append(time.perf_counter())
    await connection.close()
    return [BACKLOG / 10 / (later - sooner) for sooner, later in pairwise(moments)]


@asynccontextmanager
async def _beside(world: World) -> AsyncIterator[list[float]]:
    """Seconds that sign-ups take while the block runs."""
    seconds = list[float]()

    found = dict[str, tuple[float, float]]()
    going = asyncio.create_task(sign_ups(world, "busy", 10_000, SIGN_UPS_BESIDE, found))
    yield seconds
    seconds.extend(taken for _, taken in found.values())
    going.cancel()


async def sign_ups(
    world: World, name: str, number: int, a_second: float, found: dict[str, tuple[float, float]] | None = None
) -> dict[str, tuple[float, float]]:
    """By address: when it was answered, and the seconds that it took. They come at a steady rate, whatever happens."""
    invites = [await world.an_invite(claims=10_000) for _ in range(10)]
    found = {} if found is None else found
    async with httpx.AsyncClient(base_url=world.web.url, timeout=10) as client, asyncio.TaskGroup() as group:

        async def sign_up(nth: int) -> None:
            person = {
                "email": f"{name}{nth}@example.org",
                "username": f"{name}-{nth}",
                "password": "horse battery tree",
            }
            begun = time.perf_counter()
            body = {"invite": invites[nth % 10], **person}
            while (answer := await client.post("/api/users", json=body)).status_code == 503:  # noqa: ASYNC110
                await asyncio.sleep(1)  # the disk stood still; it counts
            assert answer.status_code == 202, answer.text
            found[person["email"]] = time.time(), time.perf_counter() - begun

        begun = time.perf_counter()
        for nth in range(number):
            group.create_task(sign_up(nth))
            await asyncio.sleep(max(0.0, begun + (nth + 1) / a_second - time.perf_counter()))
    return found


async def fill(begin: SqlBegin, number: int, event: Callable[[int], Event]) -> None:
    """Put so many events into the outbox."""
    for start in range(0, number, 500):
        async with begin() as work:
            at = datetime.now(UTC)
            await work.outbox.add(*(event(nth) for nth in range(start, min(start + 500, number))), at=at)


def a_confirmation() -> Event:
    """One that a consumer of ours wants."""
    return ConfirmationRequested(uuid4(), uuid4(), datetime.now(UTC))


def _mixed(nth: int) -> Event:
    """What a sign-up leaves; of nobody, so no mail comes of it."""
    return (a_confirmation(), UserCreated(uuid4(), "nobody"), InviteClaimed(uuid4()))[nth % 3]


async def purge(rabbitmq: str) -> None:
    async with connected(rabbitmq) as connection:
        channel = await connection.channel()
        await (await channel.get_queue(queue_of("mails"))).purge()


def _pair(seconds: Sequence[float]) -> str:
    return milliseconds(percentile(seconds, 0.5), percentile(seconds, 0.99))
