"""What every rate limiter promises: run on the one in process, on Redis, and on Redis with a fallback."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis.asyncio import Redis

from adapters.memory.rate_limiter import MemoryRateLimiter, NoRateLimiter
from adapters.redis import client
from adapters.redis.breaker import Breaker
from adapters.redis.client import open_redis
from adapters.redis.fallback_rate_limiter import FallbackRateLimiter
from adapters.redis.rate_limiter import RedisRateLimiter
from application.ports import Bucket, RateLimiter, Unavailable
from domain.errors import TooManyRequests
from domain.limits import Limit
from tests.integration.patience import PATIENT
from tests.integration.servers import Servers
from tests.integration.servers.ports import LoopbackPort

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
SECRET = b"s" * 32
THREE = Limit("three", 3, 3 * HOUR)
SEVEN = Limit("seven", 7, 7 * HOUR)
LET_TIME_PASS = """
for _, bucket in ipairs(redis.call('KEYS', 'l:*')) do
  local at, taker = string.match(redis.call('GET', bucket), '(%d+) (%w+)')
  local left = redis.call('PTTL', bucket) - ARGV[1] / 1000
  redis.call('SET', bucket, string.format('%.0f %s', at - ARGV[1], taker))
  redis.call('PEXPIRE', bucket, math.floor(left))
end
"""


@dataclass(frozen=True, slots=True)
class Rig:
    """Four limiters that share their buckets, and a way to let time pass for them."""

    limiters: Sequence[RateLimiter]
    advance: Callable[[timedelta], Awaitable[None]]

    async def wait(self, *buckets: Bucket, by: int = 0) -> timedelta:
        """Take; for how long there is to wait; zero where it was granted.

        Rounded up to minutes, for in Redis time goes on while a test runs.
        """
        try:
            await self.limiters[by].take(*buckets)
        except TooManyRequests as refusal:
            return -(-refusal.retry_after // MINUTE) * MINUTE
        return timedelta(0)

    async def granted(self, times: int, *buckets: Bucket) -> int:
        """How many of so many get through."""
        return [await self.wait(*buckets) for _ in range(times)].count(timedelta(0))


def memory_rig() -> Rig:
    now = 10**15

    async def advance(step: timedelta) -> None:
        nonlocal now
        now += step // timedelta(microseconds=1) * 1000

    return Rig([MemoryRateLimiter(timer=lambda: now)] * 4, advance)


async def redis_rig(url: str, stack: AsyncExitStack, *, has_fallback: bool) -> Rig:
    clients = [open_redis(url, PATIENT) for _ in range(4)]
    for each in clients:
        stack.push_async_callback(each.aclose)
    await clients[0].flushall()

    async def advance(step: timedelta) -> None:
        await clients[0].eval(LET_TIME_PASS, 0, str(step // timedelta(microseconds=1)))

    limiters: list[RateLimiter] = [RedisRateLimiter(Breaker(each, patience=PATIENT), SECRET) for each in clients]
    if has_fallback:
        limiters = [FallbackRateLimiter(shared, MemoryRateLimiter()) for shared in limiters]
    return Rig(limiters, advance)


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is counted does not depend on how slow the machine is."""
    monkeypatch.setattr(client, "PATIENCE", 5.0)


@pytest.fixture(params=["memory", "redis", "fallback"])
async def rig(request: pytest.FixtureRequest) -> AsyncIterator[Rig]:
    async with AsyncExitStack() as stack:
        if request.param == "memory":
            yield memory_rig()
        else:
            url = request.getfixturevalue("servers").redis
            yield await redis_rig(url, stack, has_fallback=request.param == "fallback")


@pytest.fixture
async def redis(servers: Servers) -> AsyncIterator[Redis]:
    opened = open_redis(servers.redis, PATIENT)
    await opened.flushall()
    yield opened
    await opened.aclose()


async def test_all_tries_may_come_at_once_and_the_next_one_waits_for_the_first_to_come_back(rig: Rig) -> None:
    assert await rig.granted(3, Bucket(THREE, "ann")) == 3
    assert await rig.wait(Bucket(THREE, "ann")) == HOUR


async def test_tries_come_back_one_by_one(rig: Rig) -> None:
    await rig.granted(3, Bucket(THREE, "ann"))
    for _ in range(5):
        await rig.advance(HOUR)
        assert await rig.granted(3, Bucket(THREE, "ann")) == 1
    await rig.advance(3 * HOUR)
    assert await rig.granted(9, Bucket(THREE, "ann")) == 3


