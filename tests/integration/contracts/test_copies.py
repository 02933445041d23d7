"""Copies of what Redis remembers are as good as asking it, on a Redis that changes, hangs, dies and refuses."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from adapters.redis.breaker import Breaker
from adapters.redis.client import PATIENCE, open_redis
from adapters.redis.copies import NEWS, Copies
from adapters.redis.session_cache import PREFIX, RedisSessionCache
from adapters.redis.tracking import GIVEN_UP, LEASE, LIFE, PAUSE, REFUSED
from application.ports import Ended, Unavailable
from domain.session import LoggedIn
from tests.integration.conftest import eventually
from tests.integration.contracts.sessions import NOW, name_of, somebody
from tests.integration.faults.proxy import Proxy
from tests.integration.patience import PATIENT, HandTimer
from tests.integration.servers import Servers
from tests.integration.servers.local_redis import LocalRedis
from tests.tls import certify


class Process:
    """What one process has of sessions: its cache, its copies and its connections."""

    def __init__(self, url: str, *, size: int = 100, patience: float = PATIENT, told_by: str = "") -> None:
        self.redis = open_redis(url, patience)
        self.timer = HandTimer()  # a machine that stands still is no reason to ask Redis again
        self.copies = Copies(open_redis(told_by or url), PREFIX, size, self.timer)
        self.cache = RedisSessionCache(Breaker(self.redis, patience=patience), self.copies)

    async def get(self, found: LoggedIn, after: float = 0) -> LoggedIn | Ended | None:
        return await self.cache.get(found.session.key_hash, NOW + timedelta(seconds=after))

    def copy(self, found: LoggedIn) -> LoggedIn | None:
        """What it would say without asking."""
        return self.copies.get(name_of(found), NOW.timestamp())

    async def listens(self) -> None:
        """Wait until it is told of changes."""
        await eventually(lambda: self.copies.are_current)

    async def knows(self, found: LoggedIn) -> None:
        """Let it have a copy."""
        await self.cache.put(found, NOW)
        async with asyncio.timeout(10):
            while self.copy(found) is None:
                assert await self.get(found) == found
                await asyncio.sleep(0.005)


class EncryptedRedis(LocalRedis):
    """It takes TLS alone, and wants a password."""

    def __init__(self, certificate: Path) -> None:
        super().__init__()
        self._certificate = self.folder / "certificate.pem"
        self._certificate.write_bytes(certificate.read_bytes())

    @property
    def url(self) -> str:
        return f"rediss://:secret@127.0.0.1:{self._port.number}/0?ssl_ca_certs={self._certificate}"

    def command(self) -> list[str]:
        options = {
            "port": "0",
            "tls-port": str(self._port.number),
            "tls-auth-clients": "no",
            "requirepass": "secret",
            **{f"tls-{what}-file": str(self._certificate) for what in ("cert", "key", "ca-cert")},
        }
        return [*super().command(), *(word for name, value in options.items() for word in (f"--{name}", value))]


class OldRedis(LocalRedis):
    """It does not know HELLO, as before Redis 6, and wants a password."""

    @property
    def url(self) -> str:
        return f"redis://:secret@127.0.0.1:{self._port.number}/0?protocol=2"

    def command(self) -> list[str]:
        return [*super().command(), "--requirepass", "secret", "--rename-command", "HELLO", ""]


@asynccontextmanager
async def process(url: str, **others: Any) -> AsyncIterator[Process]:
    one = Process(url, **others)
    try:
        await one.listens()
        yield one
    finally:
        one.copies.close()
        await one.redis.aclose()


@pytest.fixture
async def here(servers: Servers) -> AsyncIterator[Process]:
    async with process(servers.redis) as one:
        await one.redis.flushall()
        yield one


@pytest.fixture
async def there(servers: Servers) -> AsyncIterator[Process]:
    async with process(servers.redis) as one:
        yield one


async def reads(redis: Redis) -> int:
    stats = await redis.info("commandstats")
    return int(stats["cmdstat_mget"]["calls"]) if "cmdstat_mget" in stats else 0


async def test_what_redis_has_said_once_it_is_not_asked_again(here: Process) -> None:
    found = somebody()
    await here.knows(found)
    await here.redis.config_resetstat()
    for _ in range(100):
        assert await here.get(found) == found
    assert await reads(here.redis) == 0


async def test_a_session_that_ends_elsewhere_is_over_here_at_once(here: Process, there: Process) -> None:
    for _ in range(200):
        found = somebody()
        await here.knows(found)
        await there.cache.bury([found.session.key_hash])
        assert await here.get(found) is Ended.ENDED


async def test_what_a_process_ends_or_forgets_itself_it_knows_without_being_told(here: Process) -> None:
    for change in (here.cache.bury, here.cache.bury_unrecorded, here.cache.forget):
        found = somebody()
        await here.knows(found)
        changing = asyncio.ensure_future(change([found.session.key_hash]))
        await asyncio.sleep(0)
        assert here.copy(found) is None, "before Redis has answered"
        await changing


async def test_a_profile_that_changes_elsewhere_is_read_anew_at_once(here: Process, there: Process) -> None:
    found = somebody()
    await here.knows(found)
    await there.cache.forget([found.session.key_hash])
    assert await here.get(found) is None


async def test_a_redis_that_is_emptied_leaves_no_copy(here: Process, there: Process) -> None:
    found = somebody()
    await here.knows(found)
    await there.redis.flushdb()
    await eventually(lambda: here.copy(found) is None)


async def test_a_read_while_this_process_ends_its_session_leaves_no_copy_though_news_come_late(
    servers: Servers,
) -> None:
    async with Proxy(servers.redis) as slow, process(servers.redis, told_by=slow.url) as here:
        found = somebody()
        await here.knows(found)
        slow.delay(0.5)
        ending = asyncio.ensure_future(here.cache.bury([found.session.key_hash]))
        await asyncio.sleep(0)
        here.copies.keep(name_of(found), found, NOW.timestamp() + 60, here.copies.heard)
        assert here.copy(found) == found, "Redis had said so before it heard of the end"
        await ending
        assert here.copy(found) is None


async def test_whoever_ends_a_session_asks_once_more_before_they_go_on(here: Process, there: Process) -> None:
    """Redis tells of a change in the turn in which it makes it, maybe after its answer, and before it reads again."""
    for end in (there.cache.bury, there.cache.bury_unrecorded, there.cache.forget):
        await here.redis.config_resetstat()
        await end([somebody().session.key_hash])
        stats = await here.redis.info("commandstats")
        assert stats["cmdstat_echo"]["calls"] == 1


async def test_a_read_during_which_its_session_ended_leaves_no_copy(here: Process) -> None:
    """Its answer may be the older one, though it is heard after the news."""
    found, other = somebody(), somebody()
    until = NOW.timestamp() + 60
    heard = here.copies.heard
    here.copies.drop([name_of(found)])
    for one in (found, other):
        here.copies.keep(name_of(one), one, until, heard)
    assert [here.copy(one) for one in (found, other)] == [None, other]
    here.copies.keep(name_of(found), found, until, here.copies.heard)
    assert here.copy(found) == found, "a read that began later is believed"


async def test_more_news_than_are_kept_in_order_concern_every_read_that_is_under_way(here: Process) -> None:
    found = somebody()
    heard = here.copies.heard
    here.copies.drop(number.to_bytes(14, "big") for number in range(NEWS + 1))
    here.copies.keep(name_of(found), found, NOW.timestamp() + 60, heard)
    assert here.copy(found) is None
    here.copies.keep(name_of(found), found, NOW.timestamp() + 60, here.copies.heard)
    assert here.copy(found) == found


async def test_a_copy_is_good_for_no_longer_than_what_it_is_of(here: Process) -> None:
    found = somebody()
    await here.cache.put(found, NOW)
    await eventually(lambda: here.copies.heard > 0)
    assert await here.get(found, after=30) == found
    assert await here.get(found, after=59) == found
    assert await here.get(found, after=60) is None


async def test_so_many_copies_are_kept_and_the_oldest_goes_first(servers: Servers) -> None:
    people = [somebody() for _ in range(4)]
    async with process(servers.redis, size=3) as here:
        for found in people:
            await here.knows(found)
        assert [here.copy(found) for found in people] == [None, *people[1:]]


async def test_copies_are_believed_for_as_long_as_redis_proves_that_it_tells(here: Process) -> None:
    found = somebody()
    await here.knows(found)
    here.timer.seconds += LEASE / 2
    assert here.copy(found) == found, "and a new proof is asked for"
    await asyncio.sleep(0.2)
    here.timer.seconds += LEASE * 0.9
    assert here.copy(found) == found, "which has come"
    here.timer.seconds += LEASE
    assert here.copy(found) is None
    assert await here.get(found) == found, "Redis is asked"


async def test_no_copy_outlives_the_wait_of_whoever_ends_sessions_though_redis_hangs(own_redis: LocalRedis) -> None:
    assert LEASE <= PATIENCE
    found = somebody()
    async with process(own_redis.url, patience=PATIENCE) as here, process(own_redis.url, patience=PATIENCE) as there:
        await here.knows(found)
        await there.cache.put(somebody(), NOW)
        own_redis.freeze()
        with pytest.raises(Unavailable):
            await there.cache.bury([found.session.key_hash])
        here.timer.seconds += PATIENCE
        assert await here.get(found) is None
        own_redis.thaw()


async def test_a_redis_that_dies_takes_the_copies_along_and_one_that_comes_back_tells_again(
    own_redis: LocalRedis,
) -> None:
    found = somebody()
    async with process(own_redis.url, patience=PATIENCE) as here:
        await here.knows(found)
        own_redis.kill()
        await eventually(lambda: here.copy(found) is None)
        own_redis.start()
        await here.cache.put(found, NOW)
        assert await here.get(found) == found
        here.timer.seconds += PAUSE
        await here.listens()
        assert here.copy(found) is None, "it was read before Redis told of changes"
        await here.knows(found)


async def test_a_connection_that_proves_nothing_any_more_is_given_up_for_another(own_redis: LocalRedis) -> None:
    found = somebody()
    async with process(own_redis.url) as here:
        await here.knows(found)
        before = await told(own_redis)
        own_redis.freeze()
        here.timer.seconds += LEASE
        assert here.copy(found) is None, "and a proof is asked for in vain"
        here.timer.seconds += GIVEN_UP + PAUSE
        assert here.copy(found) is None
        own_redis.thaw()
        await here.listens()
        after = await told(own_redis)
        assert len(after) == len(before) == 1
        assert before != after


async def test_a_connection_is_made_anew_now_and_then(own_redis: LocalRedis) -> None:
    """After a failover it may be to a server that nobody else uses any more."""
    async with process(own_redis.url) as here:
        before = await told(own_redis)
        here.timer.seconds += LIFE + 1
        assert not here.copies.are_current
        here.timer.seconds += PAUSE
        await here.listens()
        after = await told(own_redis)
        assert len(after) == len(before) == 1
        assert before != after


async def told(redis: LocalRedis) -> set[str]:
    """The connections that are told of changes."""
    async with Redis.from_url(redis.url) as admin:
        return {client["id"] for client in await admin.client_list() if "t" in client["flags"]}


async def test_what_is_soon_over_keeps_copies_away_for_a_second_only(own_redis: LocalRedis) -> None:
    """A Redis that is busy with a script refuses to tell meanwhile."""
    here = Process(own_redis.url)
    async with Redis.from_url(own_redis.url) as admin, Redis.from_url(own_redis.url) as other:
        await admin.config_set("busy-reply-threshold", "1")
        running = asyncio.ensure_future(admin.eval("while true do end", 0))
        await asyncio.sleep(0.1)
        assert not here.copies.are_current, "and it connects"
        await asyncio.sleep(0.2)
        await other.script_kill()
        with pytest.raises(RedisError):
            await running
        here.timer.seconds += PAUSE
        await here.listens()
    here.copies.close()
    await here.redis.aclose()


async def test_a_redis_that_cannot_save_still_tells(own_redis: LocalRedis) -> None:
    found = somebody()
    async with Redis.from_url(own_redis.url) as admin, process(own_redis.url) as here:
        await here.knows(found)
        own_redis.folder.chmod(0o500)
        await admin.config_set("save", "3600 1")
        await admin.bgsave()
        async with asyncio.timeout(20):
            while "MISCONF" not in await refusal_of_writing(admin):  # noqa: ASYNC110  nobody tells us
                await asyncio.sleep(0.05)
        for _ in range(3):
            here.timer.seconds += LEASE / 2
            assert here.copy(found) == found
            await asyncio.sleep(0.05)
        own_redis.folder.chmod(0o700)


async def refusal_of_writing(redis: Redis) -> str:
    try:
        await redis.set("other", "2")
    except RedisError as error:
        return str(error)
    return ""


async def test_no_password_is_quoted_by_a_redis_that_knows_no_greeting(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with OldRedis() as old:
        found, here = somebody(), Process(old.url)
        await here.cache.put(found, NOW)
        for _ in range(3):
            assert await here.get(found) == found
            await asyncio.sleep(0.05)
            here.timer.seconds += REFUSED
        assert "unknown command" in caplog.text
        assert "secret" not in caplog.text
        here.copies.close()
        await here.redis.aclose()


async def test_a_user_without_a_password_is_who_hears(own_redis: LocalRedis) -> None:
    async with Redis.from_url(own_redis.url) as admin:
        await admin.acl_setuser("open", enabled=True, nopass=True, keys=["*"], categories=["+@all"])
        async with process(own_redis.url.replace("//", "//open@")):
            told = [client for client in await admin.client_list() if "t" in client["flags"]]
            assert [client["user"] for client in told] == ["open"]


@pytest.mark.parametrize("options", ["?ssl_ca_certs=/nowhere", "?ssl_cert_reqs=perhaps"])
async def test_an_address_that_cannot_be_used_breaks_nothing(options: str) -> None:
    here = Process(f"rediss://127.0.0.1:1{options}")
    for _ in range(3):
        assert here.copy(somebody()) is None
        await asyncio.sleep(0.02)
        here.timer.seconds += REFUSED
    here.copies.close()


async def test_a_redis_that_may_not_tell_is_asked_each_time(
    own_redis: LocalRedis, caplog: pytest.LogCaptureFixture
) -> None:
    async with Redis.from_url(own_redis.url) as admin:
        await admin.acl_setuser("shy", enabled=True, passwords=["+pw"], keys=["*"], categories=["+@all"])
        await admin.execute_command("ACL", "SETUSER", "shy", "-client|tracking")  # type: ignore[no-untyped-call]
    found, here = somebody(), Process(own_redis.url.replace("//", "//shy:pw@"))
    caplog.set_level(logging.WARNING, "adapters.redis.tracking")
    await here.cache.put(found, NOW)
    for _ in range(3):
        assert await here.get(found) == found
        await asyncio.sleep(0.05)
        here.timer.seconds += REFUSED
    assert here.copy(found) is None
    assert [record.message.split(":")[0] for record in caplog.records] == [
        "Redis does not tell of changes, so it is asked at each session check"
    ], "said once"
    here.copies.close()
    await here.redis.aclose()


async def test_passwords_and_encryption_hold_for_what_is_told_too(tmp_path: Path) -> None:
    found = somebody()
    with EncryptedRedis(certify(tmp_path, "127.0.0.1")) as encrypted:
        async with process(encrypted.url) as here, process(encrypted.url) as there:
            await here.knows(found)
            await there.cache.bury([found.session.key_hash])
            assert await here.get(found) is Ended.ENDED
        stranger = Process(encrypted.url.partition("?")[0])
        await stranger.cache.put(found, NOW)
        assert stranger.copy(found) is None
        await asyncio.sleep(0.2)
        assert stranger.copy(found) is None, "a certificate that nobody vouches for"
        stranger.copies.close()
        await stranger.redis.aclose()
