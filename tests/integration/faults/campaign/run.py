"""A run: the servers, the processes, the people and the storm."""

import asyncio
import random
import signal
import tempfile
import time
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from adapters.rabbitmq.topology import PARKED
from adapters.sql.engine import open_engine
from adapters.sql.migrate import migrate
from adapters.system.clock import SystemClock
from domain.invite import Invite, InviteTerms
from domain.token import Purpose
from entrypoints.container import opened
from entrypoints.settings import read_settings
from tests.integration.faults.campaign.people import Crowd, Person, Plan
from tests.integration.faults.campaign.sink import KillableSink
from tests.integration.faults.campaign.storm import Fault, Storm, Victim, forecast
from tests.integration.faults.campaign.verdict import Figure, Record, depths, none, unsettled, verdict
from tests.integration.faults.proxy import Proxy
from tests.integration.journeys.worlds import settings_on_servers
from tests.integration.processes import Process, WebProcess
from tests.integration.servers.local_postgres import LocalPostgres
from tests.integration.servers.local_rabbitmq import LocalRabbitMQ
from tests.integration.servers.local_redis import LocalRedis
from tests.integration.servers.local_server import LocalServer

RIVALS = 0.02
"""The share of people whose invite somebody else tries at the same time."""
GO_ON = 0.1
"""The share of people who do more than to sign up."""
QUIET = 300.0
"""Seconds after the last fault within which nothing may wait any more."""


@dataclass(frozen=True)
class Size:
    """How much of everything, and how many sign-ups a second."""

    people: int
    kills: int
    lies: int
    rate: float