async def test_being_refused_costs_nothing(rig: Rig) -> None:
    await rig.granted(100, Bucket(THREE, "ann"))
    assert await rig.wait(Bucket(THREE, "ann")) == HOUR


async def test_keys_and_limits_are_counted_apart(rig: Rig) -> None:
    await rig.granted(3, Bucket(THREE, "ann"))
    assert await rig.granted(9, Bucket(THREE, "bob")) == 3
    assert await rig.granted(9, Bucket(SEVEN, "ann")) == 7


async def test_it_is_taken_from_all_buckets_or_from_none_and_the_longest_wait_is_told(rig: Rig) -> None:
    slow = Limit("slow", 1, 9 * HOUR)
    await rig.granted(1, Bucket(slow, "ann"), Bucket(THREE, "ann"))
    assert await rig.wait(Bucket(SEVEN, "ann"), Bucket(slow, "ann"), Bucket(THREE, "ann")) == 9 * HOUR
    assert await rig.granted(9, Bucket(SEVEN, "ann")) == 7
    assert await rig.granted(9, Bucket(THREE, "ann")) == 2


async def test_looking_takes_nothing_and_is_refused_where_nothing_is_left(rig: Rig) -> None:
    assert await rig.granted(9, Bucket(THREE, "ann", cost=0)) == 9
    assert await rig.granted(9, Bucket(THREE, "ann")) == 3
    assert await rig.wait(Bucket(THREE, "ann", cost=0)) == HOUR
    await rig.advance(HOUR)
    assert await rig.wait(Bucket(THREE, "ann", cost=0)) == timedelta(0)


async def test_no_buckets_are_no_limit(rig: Rig) -> None:
    assert await rig.granted(9) == 9


async def test_of_many_at_once_exactly_so_many_get_through(rig: Rig) -> None:
    buckets = Bucket(SEVEN, "ann"), Bucket(Limit("many", 1_000, 1_000 * HOUR), "all")
    waits = await asyncio.gather(*(rig.wait(*buckets, by=number % 4) for number in range(200)))
    assert waits.count(timedelta(0)) == 7
    assert await rig.wait(Bucket(buckets[1].limit, "all", cost=993)) == timedelta(0), "the others took nothing"
    assert await rig.wait(buckets[1]) == HOUR


async def test_of_many_bad_tries_at_once_exactly_so_many_are_told_that_they_are_bad(rig: Rig) -> None:
    async def attempt(number: int) -> int:
        limiter = rig.limiters[number % 4]
        try:
            await limiter.take(Bucket(Limit("many", 1_000, 1_000 * HOUR), "all"), Bucket(THREE, "ann", cost=0))
            await limiter.take(Bucket(THREE, "ann"))
        except TooManyRequests:
            return 429
        return 404

    answers = await asyncio.gather(*map(attempt, range(200)))
    assert answers.count(404) == 3


class Model:
    """The reference: what has been taken from a bucket runs out evenly, and never stands above its brim."""

    def __init__(self) -> None:
        self._levels: dict[tuple[str, str], tuple[Fraction, int]] = {}

    def take(self, hour: int, buckets: Sequence[Bucket]) -> timedelta:
        """How long there is to wait; zero, and it is taken, where there is room."""
        levels = [self._level(hour, bucket) for bucket in buckets]
        missing = [
            (level + max(bucket.cost, 1) - bucket.limit.tries) * Fraction(bucket.limit.per / HOUR) / bucket.limit.tries
            for bucket, level in zip(buckets, levels, strict=True)
        ]
        if (wait := max(missing)) > 0:
            return float(wait) * HOUR
        for bucket, level in zip(buckets, levels, strict=True):
            self._levels[bucket.limit.name, bucket.key] = level + bucket.cost, hour
        return timedelta(0)

    def _level(self, hour: int, bucket: Bucket) -> Fraction:
        level, since = self._levels.get((bucket.limit.name, bucket.key), (Fraction(0), hour))
        return max(level - (hour - since) * bucket.limit.tries / Fraction(bucket.limit.per / HOUR), Fraction(0))


