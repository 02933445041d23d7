"""Redis may be killed, hang and come back empty: it holds nothing that only it has."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager

import pytest

from tests.integration.journeys.test_journey import an_operator
from tests.integration.journeys.worlds import World
from tests.integration.servers import ServersMissing
from tests.integration.servers.local_redis import LocalRedis
from tests.integration.servers.programs import require


@pytest.fixture
def redis() -> Iterator[LocalRedis]:
    """A Redis of this test's own, to be killed; a local process, so where there can be none, it is said."""
    try:
        require(["redis"])
    except ServersMissing as missing:
        pytest.skip(str(missing))
    with LocalRedis() as own:
        yield own


@pytest.fixture
def redis_url(redis: LocalRedis) -> str:
    return redis.url


@pytest.fixture
async def world(servers_world: AbstractAsyncContextManager[World]) -> AsyncIterator[World]:
    async with servers_world as running_world:
        yield running_world


async def test_sessions_survive_a_redis_that_is_killed_and_comes_back_empty(world: World, redis: LocalRedis) -> None:
    async with world.web.browser() as ann, world.web.browser() as thief:
        await an_operator(world, ann)
        assert (await ann.get("/api/session")).status_code == 200
        redis.kill()
        assert (await ann.get("/api/session")).status_code == 200, "the record answers while Redis is away"
        redis.start()
        assert (await ann.get("/api/session")).status_code == 200
        thief.cookie = ann.cookie
        await ann.post("/api/logout")
        assert (await thief.get("/api/session")).status_code == 401, "and an ended session stays ended"


async def test_a_session_that_ends_while_redis_hangs_is_over_when_it_is_back(world: World, redis: LocalRedis) -> None:
    async with world.web.browser() as ann, world.web.browser() as thief:
        await an_operator(world, ann)
        thief.cookie = ann.cookie
        redis.freeze()
        assert (await ann.post("/api/logout")).status_code == 200
        assert (await thief.get("/api/session")).status_code == 401
        redis.thaw()
        for _ in range(200):
            if (await thief.get("/api/session")).status_code == 401:
                break
            await asyncio.sleep(0.05)
        else:
            pytest.fail("the event did not bury the session within ten seconds")
