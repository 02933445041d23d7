"""What every memory of usernames promises: run on the one in process, on Redis, and on Redis with a fallback."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from adapters.memory.usernames import MemoryUsernames
from adapters.redis.breaker import Breaker
from adapters.redis.client import open_redis
from adapters.redis.fallback_usernames import FallbackUsernames
from adapters.redis.usernames import RedisUsernames
from application.ports import Holder, Unavailable, Usernames
from domain.username import Username
from tests.integration.patience import PATIENT
from tests.integration.servers import Servers
from tests.integration.servers.ports import LoopbackPort

ANN, BOB = Username("ann"), Username("用户名字")
ONE, OTHER = b"\x00one\xff", b"other"


@pytest.fixture
async def redis(servers: Servers) -> AsyncIterator[Redis]:
    client = open_redis(servers.redis, PATIENT)
    await client.flushall()
    yield client
    await client.aclose()


@pytest.fixture
async def away() -> AsyncIterator[RedisUsernames]:
    """A Redis that is not there."""
    port = LoopbackPort()
    client = open_redis(f"redis://127.0.0.1:{port.number}")
    yield RedisUsernames(Breaker(client))
    await client.aclose()
    port.release()


@pytest.fixture(params=["memory", "redis", "redis with a fallback", "the fallback"])
def usernames(request: pytest.FixtureRequest) -> Usernames:
    match request.param:
        case "memory":
            return MemoryUsernames()
        case "redis":
            return RedisUsernames(Breaker(request.getfixturevalue("redis"), patience=PATIENT))
        case "redis with a fallback":
            return FallbackUsernames(
                RedisUsernames(Breaker(request.getfixturevalue("redis"), patience=PATIENT)), MemoryUsernames()
            )
        case _:
            return FallbackUsernames(request.getfixturevalue("away"), MemoryUsernames())


async def test_a_reserved_name_is_out_of_reach_of_others(usernames: Usernames) -> None:
    assert await usernames.get(ANN) is None
    assert await usernames.add(ANN, Holder(ONE))
    assert await usernames.get(ANN) == Holder(ONE)
    assert not await usernames.add(ANN, Holder(OTHER))
    assert not await usernames.add(ANN, Holder(OTHER, is_taken=True))
    assert await usernames.get(ANN) == Holder(ONE)
    assert await usernames.add(BOB, Holder(OTHER))


async def test_names_that_look_alike_are_one(usernames: Usernames) -> None:
    assert await usernames.add(Username("Ann"), Holder(ONE))
    assert not await usernames.add(Username("ANN"), Holder(OTHER))


async def test_an_owner_that_repeats_itself_is_not_refused(usernames: Usernames) -> None:
    for holder in (Holder(ONE), Holder(ONE), Holder(ONE, is_taken=True), Holder(ONE, is_taken=True), Holder(ONE)):
        assert await usernames.add(ANN, holder)
    assert await usernames.get(ANN) == Holder(ONE, is_taken=True), "a taken name is not made free by its owner's repeat"


async def test_a_reservation_is_freed_by_its_owner_alone(usernames: Usernames) -> None:
    await usernames.add(ANN, Holder(ONE))
    await usernames.delete(ANN, OTHER)
    assert await usernames.get(ANN) == Holder(ONE)
    for _ in range(2):
        await usernames.delete(ANN, ONE)
    assert await usernames.get(ANN) is None
    assert await usernames.add(ANN, Holder(OTHER))


async def test_a_taken_name_is_not_freed(usernames: Usernames) -> None:
    await usernames.add(ANN, Holder(ONE, is_taken=True))
    await usernames.delete(ANN, ONE)
    assert await usernames.get(ANN) == Holder(ONE, is_taken=True)
    assert not await usernames.add(ANN, Holder(OTHER))


async def test_of_many_who_want_one_name_at_once_one_gets_it(usernames: Usernames) -> None:
    answers = await asyncio.gather(*(usernames.add(ANN, Holder(b"%d" % number)) for number in range(50)))
    assert answers.count(True) == 1


async def test_redis_forgets_a_reservation_after_half_a_minute_and_a_taken_name_after_an_hour(redis: Redis) -> None:
    usernames = RedisUsernames(Breaker(redis, patience=PATIENT))
    await usernames.add(ANN, Holder(ONE))
    await usernames.add(BOB, Holder(ONE, is_taken=True))
    assert 28 <= await redis.ttl(b"u:" + ANN.key.encode()) <= 30
    assert 3598 <= await redis.ttl(b"u:" + BOB.key.encode()) <= 3600


async def test_memory_forgets_a_reservation_after_half_a_minute_and_a_taken_name_after_an_hour() -> None:
    seconds = 0.0
    usernames = MemoryUsernames(timer=lambda: seconds)
    await usernames.add(ANN, Holder(ONE))
    await usernames.add(BOB, Holder(ONE, is_taken=True))
    seconds = 30.0
    assert await usernames.add(ANN, Holder(OTHER))
    assert not await usernames.add(BOB, Holder(OTHER))
    seconds = 3600.0
    assert await usernames.get(BOB) is None


async def test_memory_holds_so_many_and_drops_the_oldest() -> None:
    usernames = MemoryUsernames(size=10)
    for number in range(11):
        await usernames.add(Username(f"ann{number}"), Holder(ONE))
    assert await usernames.get(Username("ann0")) is None
    assert await usernames.get(Username("ann10")) == Holder(ONE)


async def test_without_redis_its_adapter_says_so(away: RedisUsernames) -> None:
    for attempt in (away.get(ANN), away.add(ANN, Holder(ONE)), away.delete(ANN, ONE)):
        with pytest.raises(Unavailable):
            await attempt