LIMITS = [Limit("one", 1, 2 * HOUR), THREE, Limit("four", 4, 12 * HOUR), SEVEN]
BUCKETS = st.builds(Bucket, st.sampled_from(LIMITS), st.sampled_from("ab"), st.sampled_from([0, 1, 1, 1, 2, 5]))
STEPS = st.lists(
    st.tuples(
        st.sampled_from([0, 0, 0, 1, 2, 5, 24]),
        st.lists(BUCKETS, min_size=1, max_size=4, unique_by=lambda bucket: (bucket.limit, bucket.key)),
    ),
    max_size=40,
)


@given(steps=STEPS)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_every_limiter_decides_and_counts_as_the_model_does(
    rig: Rig, steps: list[tuple[int, list[Bucket]]]
) -> None:
    await rig.advance(1_000 * HOUR)
    model, hour = Model(), 0
    for number, (hours, buckets) in enumerate(steps):
        hour += hours
        await rig.advance(hours * HOUR)
        assert await rig.wait(*buckets, by=number % 4) == model.take(hour, buckets)


# In process


async def test_memory_keeps_only_buckets_that_are_not_full_and_drops_the_longest_untouched() -> None:
    seconds = 0
    limiter, rig = MemoryRateLimiter(size=10, timer=lambda: seconds * 10**9), memory_rig()
    rig = Rig([limiter], rig.advance)
    for number in (*range(10), 0, 10):
        await rig.granted(2, Bucket(THREE, f"person {number}"))
    assert len(limiter._full_at) == 10
    assert await rig.wait(Bucket(THREE, "person 1", cost=2)) == timedelta(0), "forgotten, so that it is full"
    assert await rig.wait(Bucket(THREE, "person 0")) == HOUR
    seconds = 3 * 3600
    await limiter.take()
    assert len(limiter._full_at) == 0


async def test_without_limits_everything_passes() -> None:
    assert await Rig([NoRateLimiter()], memory_rig().advance).granted(100, Bucket(THREE, "ann")) == 100


# In Redis


async def test_neither_addresses_nor_users_stand_in_redis_or_can_be_tried(redis: Redis) -> None:
    for secret in (SECRET, b"t" * 32):
        await RedisRateLimiter(Breaker(redis, patience=PATIENT), secret).take(
            Bucket(THREE, "ann@example.org 192.0.2.1")
        )
    names = await redis.keys()
    assert len(names) == 2, "another secret, other names"
    for name in names:
        assert len(name) == 18
        assert b"ann" not in name
        assert b"ann" not in (await redis.get(name) or b"")


async def test_a_bucket_is_gone_from_redis_as_soon_as_it_is_full(redis: Redis) -> None:
    limiter = RedisRateLimiter(Breaker(redis, patience=PATIENT), SECRET)
    await limiter.take(Bucket(SEVEN, "ann", cost=2), Bucket(THREE, "ann", cost=0))
    (name,) = await redis.keys()
    assert 7_140 <= await redis.ttl(name) <= 7_200


async def test_a_clock_that_was_set_back_costs_no_more_than_an_empty_bucket(servers: Servers) -> None:
    async with AsyncExitStack() as stack:
        rig = await redis_rig(servers.redis, stack, has_fallback=False)
        await rig.granted(3, Bucket(THREE, "ann"))
        await rig.advance(-1_000 * HOUR)
        assert await rig.wait(Bucket(THREE, "ann")) == HOUR


async def test_a_script_that_redis_has_forgotten_is_sent_again(redis: Redis) -> None:
    limiter = RedisRateLimiter(Breaker(redis, patience=PATIENT), SECRET)
    await limiter.take(Bucket(THREE, "ann"))
    await redis.script_flush()
    await limiter.take(Bucket(THREE, "ann", cost=2))
    with pytest.raises(TooManyRequests):
        await limiter.take(Bucket(THREE, "ann"))


async def test_connections_that_redis_has_dropped_cost_no_try(redis: Redis, servers: Servers) -> None:
    limiter, twenty = RedisRateLimiter(Breaker(redis, patience=PATIENT), SECRET), Limit("twenty", 20, 20 * HOUR)
    await asyncio.gather(*(limiter.take(Bucket(SEVEN, f"person {number}")) for number in range(20)))
    async with Redis.from_url(servers.redis) as admin:
        await admin.client_kill_filter(_type="normal", skipme=True)
    await asyncio.gather(*(limiter.take(Bucket(twenty, "ann")) for _ in range(20)))
    with pytest.raises(TooManyRequests):
        await limiter.take(Bucket(twenty, "ann"))


