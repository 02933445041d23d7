"""Whatever Redis does, people get in, stay in and get out, in time."""

import time
from collections.abc import Callable

import httpx
import pytest
from redis import Redis

from tests.integration.faults.stage import IN_TIME, Stage
from tests.integration.journeys.test_journey import an_operator, confirm, log_in, sign_up
from tests.integration.journeys.worlds import World
from tests.integration.processes import Browser
from tests.integration.servers.local_redis import LocalRedis


@pytest.fixture
def redis_url(own_redis: LocalRedis) -> str:
    return own_redis.url


class Watch:
    """Looks at every answer that a browser gets: none may be late, none a fault of ours."""

    def __init__(self, browser: Browser) -> None:
        browser.event_hooks = {"request": [self._asked], "response": [self._answered]}

    async def _asked(self, request: httpx.Request) -> None:
        request.extensions["asked_at"] = time.perf_counter()

    async def _answered(self, response: httpx.Response) -> None:
        seconds = time.perf_counter() - response.request.extensions["asked_at"]
        assert seconds < IN_TIME, f"{response.request.url.path} took {seconds:.1f} s"
        assert response.status_code < 500, response.request.url.path


async def life_goes_on(world: World, ann: Browser, name: str) -> None:
    """Ann is logged in; somebody she invites signs up, logs in and out, and is out for good."""
    assert (await ann.get("/api/session")).status_code == 200
    person = {"email": f"{name}@example.org", "username": name, "password": "battery horse correct"}
    invite = (await ann.post("/api/invites", json={})).json()["invite"]
    async with world.web.browser() as guest, world.web.browser() as thief:
        for browser in (guest, thief):
            Watch(browser)
        assert (await guest.get(f"/api/usernames/{name}")).json()["available"]
        await sign_up(world, guest, person, invite)
        assert (await guest.get(f"/api/usernames/{name}")).json()["reason"] == "username_taken"
        await confirm(world, guest, person)
        await log_in(guest, person)
        assert (await guest.get("/api/session")).status_code == 200
        thief.cookie = guest.cookie
        assert (await guest.post("/api/logout")).status_code == 200
        assert (await thief.get("/api/session")).status_code == 401


async def test_life_goes_on_whatever_redis_does(stage: Stage, own_redis: LocalRedis) -> None:
    def fill_up() -> None:
        with Redis.from_url(own_redis.url) as admin:
            admin.config_set("maxmemory", "1")

    turns: dict[str, Callable[[], None]] = {
        "comes": own_redis.start,
        "hangs": own_redis.freeze,
        "thaws": own_redis.thaw,
        "fills": fill_up,
        "dies": own_redis.kill,
        "restarts": own_redis.start,
    }
    own_redis.kill()
    async with stage.running() as world, world.web.browser() as ann:
        Watch(ann)
        await an_operator(world, ann)
        await life_goes_on(world, ann, "without")
        for name, turn in turns.items():
            turn()
            await life_goes_on(world, ann, name)


async def checks(browser: Browser, number: int) -> float:
    """The seconds that so many session checks in a row take."""
    begun = time.perf_counter()
    for _ in range(number):
        assert (await browser.get("/api/session")).status_code == 200
    return time.perf_counter() - begun


async def test_a_redis_that_hangs_costs_little_more_than_one_that_is_gone(stage: Stage, own_redis: LocalRedis) -> None:
    async with stage.running() as world, world.web.browser() as ann:
        Watch(ann)
        await an_operator(world, ann)
        own_redis.kill()
        gone = await checks(ann, 200)
        own_redis.start()
        own_redis.freeze()
        hung = await checks(ann, 200)
        own_redis.thaw()
    assert hung < 2 * gone + 2, "at most a quarter of a second in each; one wait for each check would take 50 s"


async def test_resets_cuts_and_slow_lines_are_seen_by_nobody(stage: Stage) -> None:
    async with stage.running() as world, world.web.browser() as ann:
        Watch(ann)
        await an_operator(world, ann)
        for number in range(20):
            await stage.redis.reset()
            assert (await ann.get("/api/session")).status_code == 200
            stage.redis.cut_after(number)
            assert (await ann.get("/api/session")).status_code == 200
            await stage.redis.forward()
        for number, seconds in enumerate((0.05, 0.2, 1.0)):
            stage.redis.delay(seconds)
            await life_goes_on(world, ann, f"slow{number}")


async def test_a_reset_costs_redis_one_read_and_no_more(stage: Stage) -> None:
    """The read is made again on a new connection, so the database is not asked."""
    async with stage.running() as world, world.web.browser() as ann:
        Watch(ann)
        await an_operator(world, ann)
        assert (await ann.get("/api/session")).status_code == 200
        await stage.redis.reset()
        stage.database.blackhole()
        assert (await ann.get("/api/session")).status_code == 200
        await stage.database.forward()
