"""Postgres may hang and be killed: nobody is kept from logging out, and nothing is half deleted."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import asyncpg
import httpx
import pytest

from tests.integration.conftest import emptied
from tests.integration.journeys.test_journey import ANN, an_operator
from tests.integration.journeys.worlds import World
from tests.integration.processes import Browser
from tests.integration.servers.local_postgres import LocalPostgres


@pytest.fixture
async def empty_postgres(own_postgres: LocalPostgres) -> str:
    return await emptied(own_postgres.url)


@pytest.fixture
async def world(servers_world: AbstractAsyncContextManager[World]) -> AsyncIterator[World]:
    async with servers_world as running_world:
        yield running_world


async def sessions(own_postgres: LocalPostgres) -> int:
    connection = await asyncpg.connect(own_postgres.url)
    try:
        return int(await connection.fetchval("SELECT count(*) FROM sessions"))
    finally:
        await connection.close()


async def delete(browser: Browser) -> tuple[httpx.Response, float]:
    before = time.monotonic()
    answer = await browser.request("DELETE", "/api/user", json={"password": ANN["password"]})
    return answer, time.monotonic() - before


async def test_a_log_out_is_answered_while_the_database_hangs_and_recorded_when_it_is_back(
    world: World, own_postgres: LocalPostgres
) -> None:
    async with world.web.browser() as ann, world.web.browser() as thief:
        await an_operator(world, ann)
        thief.cookie = ann.cookie
        own_postgres.freeze()
        before = time.monotonic()
        answer = await ann.post("/api/logout")
        assert time.monotonic() - before < 3.5, "three seconds, and some for a busy machine"
        assert (answer.status_code, answer.json()) == (200, {"status": "logged_out"})
        assert ann.cookie is None
        assert (await thief.get("/api/session")).status_code == 401, "Redis knows it"
        own_postgres.thaw()
        async with asyncio.timeout(15):
            while await sessions(own_postgres):  # noqa: ASYNC110  nobody tells us
                await asyncio.sleep(0.1)
        assert (await thief.get("/api/session")).status_code == 401


async def test_a_log_out_is_recorded_though_its_process_is_killed_before_the_database_is_back(
    world: World, own_postgres: LocalPostgres
) -> None:
    async with world.web.browser() as ann:
        await an_operator(world, ann)
        own_postgres.freeze()
        assert (await ann.post("/api/logout")).status_code == 200
        await world.web.stop(signal.SIGKILL)
        own_postgres.thaw()
        assert await sessions(own_postgres) == 1
        await world.web.start()
        async with asyncio.timeout(15):
            while await sessions(own_postgres):  # noqa: ASYNC110  nobody tells us
                await asyncio.sleep(0.1)


async def test_an_account_is_deleted_at_once_or_not_at_all(world: World, own_postgres: LocalPostgres) -> None:
    async with world.web.browser() as ann:
        await an_operator(world, ann)
        own_postgres.freeze()
        answer, seconds = await delete(ann)
        assert (answer.status_code, answer.json()["code"]) == (503, "deletion_unavailable")
        assert "cannot delete your account at this time" in answer.json()["detail"]
        assert seconds < 3.5, "three seconds, and some for a busy machine"
        own_postgres.thaw()
        own_postgres.kill()
        answer, _ = await delete(ann)
        assert (answer.status_code, answer.json()["code"]) == (503, "deletion_unavailable")
        own_postgres.start()
        assert await sessions(own_postgres) == 1
        for _ in range(100):
            if (await ann.get("/ready")).status_code == 200:
                break
            await asyncio.sleep(0.1)
        await asyncio.sleep(3)
        assert (await ann.get("/api/session")).status_code == 200, "nothing has changed"
        answer, _ = await delete(ann)
        assert answer.status_code == 204
        assert (await ann.get("/api/session")).status_code == 401
        credentials = {"email": ANN["email"], "password": ANN["password"]}
        assert (await ann.post("/api/login", json=credentials)).status_code == 401
    async with asyncio.timeout(20):
        while not any("is deleted" in text for text in world.mails(ANN["email"])):  # noqa: ASYNC110
            await asyncio.sleep(0.1)
