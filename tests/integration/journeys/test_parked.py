"""What an operator sees of messages that were given up, and does about them."""

import asyncio
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import aio_pika

from adapters.rabbitmq.topology import EVENTS
from domain.events import ConfirmationRequested
from tests.integration.journeys.test_journey import ANN, confirm, sign_up
from tests.integration.journeys.worlds import World
from tests.integration.processes import QUICK, Process


async def test_a_message_that_cannot_be_read_is_seen_shown_and_dropped(
    servers_world: AbstractAsyncContextManager[World],
) -> None:
    async with servers_world as world, world.web.browser() as ann:
        await sign_up(world, ann, ANN, await world.an_invite())
        await confirm(world, ann, ANN)  # so the worker is there, and has declared its queues
        assert await world.command("parked", "list") == (0, [])
        async with await aio_pika.connect(world.settings["BOTTOMLINE_RABBITMQ_URL"]) as connection:
            channel = await connection.channel()
            exchange = await channel.get_exchange(EVENTS)
            body = b'{"id": "x", "note": "\\u001b[31m"}'
            await exchange.publish(aio_pika.Message(body, message_id="poison"), ConfirmationRequested.type)
        async with asyncio.timeout(20):
            while not (listed := await world.command("parked", "list"))[1]:
                pass
        status, (line,) = listed
        assert status == 0
        assert line.startswith("poison  -  bottomline.mails  20")
        assert "not a CloudEvent" in line
        status, lines = await world.command("parked", "show", "poison")
        assert status == 0
        assert '  "note": "\\u001b[31m"' in lines, "and no terminal is coloured by it"
        nobody = (1, ["Error: There is no parked message with this id. See: bottomline parked list"])
        for command in ("show", "replay", "drop"):
            assert await world.command("parked", command, "nobody") == nobody
        assert (await world.command("parked", "drop"))[0] == 2
        assert await world.command("parked", "drop", "poison") == (0, ["1 message dropped."])
        assert await world.command("parked", "replay", "--all") == (0, ["0 messages handed out again."])


async def test_without_rabbitmq_nothing_is_ever_parked(tmp_path: Path) -> None:
    async with Process("parked", "list", folder=tmp_path, settings=QUICK) as process:
        assert await process.ended() == 1
    (line,) = process.lines
    assert "nothing is parked" in line