@dataclass
class Run:
    """One run, from the first server's start to the table."""

    seed: int
    size: Size
    say: Callable[[str], None]
    errors: list[str] = field(default_factory=list)
    """Lines of the logs that tell of a fault of ours."""

    async def __call__(self) -> Sequence[Figure]:
        """The table."""
        async with AsyncExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bottomline-faults-")))
            self.say("starting Postgres, Redis, RabbitMQ and a mail server")
            await self._start_servers(stack, folder)
            await self._start_processes(stack, folder)
            people = await self._invite()
            crowd = Crowd([web.url for web in self._webs], self._sink, self.seed)
            stack.push_async_callback(crowd.close)
            storm = Storm(self._victims(), self._lines)
            await self._let_loose(storm, crowd, people)
            self.say("waiting until all is quiet")
            left = await self._quiet()
            sessions = {person.number: await crowd.session_status(person) for person in people if person.cookie}
            self._sink.look()
            figures = verdict(people, await Record.read(self._postgres.url), self._sink, storm, sessions)
            return [*figures, *await self._leftovers(left)]

    async def _start_servers(self, stack: AsyncExitStack, folder: Path) -> None:
        self._postgres, self._redis, self._rabbitmq = LocalPostgres(), LocalRedis(), LocalRabbitMQ()
        for server in (self._postgres, self._redis, self._rabbitmq):
            stack.callback(server.close)
        starts = (self._postgres.start, self._redis.start, self._rabbitmq.start)
        await asyncio.gather(*(asyncio.to_thread(start) for start in starts))
        self._sink = KillableSink(folder)
        stack.push_async_callback(self._sink.close)
        await self._sink.start()
        urls = {
            "database": self._postgres.url,
            "workers_database": self._postgres.url,
            "redis": self._redis.url,
            "rabbitmq": self._rabbitmq.url,
            "smtp": self._sink.url,
        }
        self._lines: Mapping[str, Proxy] = {name: Proxy(url) for name, url in urls.items()}
        for line in self._lines.values():
            await stack.enter_async_context(line)
        engine = open_engine(self._postgres.url, is_patient=True)
        await migrate(engine)
        await engine.dispose()

    async def _start_processes(self, stack: AsyncExitStack, folder: Path) -> None:
        urls = {name: line.url for name, line in self._lines.items()}
        settings = settings_on_servers(urls["database"], urls["redis"], urls["rabbitmq"], urls["smtp"])
        workers = {**settings, "BOTTOMLINE_DATABASE_URL": urls["workers_database"]}
        self._webs = [WebProcess(folder, settings) for _ in range(2)]
        self._workers = [Process("worker", folder=folder, settings=workers) for _ in range(2)]
        for process in (*self._webs, *self._workers):
            await stack.enter_async_context(process)
        for worker in self._workers:
            await worker.said("Bottomline's worker relays events")
        await asyncio.sleep(3)  # RabbitMQ 3.10 forgets a quorum queue that is younger when it is killed

    async def _invite(self) -> Sequence[Person]:
        """People with invites; the record has only the invites yet."""
        settings = read_settings(
            settings_on_servers(self._postgres.url, self._redis.url, self._rabbitmq.url, "smtp://x")
        )
        async with opened(settings, announce=self.say) as container:
            ids, at, signer = container.ids(), SystemClock().now(), container.signer()
            people = list(plans(self.seed, self.size.people))
            invites = {person.invite_id: Invite.issue(InviteTerms(), id=ids.new(), by=None, at=at) for person in people}
            for person in people:
                invite = invites[person.invite_id]
                person.invite_id, person.invite = str(invite.id), signer.sign(Purpose.INVITE, invite.id)
            for some in _batches(list(invites.values()), 100):
                async with container.begin()() as work:
                    for invite in some:
                        await work.invites.add(invite)
        return people

    def _victims(self) -> Mapping[str, Victim]:
        async def freeze_sink() -> None:
            self._sink.freeze()

        async def thaw_sink() -> None:
            self._sink.thaw()

        servers = {"postgres": self._postgres, "redis": self._redis, "rabbitmq": self._rabbitmq}
        webs = {f"web {number}": self._process(web) for number, web in enumerate(self._webs)}
        workers = {f"worker {number}": self._process(worker) for number, worker in enumerate(self._workers)}
        smtp = Victim(self._sink.kill, self._sink.start, freeze_sink, thaw_sink)
        return {**{name: _server(one) for name, one in servers.items()}, **webs, **workers, "smtp": smtp}

    def _process(self, process: Process) -> Victim:
        async def kill() -> None:
            await process.stop(signal.SIGKILL)
            self.errors += [line for line in process.lines if '"level": "error"' in line]

        return Victim(kill, process.start)

    async def _let_loose(self, storm: Storm, crowd: Crowd, people: Sequence[Person]) -> None:
        """Have people come at a steady rate, and the faults among them."""
        faults = list(forecast(self.seed, len(people), self.size.kills, self.size.lies))
        watching = asyncio.create_task(self._look_on(people, faults))
        begun = time.monotonic()
        try:
            async with asyncio.TaskGroup() as group:
                for number, person in enumerate(people):
                    while faults and faults[0].after <= number:
                        group.create_task(storm.bring(faults.pop(0)))
                    group.create_task(crowd.live(person))
                    await asyncio.sleep(max(0.0, begun + (number + 1) / self.size.rate - time.monotonic()))
                for fault in faults:
                    group.create_task(storm.bring(fault))
        finally:
            watching.cancel()

    async def _look_on(self, people: Sequence[Person], faults: Sequence[Fault]) -> None:
        """Take in mails, and say how far it has come."""
        while True:
            for _ in range(300):
                self._sink.look()
                await asyncio.sleep(0.1)
            done = sum(1 for person in people if person.signed_up_at)
            self.say(f"{done:,} of {len(people):,} have signed up, {len(faults):,} faults to come")

    async def _quiet(self) -> Mapping[str, int]:
        """End every fault, and wait until nothing waits any more; what does nevertheless."""
        for line in self._lines.values():
            await line.forward()
        deadline = time.monotonic() + QUIET
        while True:
            left = await unsettled(self._postgres.url)
            if not any(left.values()):
                queues = await asyncio.to_thread(depths, self._rabbitmq)
                left = {**left, **{name: number for name, number in queues.items() if name != PARKED}}
            if not any(left.values()) or time.monotonic() > deadline:
                return left
            await asyncio.sleep(0.5)

    async def _leftovers(self, left: Mapping[str, int]) -> Sequence[Figure]:
        waits = [f"{name}: {number}" for name, number in left.items() if number]
        parked = (await asyncio.to_thread(depths, self._rabbitmq))[PARKED]
        for process in (*self._webs, *self._workers):
            self.errors += [line for line in process.lines if '"level": "error"' in line]
        return [
            none("what waits once quiet", waits),
            none("messages parked", [PARKED] * parked),
            none("lines in the logs that tell of a fault of ours", self.errors),
        ]


def plans(seed: int, number: int) -> Iterator[Person]:
    """People, each with a name for their invite, which some have in common."""
    chance = random.Random(f"{seed}/people")
    while number > 0:
        rivals = 2 if number > 1 and chance.random() < RIVALS else 1
        invite = str(number)
        for _ in range(rivals):
            plan = chance.choice((Plan.STAY, Plan.LOG_OUT, Plan.DELETE)) if chance.random() < GO_ON else Plan.NOTHING
            yield Person(number, "", invite, plan)
            number -= 1


def _server(server: LocalServer) -> Victim:
    def in_a_thread(act: Callable[[], None]) -> Callable[[], Coroutine[Any, Any, None]]:
        return lambda: asyncio.to_thread(act)

    return Victim(*(in_a_thread(act) for act in (server.kill, server.start, server.freeze, server.thaw)))


def _batches(invites: Sequence[Invite], size: int) -> Iterator[Sequence[Invite]]:
    for start in range(0, len(invites), size):
        yield invites[start : start + size]


def table(figures: Sequence[Figure]) -> str:
    """Markdown."""
    rows = [f"| {figure.what} | {figure.figure} | {figure.goal} |" for figure in figures]
    return "\n".join(["| what | figure | goal |", "| --- | --- | --- |", *rows])
