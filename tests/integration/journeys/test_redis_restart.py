"""Redis may be killed, hang and come back empty: it holds nothing that only it has."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import pytest

from tests.integration.journeys.test_journey import ANN, an_operator, log_in
from tests.integration.journeys.worlds import World
from tests.integration.processes import Browser
from tests.integration.servers.local_redis import LocalRedis


@pytest.fixture
def redis_url(own_redis: LocalRedis) -> str:
    return own_redis.url


@pytest.fixture
async def world(servers_world: AbstractAsyncContextManager[World]) -> AsyncIterator[World]:
    async with servers_world as running_world:
        yield running_world


async def stay_out(world: World, *browsers: Browser) -> None:
    """Wait until Redis is asked again, and knows that these browsers' sessions are over; an event tells it."""
    statuses: list[int] = []
    async with asyncio.timeout(10):
        while statuses[-20:] != [401] * 20:
            if not any("Redis is back" in line for line in world.web.lines):
                statuses.clear()
            statuses += [(await browser.get("/api/session")).status_code for browser in browsers]
            await asyncio.sleep(0.02)


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
        await stay_out(world, thief)


async def test_an_account_that_is_deleted_while_redis_hangs_is_logged_in_nowhere_when_it_is_back(
    world: World, own_redis: LocalRedis
) -> None:
    async with world.web.browser() as ann, world.web.browser() as elsewhere, world.web.browser() as thief:
        await an_operator(world, ann)
        await log_in(elsewhere, ANN)
        thief.cookie = ann.cookie
        for browser in (ann, elsewhere, thief):
            assert (await browser.get("/api/session")).status_code == 200, "and Redis remembers it"
        own_redis.freeze()
        deleted = await ann.request("DELETE", "/api/user", json={"password": ANN["password"]})
        assert deleted.status_code == 204
        assert [(await browser.get("/api/session")).status_code for browser in (elsewhere, thief)] == [401, 401]
        own_redis.thaw()
        await stay_out(world, elsewhere, thief)