class Losing:
    """Stands between a client and Redis, and breaks the connection at the next answer once `is_losing` is set."""

    is_losing = False

    def __init__(self, url: str) -> None:
        self._redis = urlsplit(url)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        """The URL to use instead."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        async with server:
            here = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
            user, at, _ = self._redis.netloc.rpartition("@")
            yield self._redis._replace(netloc=f"{user}{at}{here}").geturl()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        answers, commands = await asyncio.open_connection(self._redis.hostname, self._redis.port or 6379)
        with closing(writer), closing(commands):
            await asyncio.wait(
                {asyncio.create_task(self._asked(reader, commands)), asyncio.create_task(self._told(answers, writer))},
                return_when=asyncio.FIRST_COMPLETED,
            )

    async def _asked(self, client: asyncio.StreamReader, redis: asyncio.StreamWriter) -> None:
        while data := await client.read(65_536):
            redis.write(data)

    async def _told(self, redis: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        while (data := await redis.read(65_536)) and not self.is_losing:
            client.write(data)
        self.is_losing = False


async def test_a_try_whose_answer_was_lost_is_counted_once(redis: Redis, servers: Servers) -> None:
    losing = Losing(servers.redis)
    async with losing.open() as url:
        through = open_redis(url, PATIENT)
        limiter = RedisRateLimiter(Breaker(through, patience=PATIENT), SECRET)
        await limiter.take(Bucket(SEVEN, "ann"))
        losing.is_losing = True
        await limiter.take(Bucket(SEVEN, "ann", cost=3))
        assert not losing.is_losing, "an answer was lost"
        await through.aclose()
    await RedisRateLimiter(Breaker(redis, patience=PATIENT), SECRET).take(Bucket(SEVEN, "ann", cost=3))


@pytest.mark.parametrize("found", [b"what another version wrote", b"1767268800000000 longago"])
async def test_what_is_no_bucket_or_full_for_long_is_a_full_one(redis: Redis, found: bytes) -> None:
    limiter = RedisRateLimiter(Breaker(redis, patience=PATIENT), SECRET)
    await redis.set(limiter._name(Bucket(THREE, "ann")), found)
    await limiter.take(Bucket(THREE, "ann", cost=3))
    with pytest.raises(TooManyRequests):
        await limiter.take(Bucket(THREE, "ann"))


# Without Redis


@pytest.fixture
async def nowhere() -> AsyncIterator[RedisRateLimiter]:
    """A limiter whose Redis is not there."""
    port = LoopbackPort()
    opened = open_redis(f"redis://127.0.0.1:{port.number}")
    yield RedisRateLimiter(Breaker(opened), SECRET)
    await opened.aclose()
    port.release()


async def test_without_redis_the_limiter_says_so(nowhere: RedisRateLimiter) -> None:
    with pytest.raises(Unavailable):
        await nowhere.take(Bucket(THREE, "ann"))


async def test_without_redis_the_same_limits_hold_in_the_process(
    nowhere: RedisRateLimiter, caplog: pytest.LogCaptureFixture
) -> None:
    rig = Rig([FallbackRateLimiter(nowhere, MemoryRateLimiter())], memory_rig().advance)
    with caplog.at_level(logging.WARNING):
        assert await rig.granted(9, Bucket(THREE, "ann")) == 3
    assert len(caplog.records) == 1, "and it is said once"


async def test_a_full_redis_is_as_good_as_none_until_it_has_room_again(redis: Redis) -> None:
    limiter, limit = (
        FallbackRateLimiter(RedisRateLimiter(Breaker(redis, patience=PATIENT), SECRET), MemoryRateLimiter()),
        Bucket(THREE, "ann"),
    )
    rig = Rig([limiter], memory_rig().advance)
    assert await rig.granted(2, limit) == 2
    before = {name: (await redis.config_get(name))[name] or "" for name in ("maxmemory", "maxmemory-policy")}
    await redis.config_set("maxmemory-policy", "noeviction", "maxmemory", "1")
    try:
        assert await rig.granted(9, limit) == 3
    finally:
        for name, value in before.items():
            await redis.config_set(name, value)
    assert await rig.granted(9, limit) == 1, "Redis knows its two"
