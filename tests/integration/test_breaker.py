"""The breaker before Redis, on a Redis that is frozen, killed, full, busy and read-only for real."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

import pytest
from redis.asyncio import Redis

from adapters.redis.breaker import PAUSE, QUIET, Breaker
from adapters.redis.client import open_redis
from application.ports import Unavailable
from tests.integration.patience import HandTimer
from tests.integration.servers.local_redis import LocalRedis

T = TypeVar("T")
LOGGER = "adapters.redis.breaker"


class Callers:
    """Calls through a breaker, counted where they reach the client."""

    def __init__(self, breaker: Breaker) -> None:
        self._breaker = breaker
        self.through = 0

    async def get(self, name: str = "name") -> bytes | str | None:
        return await self._run(lambda redis: redis.get(name))

    async def set(self, name: str = "name", value: str = "value") -> object:
        return await self._run(lambda redis: redis.set(name, value))

    async def many(self, number: int) -> list[object]:
        return await asyncio.gather(*(self.get() for _ in range(number)), return_exceptions=True)

    async def _run(self, call: Callable[[Redis], Awaitable[T]]) -> T:
        def counted(redis: Redis) -> Awaitable[T]:
            self.through += 1
            return call(redis)

        return await self._breaker.run(counted)


@pytest.fixture
def timer() -> HandTimer:
    return HandTimer()


@pytest.fixture
async def client(own_redis: LocalRedis) -> AsyncIterator[Redis]:
    opened = open_redis(own_redis.url)
    yield opened
    await opened.aclose()


@pytest.fixture
def callers(client: Redis, timer: HandTimer) -> Callers:
    return Callers(Breaker(client, timer))


@pytest.fixture
async def admin(own_redis: LocalRedis) -> AsyncIterator[Redis]:
    """A connection of the operator's, past the breaker."""
    async with Redis.from_url(own_redis.url) as opened:
        yield opened


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage().split(",")[0].split(":")[0] for record in caplog.records if record.name == LOGGER]


async def test_a_frozen_redis_is_waited_for_once_and_then_left_alone(
    own_redis: LocalRedis, callers: Callers, caplog: pytest.LogCaptureFixture
) -> None:
    await callers.set()
    own_redis.freeze()
    begun = time.perf_counter()
    with pytest.raises(Unavailable):
        await callers.get()
    assert time.perf_counter() - begun < 2, "a quarter of a second, and some for a busy machine"
    callers.through = 0
    begun = time.perf_counter()
    assert {type(answer) for answer in await callers.many(500)} == {Unavailable}
    assert time.perf_counter() - begun < 1
    assert callers.through == 0
    assert caplog.messages == ["Redis is away, the service goes on without it: no answer within 0.25 s"]
    own_redis.thaw()


@pytest.mark.parametrize("fault", ["killed", "frozen"])
async def test_after_a_pause_one_call_goes_to_see_and_what_it_finds_is_believed(
    own_redis: LocalRedis, callers: Callers, timer: HandTimer, caplog: pytest.LogCaptureFixture, fault: str
) -> None:
    await callers.set()
    (own_redis.kill if fault == "killed" else own_redis.freeze)()
    await callers.many(1)
    for _ in range(3):
        callers.through = 0
        timer.seconds += PAUSE
        assert {type(answer) for answer in await callers.many(20)} == {Unavailable}
        assert callers.through == 1
    (own_redis.start if fault == "killed" else own_redis.thaw)()
    with pytest.raises(Unavailable):
        await callers.get()
    timer.seconds += PAUSE
    await callers.set()
    assert await callers.many(20) == [b"value"] * 20
    assert said(caplog) == ["Redis is away", "Redis is back"]


async def test_a_probe_that_is_given_up_does_not_keep_the_others_out(
    own_redis: LocalRedis, callers: Callers, timer: HandTimer
) -> None:
    own_redis.freeze()
    await callers.many(1)
    timer.seconds += PAUSE
    probe = asyncio.create_task(callers.get())
    await asyncio.sleep(0)
    probe.cancel()
    await asyncio.gather(probe, return_exceptions=True)
    own_redis.thaw()
    timer.seconds += PAUSE
    assert await callers.get() is None


async def test_calls_that_were_given_up_leave_no_answers_for_others(
    own_redis: LocalRedis, callers: Callers, timer: HandTimer
) -> None:
    for number in range(40):
        await callers.set(f"name{number}", f"value{number}")
    own_redis.freeze()
    await asyncio.gather(*(callers.get(f"name{number}") for number in range(40)), return_exceptions=True)
    own_redis.thaw()
    timer.seconds += PAUSE
    await callers.get()
    answers = await asyncio.gather(*(callers.get(f"name{number}") for number in range(40)))
    assert answers == [b"value%d" % number for number in range(40)]


async def test_a_restart_between_two_calls_costs_none(own_redis: LocalRedis, callers: Callers) -> None:
    await callers.many(20)
    own_redis.stop()
    own_redis.start()
    assert await callers.many(20) == [None] * 20


async def test_a_full_redis_is_still_read(
    admin: Redis, callers: Callers, timer: HandTimer, caplog: pytest.LogCaptureFixture
) -> None:
    await callers.set()
    await admin.config_set("maxmemory", "1")
    for _ in range(5):
        with pytest.raises(Unavailable):
            await callers.set()
        assert await callers.get() == b"value"
    assert said(caplog) == ["Redis refuses what it is asked"]
    timer.seconds += QUIET
    with pytest.raises(Unavailable):
        await callers.set()
    assert len(said(caplog)) == 2, "it is said again after a minute"


async def test_a_replica_is_still_read_unless_it_answers_nobody(admin: Redis, callers: Callers) -> None:
    await callers.set()
    await admin.replicaof("127.0.0.1", "1")
    with pytest.raises(Unavailable):
        await callers.set()
    assert await callers.get() == b"value"
    await admin.config_set("replica-serve-stale-data", "no")
    with pytest.raises(Unavailable):
        await callers.get()
    callers.through = 0
    await callers.many(20)
    assert callers.through == 0


async def test_a_redis_that_runs_a_script_without_end_is_left_alone(
    own_redis: LocalRedis, admin: Redis, callers: Callers, timer: HandTimer
) -> None:
    await admin.config_set("busy-reply-threshold", "1")
    async with Redis.from_url(own_redis.url) as other:
        script = asyncio.ensure_future(other.eval("while true do end", 0))
        await asyncio.sleep(0.1)
        assert {type(answer) for answer in await callers.many(1)} == {Unavailable}
        callers.through = 0
        await callers.many(20)
        assert callers.through == 0
        await admin.script_kill()
        await asyncio.gather(script, return_exceptions=True)
    timer.seconds += PAUSE
    assert await callers.get() is None


async def test_a_wait_that_this_process_overslept_says_nothing_about_redis(client: Redis) -> None:
    """Else a crowd that keeps the loop busy for a moment would be sent to the database, and keep it busier still."""
    breaker = Breaker(client)

    async def busy(redis: Redis) -> bytes | str | None:
        time.sleep(0.6)  # noqa: ASYNC251  the loop is to be busy
        return await redis.get("nothing")

    with pytest.raises(Unavailable):
        await breaker.run(busy)
    assert await breaker.run(lambda redis: redis.ping())
