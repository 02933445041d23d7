"""What every session cache promises: run on the one in process and on Redis."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from typing import TypeVar
from uuid import uuid4

import msgspec
import pytest
from redis.asyncio import Redis

from adapters.memory.session_cache import MemorySessionCache, NoSessionCache
from adapters.redis.breaker import Breaker
from adapters.redis.client import open_redis
from adapters.redis.copies import Copies
from adapters.redis.session_cache import AT_ONCE, PREFIX, RedisSessionCache
from application.ports import Ended, SessionCache, Unavailable
from domain.email_address import EmailAddress
from domain.session import LoggedIn, Session, SessionKey, SessionLife
from domain.user import Profile, Role
from domain.username import Username
from tests.integration.conftest import eventually
from tests.integration.contracts.sessions import NOW, name_of, somebody
from tests.integration.patience import PATIENT
from tests.integration.servers import Servers
from tests.integration.servers.ports import LoopbackPort

T = TypeVar("T")
A_MINUTE_LATER = NOW + timedelta(minutes=1)
KEY = SessionKey(b"k" * 32)


@pytest.fixture
async def redis(servers: Servers) -> AsyncIterator[Redis]:
    client = open_redis(servers.redis, PATIENT)
    await client.flushall()
    yield client
    await client.aclose()


@pytest.fixture
async def copies(redis: Redis) -> AsyncIterator[Copies]:
    kept = Copies(redis, PREFIX)
    await eventually(lambda: kept.are_current)
    yield kept
    kept.close()


@pytest.fixture(params=["memory", "redis", "redis and copies"])
def cache(request: pytest.FixtureRequest) -> SessionCache:
    if request.param == "memory":
        return MemorySessionCache()
    breaker = Breaker(request.getfixturevalue("redis"), patience=PATIENT)
    return RedisSessionCache(breaker, request.getfixturevalue("copies") if "copies" in request.param else None)


async def test_what_was_put_is_found_whole_but_for_where_it_was_begun(cache: SessionCache) -> None:
    found = somebody()
    begun = replace(found, session=replace(found.session, user_agent="Mozilla/5.0 é", ip="::1"))
    await cache.put(begun, NOW)
    assert await cache.get(found.session.key_hash, NOW) == found


@pytest.mark.parametrize("life", [SessionLife(), SessionLife(timedelta(microseconds=1), timedelta(days=365))])
async def test_every_moment_is_found_to_the_microsecond(cache: SessionCache, life: SessionLife) -> None:
    found = somebody()
    begun = Session.start(
        id=found.session.id, user_id=found.user.id, key=KEY, at=NOW, life=life, user_agent=None, ip=None
    )
    seen = begun.seen(NOW + timedelta(hours=30, microseconds=3), life)
    for session in (begun, seen):
        await cache.forget([session.key_hash])
        await cache.put(LoggedIn(session, found.user), NOW)
        assert await cache.get(session.key_hash, NOW) == LoggedIn(session, found.user)


async def test_nothing_is_known_of_others(cache: SessionCache) -> None:
    await cache.put(somebody(), NOW)
    assert await cache.get(somebody().session.key_hash, NOW) is None


async def test_a_buried_session_is_ended_whatever_comes_late(cache: SessionCache) -> None:
    found, unseen = somebody(), somebody()
    await cache.put(found, NOW)
    await cache.bury([found.session.key_hash, unseen.session.key_hash])
    for late in (found, unseen):
        await cache.put(late, NOW)
        assert await cache.get(late.session.key_hash, NOW) is Ended.ENDED


async def test_burying_again_or_nothing_is_harmless(cache: SessionCache) -> None:
    found = somebody()
    for _ in range(3):
        await cache.bury([found.session.key_hash])
    await cache.bury([])
    assert await cache.get(found.session.key_hash, NOW) is Ended.ENDED


async def test_what_is_buried_unrecorded_is_told_to_every_process_until_it_is_recorded(redis: Redis) -> None:
    cache, other = (RedisSessionCache(Breaker(redis, patience=PATIENT)) for _ in range(2))
    first, second = somebody(), somebody()
    await cache.put(first, NOW)
    await cache.bury_unrecorded([first.session.key_hash, second.session.key_hash])
    assert await other.get(first.session.key_hash, NOW) is Ended.ENDED
    assert set(await other.unrecorded()) == {first.session.key_hash, second.session.key_hash}
    for _ in range(2):
        await other.recorded([first.session.key_hash])
    await other.recorded([])
    assert set(await cache.unrecorded()) == {second.session.key_hash}
    assert await cache.get(first.session.key_hash, NOW) is Ended.ENDED


async def test_of_a_late_reader_and_an_ender_at_once_the_ender_wins(cache: SessionCache) -> None:
    for _ in range(50):
        found = somebody()
        await asyncio.gather(*(cache.put(found, NOW) for _ in range(5)), cache.bury([found.session.key_hash]))
        await cache.put(found, NOW)
        assert await cache.get(found.session.key_hash, NOW) is Ended.ENDED


async def test_redis_forgets_an_entry_after_a_minute_and_a_tombstone_after_two(redis: Redis) -> None:
    cache, found, dead = RedisSessionCache(Breaker(redis, patience=PATIENT)), somebody(), somebody()
    await cache.put(found, NOW)
    await cache.bury([dead.session.key_hash])
    assert 58 <= await redis.ttl(name_of(found)) <= 60
    assert 118 <= await redis.ttl(name_of(dead)) <= 120


async def test_an_entry_is_forgotten_after_a_minute_whatever_keeps_it(cache: SessionCache) -> None:
    """A Redis that was frozen runs what it was sent before, and starts the minute then."""
    found = somebody()
    await cache.put(found, NOW)
    assert await cache.get(found.session.key_hash, NOW + timedelta(seconds=59)) == found
    assert await cache.get(found.session.key_hash, A_MINUTE_LATER) is None


async def test_memory_remembers_an_entry_anew_once_its_minute_is_over() -> None:
    cache, found = MemorySessionCache(), somebody()
    await cache.put(found, NOW)
    changed = replace(found, user=replace(found.user, username=Username("other")))
    await cache.put(changed, NOW)
    assert await cache.get(found.session.key_hash, NOW) == found
    await cache.put(changed, A_MINUTE_LATER)
    assert await cache.get(found.session.key_hash, A_MINUTE_LATER) == changed


async def test_memory_knows_an_ended_session_for_as_long_as_it_has_room() -> None:
    cache, dead, others = MemorySessionCache(size=10), somebody(), [somebody() for _ in range(10)]
    await cache.bury([dead.session.key_hash])
    assert await cache.get(dead.session.key_hash, NOW + timedelta(days=400)) is Ended.ENDED
    for found in others:
        await cache.put(found, NOW)
    assert await cache.get(dead.session.key_hash, NOW) is None


async def test_memory_holds_so_many_and_drops_the_oldest() -> None:
    cache, people = MemorySessionCache(size=10), [somebody() for _ in range(11)]
    for found in people:
        await cache.put(found, NOW)
    assert await cache.get(people[0].session.key_hash, NOW) is None
    assert await cache.get(people[10].session.key_hash, NOW) == people[10]


async def test_nothing_in_redis_is_a_key_or_an_open_secret(redis: Redis) -> None:
    key = SessionKey(b"k" * 32)
    user = Profile(uuid4(), EmailAddress("ann@example.org"), Username("ann"), Role.MEMBER)
    session = Session.start(id=uuid4(), user_id=user.id, key=key, at=NOW, life=SessionLife(), user_agent=None, ip=None)
    await RedisSessionCache(Breaker(redis, patience=PATIENT)).put(LoggedIn(session, user), NOW)
    for name in await redis.keys():
        assert key.secret not in name
        assert key.secret not in (await redis.get(name) or b"")


async def test_a_session_takes_little_of_redis(redis: Redis) -> None:
    """Less than half of what express-session and connect-redis take for the same user: 408 bytes (bench footprint)."""
    found = somebody()
    await RedisSessionCache(Breaker(redis, patience=PATIENT)).put(found, NOW)
    assert 0 < (await redis.memory_usage(name_of(found)) or 0) <= 204


def entry(
    *, created_at: float = NOW.timestamp(), absolute: str = "P14D", email: str = "a@b.cd", role: int = 0
) -> bytes:
    """What is cached of a session, with something that does not fit."""
    ids = (bytes(16), bytes(16))
    return msgspec.msgpack.encode([*ids, created_at, None, 60, "P7D", absolute, email, "ann", role])


@pytest.mark.parametrize(
    "written",
    [
        b"\x81\xa1x\x01",
        b"\x91" * 10_000,
        entry(email="caf\u00e9").replace("\u00e9".encode(), b"\xe9\xe9"),
        entry(created_at=1e18),
        entry(created_at=-1e18),
        entry(created_at=float("nan")),
        entry(absolute="P999999999D"),
        entry(role=99),
    ],
    ids=["map", "deep", "not UTF-8", "far", "long ago", "never", "for ever", "role"],
)
async def test_what_another_version_wrote_is_not_read(redis: Redis, written: bytes) -> None:
    found = somebody()
    await redis.set(name_of(found), written)
    assert await RedisSessionCache(Breaker(redis, patience=PATIENT)).get(found.session.key_hash, NOW) is None


async def test_thousands_are_buried_some_at_a_time(redis: Redis) -> None:
    runs = 0

    class Counting(Breaker):
        async def run(self, call: Callable[[Redis], Awaitable[T]]) -> T:
            nonlocal runs
            runs += 1
            return await super().run(call)

    cache, hashes = (
        RedisSessionCache(Counting(redis, patience=PATIENT)),
        [n.to_bytes(32, "little") for n in range(4_001)],
    )
    await cache.bury_unrecorded(hashes)
    assert runs == 4_001 // AT_ONCE + 1
    assert await cache.unrecorded() == set(hashes)
    assert [await cache.get(key_hash, NOW) for key_hash in (hashes[0], hashes[-1])] == [Ended.ENDED] * 2


async def test_without_redis_nothing_is_known_and_burying_says_so() -> None:
    port = LoopbackPort()
    client = open_redis(f"redis://127.0.0.1:{port.number}")
    cache, found = RedisSessionCache(Breaker(client)), somebody()
    await cache.put(found, NOW)
    assert await cache.get(found.session.key_hash, NOW) is None
    with pytest.raises(Unavailable):
        await cache.bury([found.session.key_hash])
    await client.aclose()
    port.release()


async def test_connections_that_redis_has_dropped_cost_nothing(redis: Redis, servers: Servers) -> None:
    cache, people = RedisSessionCache(Breaker(redis, patience=PATIENT)), [somebody() for _ in range(20)]
    await asyncio.gather(*(cache.put(found, NOW) for found in people))
    async with Redis.from_url(servers.redis) as admin:
        await admin.client_kill_filter(_type="normal", skipme=True)
    assert await asyncio.gather(*(cache.get(found.session.key_hash, NOW) for found in people)) == people


async def test_reads_of_one_moment_are_one_command(redis: Redis) -> None:
    cache, people = RedisSessionCache(Breaker(redis, patience=PATIENT)), [somebody() for _ in range(300)]
    await asyncio.gather(*(cache.put(found, NOW) for found in people))
    await redis.config_resetstat()
    asked = [person.session.key_hash for person in (*people, *people, somebody())]
    assert await asyncio.gather(*(cache.get(key_hash, NOW) for key_hash in asked)) == [*people, *people, None]
    commands = await redis.info("commandstats")
    assert commands["cmdstat_mget"]["calls"] == 3, "at most 256 names in one"
    assert "cmdstat_get" not in commands


async def test_a_reader_that_goes_away_spoils_no_other_ones_answer(redis: Redis) -> None:
    cache, found = RedisSessionCache(Breaker(redis, patience=PATIENT)), somebody()
    await cache.put(found, NOW)
    readers = [asyncio.ensure_future(cache.get(found.session.key_hash, NOW)) for _ in range(3)]
    await asyncio.sleep(0)
    readers[1].cancel()
    answers = await asyncio.gather(*readers, return_exceptions=True)
    assert answers[0] == answers[2] == found
    assert isinstance(answers[1], asyncio.CancelledError)


async def test_no_cache_knows_nothing() -> None:
    cache, found = NoSessionCache(), somebody()
    await cache.put(found, NOW)
    await cache.bury([found.session.key_hash])
    assert await cache.get(found.session.key_hash, NOW) is None


async def test_an_old_copy_of_redis_revives_no_session(redis: Redis) -> None:
    cache, found = RedisSessionCache(Breaker(redis, patience=PATIENT)), somebody()
    await cache.put(found, NOW)
    (name,) = await redis.keys()
    copy = await redis.dump(name)
    assert copy is not None
    await cache.bury([found.session.key_hash])
    await redis.flushall()
    await redis.restore(name, 0, copy)
    assert await cache.get(found.session.key_hash, NOW) == found, "the copy is whole"
    assert await cache.get(found.session.key_hash, A_MINUTE_LATER) is None
