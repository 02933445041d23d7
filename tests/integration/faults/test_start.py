"""Whatever is away when it starts, it starts, and does its work as soon as it can."""

import asyncio

from tests.integration.faults.stage import Guest, Stage, guests, until_signed_up
from tests.integration.processes import Browser


async def test_with_every_server_away_it_starts_and_each_that_comes_is_put_to_use(stage: Stage) -> None:
    for proxy in stage.proxies:
        await proxy.refuse()
    async with stage.running() as world, world.web.browser() as ann:
        assert (await ann.get("/live")).status_code == 200
        assert (await ann.get("/ready")).status_code == 503
        (guest,) = await guests(world, "ann")
        assert (await guest.sign_up(ann)).status_code == 503
        assert world.worker is not None
        await world.worker.said("Bottomline's worker relays events")

        await stage.database.forward()
        await until_signed_up(ann, guest)
        assert (await ann.get("/ready")).status_code == 200
        await stage.workers_database.forward()
        await stage.rabbitmq.forward()
        await world.worker.said("is put off: ", within=20)
        await stage.smtp.forward()
        await stage.mails_arrive([guest])
        await guest.get_in(ann, world)
        assert (await guest.ask(ann, "GET", "/api/session")).status_code == 200
        await stage.redis.forward()
        await is_cached(stage, guest, ann)


async def is_cached(stage: Stage, guest: Guest, browser: Browser) -> None:
    """Sessions are checked without the database once Redis is there."""
    async with asyncio.timeout(20):
        while True:
            assert (await guest.ask(browser, "GET", "/api/session")).status_code == 200
            stage.database.blackhole()
            answer = await guest.ask(browser, "GET", "/api/session")
            await stage.database.forward()
            if answer.status_code == 200:
                return
