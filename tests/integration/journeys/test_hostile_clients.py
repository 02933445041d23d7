"""Clients that hold on, cut off or crowd in."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import httpx
import pytest

from entrypoints import serving
from tests.integration.journeys.test_journey import ANN
from tests.integration.journeys.worlds import World
from tests.integration.processes import Process

LOG_IN = b"POST /api/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"


@pytest.fixture
async def world(embedded_world: AbstractAsyncContextManager[World]) -> AsyncIterator[World]:
    async with embedded_world as running_world:
        yield running_world


async def dial(world: World, sent: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", world.web.port)
    writer.write(sent)
    await writer.drain()
    return reader, writer


async def test_connections_that_say_nothing_keep_nobody_out(world: World) -> None:
    held = [await dial(world, b"" if number % 2 else b"GET /live HTTP/1.1\r\nHost: x\r\n") for number in range(400)]
    async with asyncio.timeout(3), world.web.browser() as browser:
        assert (await browser.get("/live")).status_code == 200
    for _, writer in held:
        writer.close()


async def test_a_connection_is_kept_for_longer_than_a_proxy_would_keep_it(world: World) -> None:
    """Else a proxy sends a request on a connection that is just being closed: nginx, for one, keeps them for 60 s."""
    assert serving.IDLE_AT_MOST > 60_000
    reader, writer = await dial(world, b"GET /live HTTP/1.1\r\nHost: x\r\n\r\n")
    await reader.readuntil(b"}")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(reader.read(), 6)
    writer.close()


async def test_a_half_sent_request_does_not_hold_up_the_stop(world: World) -> None:
    _, writer = await dial(world, b"GET /live HTTP/1.1\r\nHost: x\r\nX-Half")
    before = time.monotonic()
    assert await world.web.stop() == 0
    assert time.monotonic() - before < serving.STOP_WITHIN + 5
    assert not any("exception" in line for line in world.web.lines)
    writer.close()


@pytest.mark.parametrize(
    "sent",
    [
        b"Content-Length: 50\r\n\r\n{",
        b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    ],
)
async def test_a_body_that_breaks_off_is_no_fault_of_ours(world: World, sent: bytes) -> None:
    reader, writer = await dial(world, LOG_IN + sent)
    writer.write_eof()
    async with asyncio.timeout(5):
        answer = await reader.read()
    assert not answer.startswith(b"HTTP/1.1 500")
    writer.close()


async def test_a_locked_database_is_said_within_three_seconds_and_costs_nothing_afterwards(world: World) -> None:
    invite = await world.an_invite(1000)
    async with world.web.browser() as crowd:

        async def attempt(number: int) -> int:
            person = {**ANN, "email": f"p{number}@example.org", "username": f"person{number}"}
            return (await crowd.post("/api/users", json={"invite": invite, **person})).status_code

        async def timed(number: int) -> tuple[int, float]:
            before = time.monotonic()
            return await attempt(number), time.monotonic() - before

        lock = sqlite3.connect(world.folder / "var" / "bottomline.db", isolation_level=None)
        lock.execute("BEGIN EXCLUSIVE")
        answers = await asyncio.gather(*map(timed, range(30)))
        lock.execute("ROLLBACK")
        lock.close()
        assert {status for status, _ in answers} == {503}
        assert max(seconds for _, seconds in answers) < 3.5, "three seconds, and some for a busy machine"
        await recovers(lambda: attempt(99))


async def test_late_requests_strand_no_connection(world: World) -> None:
    """More sign-ups at once than can be hashed in time: the rest is told so, and the next write goes through."""
    invite = await world.an_invite(1000)
    slow = {**world.settings, "BOTTOMLINE_ARGON2_TIME": "2", "BOTTOMLINE_ARGON2_MEMORY_KIB": "19456"}
    await world.web.stop()
    world.web.settings.update(slow)
    await world.web.start()
    async with httpx.AsyncClient(
        base_url=world.web.url, timeout=20, limits=httpx.Limits(max_connections=None)
    ) as crowd:

        async def attempt(number: int) -> int:
            person = {**ANN, "email": f"p{number}@example.org", "username": f"person{number}"}
            return (await crowd.post("/api/users", json={"invite": invite, **person})).status_code

        answers = await asyncio.gather(*map(attempt, range(300)))
        assert set(answers) <= {202, 503}
        assert 202 in answers
        await recovers(lambda: attempt(999))


async def test_a_file_that_is_no_database_is_said_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "var").mkdir()
    (tmp_path / "var" / "bottomline.db").write_text("not a database, " * 100)
    async with Process("serve", folder=tmp_path, settings={"BOTTOMLINE_PORT": "18765"}) as process:
        assert await process.ended() == 1
    assert any("cannot start on sqlite:///" in line and "not a database" in line for line in process.lines)
    assert not any("Traceback" in line for line in process.lines), process.lines


async def recovers(attempt: Callable[[], Awaitable[int]]) -> None:
    """Wait until a sign-up goes through again, however long the hashes of those who have given up may take."""
    for _ in range(60):
        if await attempt() == 202:
            return
        await asyncio.sleep(1)
    pytest.fail("no sign-up has gone through for a minute")
