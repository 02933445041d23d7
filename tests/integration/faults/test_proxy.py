"""The proxy does what the tests of faults take for granted."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Self

import pytest

from tests.integration.faults.proxy import Answer, Proxy
from tests.integration.servers.ports import LoopbackPort

DONE = Answer(b"do it\n", b"done\n")


@asynccontextmanager
async def a_server() -> AsyncIterator[tuple[str, list[bytes]]]:
    """Answers each line with `done`; its address, and what it has been told."""
    told: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                told.append(line)
                writer.write(b"done\n")
                await writer.drain()
        except OSError:
            pass
        finally:
            writer.close()

    port = LoopbackPort()
    async with await asyncio.start_server(serve, "127.0.0.1", port.number):
        yield f"tcp://u:p@127.0.0.1:{port.number}/x", told
    port.release()


@pytest.fixture
async def told() -> AsyncIterator[tuple[Proxy, list[bytes]]]:
    async with a_server() as (url, told), Proxy(url) as proxy:
        yield proxy, told


class Client:
    def __init__(self, proxy: Proxy) -> None:
        self._proxy = proxy

    async def __aenter__(self) -> Self:
        port = int(self._proxy.url.rpartition(":")[2].split("/")[0])
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", port)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._writer.transport.abort()

    async def ask(self, line: bytes = b"do it\n", within: float = 5.0) -> bytes:
        self._writer.write(line)
        async with asyncio.timeout(within):
            return await self._reader.readline()


async def test_it_forwards_and_stands_in_the_servers_url(told: tuple[Proxy, list[bytes]]) -> None:
    proxy, heard = told
    assert proxy.url.startswith("tcp://u:p@127.0.0.1:")
    assert proxy.url.endswith("/x")
    async with Client(proxy) as client:
        assert await client.ask() == b"done\n"
        assert await client.ask(b"again\n") == b"done\n"
    assert heard == [b"do it\n", b"again\n"]


async def test_it_refuses_until_it_forwards_again(told: tuple[Proxy, list[bytes]]) -> None:
    proxy, _ = told
    async with Client(proxy) as client:
        assert await client.ask() == b"done\n"
        await proxy.refuse()
        with pytest.raises(ConnectionResetError):
            await client.ask()
    with pytest.raises(ConnectionRefusedError):
        await Client(proxy).__aenter__()
    await proxy.forward()
    async with Client(proxy) as client:
        assert await client.ask() == b"done\n"


async def test_a_reset_ends_connections_and_no_new_one(told: tuple[Proxy, list[bytes]]) -> None:
    proxy, _ = told
    async with Client(proxy) as client, Client(proxy) as idle:
        assert await client.ask() == b"done\n"
        await proxy.reset()
        for reset in (client, idle):
            with pytest.raises(ConnectionResetError):
                await reset.ask()
    async with Client(proxy) as client:
        assert await client.ask() == b"done\n"


async def test_a_black_hole_keeps_everything_and_gives_it_back(told: tuple[Proxy, list[bytes]]) -> None:
    proxy, heard = told
    async with Client(proxy) as client:
        assert await client.ask() == b"done\n"
        proxy.blackhole()
        async with Client(proxy) as newcomer:
            for waiting in (client, newcomer):
                with pytest.raises(TimeoutError):
                    await waiting.ask(within=0.1)
            assert len(heard) == 1
            await proxy.forward()
            assert await newcomer.ask(b"") == b"done\n"
            assert await client.ask(b"") == b"done\n"
    assert len(heard) == 3


async def test_latency_is_added_both_ways(told: tuple[Proxy, list[bytes]]) -> None:
    proxy, _ = told
    async with Client(proxy) as client:
        proxy.delay(0.1)
        begun = time.monotonic()
        assert await client.ask() == b"done\n"
        assert time.monotonic() - begun >= 0.2


async def test_it_cuts_after_so_many_bytes_of_answers(told: tuple[Proxy, list[bytes]]) -> None:
    proxy, heard = told
    async with Client(proxy) as client:
        proxy.cut_after(7)
        assert await client.ask() == b"done\n"
        with pytest.raises(ConnectionResetError):
            await client.ask()
    assert len(heard) == 2
    await proxy.forward()
    async with Client(proxy) as client:
        assert await client.ask() == b"done\n"


async def test_it_swallows_the_answer_to_what_was_done(told: tuple[Proxy, list[bytes]]) -> None:
    proxy, heard = told
    async with Client(proxy) as client, Client(proxy) as other:
        assert await client.ask() == b"done\n"
        proxy.swallow(DONE)
        assert await client.ask(b"look\n") == b"done\n", "not what was asked before"
        with pytest.raises(ConnectionResetError):
            await client.ask()
        assert await other.ask() == b"done\n", "only the one"
    assert heard == [b"do it\n", b"look\n", b"do it\n", b"do it\n"]
    assert [said.splitlines()[-1] for said in proxy.swallowed] == [b"do it"]


async def test_a_server_that_is_gone_is_a_reset(told: tuple[Proxy, list[bytes]]) -> None:
    port = LoopbackPort()
    async with Proxy(f"tcp://127.0.0.1:{port.number}/") as proxy, Client(proxy) as client:
        with pytest.raises(ConnectionResetError):
            await client.ask()
    port.release()
