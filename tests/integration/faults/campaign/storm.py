"""Which faults come when, by a seed, and what they do."""

import asyncio
import random
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tests.integration.faults.proxy import COMMITTED, CONFIRMED, DATA_TAKEN, Answer, Proxy

SHARES = {"postgres": 4, "redis": 3, "rabbitmq": 2, "smtp": 4, "web 0": 3, "web 1": 3, "worker 0": 3, "worker 1": 3}
"""How the kills are shared out; RabbitMQ takes the longest to come back."""
FREEZABLE = ("postgres", "redis", "rabbitmq", "smtp")
LIES: Mapping[str, Answer] = {
    "database": COMMITTED,
    "workers_database": COMMITTED,
    "rabbitmq": CONFIRMED,
    "smtp": DATA_TAKEN,
}


@dataclass(frozen=True)
class Fault:
    """What is done to whom, once so many people have begun to sign up, and for how long."""

    after: int
    kind: str
    target: str
    seconds: float


@dataclass(frozen=True)
class Victim:
    """A server or process that can be killed, frozen and started."""

    kill: Callable[[], Awaitable[None]]
    start: Callable[[], Awaitable[None]]
    freeze: Callable[[], Awaitable[None]] | None = None
    thaw: Callable[[], Awaitable[None]] | None = None


def forecast(seed: int, people: int, kills: int, lies: int) -> Sequence[Fault]:
    """The faults of a run, in order: the same ones for the same numbers."""
    chance = random.Random(seed)
    faults = [*_kills(chance, people, kills), *_lies(chance, people, lies), *_cuts(chance, people, kills // 2)]
    return sorted(faults, key=lambda fault: fault.after)


def _kills(chance: random.Random, people: int, number: int) -> Iterator[Fault]:
    targets = [target for target, share in SHARES.items() for _ in range(share)]
    chance.shuffle(targets)
    for nth in range(number):
        yield Fault(chance.randrange(people), "kill", targets[nth % len(targets)], chance.uniform(0, 1.5))


def _lies(chance: random.Random, people: int, number: int) -> Iterator[Fault]:
    for nth in range(number):
        yield Fault(chance.randrange(people), "swallow", list(LIES)[nth % len(LIES)], 0)


def _cuts(chance: random.Random, people: int, number: int) -> Iterator[Fault]:
    lines = (*LIES, "redis")
    for nth in range(number):
        after, seconds = chance.randrange(people), chance.uniform(0.2, 4)
        if nth % 4 == 0:
            yield Fault(after, "freeze", chance.choice(FREEZABLE), seconds)
        else:
            kind = ("reset", "black hole", "latency")[nth % 4 - 1]
            yield Fault(after, kind, chance.choice(lines), seconds)


@dataclass
class Storm:
    """Brings the faults. Those of one target come one after the other, those of several at once."""

    victims: Mapping[str, Victim]
    lines: Mapping[str, Proxy]
    done: Counter[str] = field(default_factory=Counter)
    back_at: list[tuple[str, float]] = field(default_factory=list)
    """Who was killed, and when it was there again."""
    troubles: list[tuple[str, float, float]] = field(default_factory=list)
    """Whom a fault hit, from when, until when."""

    def __post_init__(self) -> None:
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def bring(self, fault: Fault) -> None:
        """Do it, and undo it after its time."""
        async with self._turns[fault.target]:
            begun = time.time()
            if fault.kind in {"kill", "freeze"}:
                await self._strike(fault)
            else:
                await self._disturb(fault)
            self.troubles.append((fault.target, begun, time.time()))
            self.done[f"{fault.kind} {fault.target}"] += 1

    async def _strike(self, fault: Fault) -> None:
        victim = self.victims[fault.target]
        if fault.kind == "kill":
            await victim.kill()
            await asyncio.sleep(fault.seconds)
            await victim.start()
            self.back_at.append((fault.target, time.time()))
            return
        assert victim.freeze is not None
        assert victim.thaw is not None
        await victim.freeze()
        await asyncio.sleep(fault.seconds)
        await victim.thaw()

    async def _disturb(self, fault: Fault) -> None:
        line = self.lines[fault.target]
        match fault.kind:
            case "swallow":
                line.swallow(LIES[fault.target])
            case "reset":
                await line.reset()
            case "black hole":
                line.blackhole()
                await asyncio.sleep(fault.seconds)
                line.let_pass()
            case "latency":
                line.delay(fault.seconds / 20)
                await asyncio.sleep(fault.seconds)
                line.delay(0)
