"""Two web processes on the same servers: what one is told, the other knows."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest

from tests.integration.journeys.test_journey import ANN, an_operator, log_in
from tests.integration.journeys.worlds import World
from tests.integration.processes import Browser, WebProcess

CHECKS = ("/api/session", "/api/forward_auth")


@pytest.fixture
async def world(servers_world: AbstractAsyncContextManager[World]) -> AsyncIterator[World]:
    async with servers_world as running_world:
        yield running_world


@pytest.fixture
async def other(world: World) -> AsyncIterator[WebProcess]:
    async with WebProcess(world.folder, world.settings) as web:
        yield web


@asynccontextmanager
async def busy(*browsers: Browser) -> AsyncIterator[None]:
    """Browsers that ask who they are without a pause."""

    async def ask(browser: Browser) -> None:
        while True:
            await browser.get("/api/session")

    asking = [asyncio.create_task(ask(browser)) for browser in browsers]
    yield
    for one in asking:
        one.cancel()
    await asyncio.gather(*asking, *(browser.aclose() for browser in browsers), return_exceptions=True)


async def log_out(browser: Browser, _: str) -> None:
    assert (await browser.post("/api/logout")).status_code == 200


async def end_others(browser: Browser, session: str) -> None:
    async with Browser(str(browser.base_url)) as elsewhere:
        await log_in(elsewhere, ANN)
        assert (await elsewhere.delete(f"/api/sessions/{session}")).status_code == 204


async def change_password(browser: Browser, _: str) -> None:
    same = {"current_password": ANN["password"], "password": ANN["password"]}
    assert (await browser.post("/api/change_password", json=same)).status_code == 200


@pytest.mark.parametrize("end", [log_out, end_others, change_password])
async def test_a_session_that_ends_in_one_process_is_over_in_the_other_at_once(
    world: World, other: WebProcess, end: Callable[[Browser, str], Awaitable[None]]
) -> None:
    async with world.web.browser() as ann, world.web.browser() as here, other.browser() as there:
        await an_operator(world, ann)
        crowd = [other.browser() for _ in range(4)]
        for one in crowd:
            one.cookie = ann.cookie
        async with busy(*crowd):
            for _ in range(15):
                here.cookie = None
                await log_in(here, ANN)
                there.cookie = here.cookie
                session = (await there.get("/api/session")).json()["session"]["id"]
                for path in CHECKS * 2:
                    assert (await there.get(path)).status_code == 200
                await end(here, session)
                assert [(await there.get(path)).status_code for path in CHECKS] == [401, 401]
