"""Redis may be killed, hang and come back empty: it holds nothing that only it has."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import pytest

from tests.integration.journeys.test_journey import an_operator
from tests.integration.journeys.worlds import World
from tests.integration.servers.local_redis import LocalRedis


@pytest.fixture
def redis_url(own_redis: LocalRedis) -> str:
    return own_redis.url


@pytest.fixture
async def world(servers_world: AbstractAsyncContextManager[World]) -> AsyncIterator[World]:
    async with servers_world as running_world:
        yield running_world


async def test_sessions_survive_a_redis_that_is_killed_and_comes_back_empty(
    world: World, own_redis: LocalRedis
) -> None:
    async with world.web.browser() as ann, world.web.browser() as thief:
        await an_operator(world, ann)
        assert (await ann.get("/api/session")).status_code == 200
        own_redis.kill()
        assert (await ann.get("/api/session")).status_code == 200, "the record answers while Redis is away"
        own_redis.start()
        assert (await ann.get("/api/session")).status_code == 200
        thief.cookie = ann.cookie
        await ann.post("/api/logout")
        assert (await thief.get("/api/session")).status_code == 401, "and an ended session stays ended"


async def test_a_session_that_ends_while_redis_hangs_is_over_when_it_is_back(
    world: World, own_redis: LocalRedis
) -> None:
    async with world.web.browser() as ann, world.web.browser() as thief:
        await an_operator(world, ann)
        thief.cookie = ann.cookie
        own_redis.freeze()
        assert (await ann.post("/api/logout")).status_code == 200
        assert (await thief.get("/api/session")).status_code == 401
        own_redis.thaw()
        for _ in range(200):
            if (await thief.get("/api/session")).status_code == 401:
                break
            await asyncio.sleep(0.05)
        else:
            pytest.fail("the event did not bury the session within ten seconds")
