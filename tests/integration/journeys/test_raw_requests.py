"""What no well-behaved client sends, as bytes to the running server."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest

from tests.integration.journeys.worlds import World, embedded

CLOSE = b"Connection: close\r\n"
JSON = b"Content-Type: application/json\r\n"
EMPTY = b"Content-Length: 2\r\n\r\n{}"


@pytest.fixture(scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with embedded(tmp_path_factory.mktemp("raw")) as running_world:
        yield running_world


async def exchange(world: World, sent: bytes) -> bytes:
    """What comes back until the server closes the connection, for at most five seconds."""
    reader, writer = await asyncio.open_connection("127.0.0.1", world.web.port)
    writer.write(sent)
    async with asyncio.timeout(5):
        answer = await reader.read()
    writer.close()
    return answer


def post(path: bytes, *lines: bytes, rest: bytes = EMPTY) -> bytes:
    return b"POST " + path + b" HTTP/1.1\r\nHost: x\r\n" + CLOSE + b"".join(line + b"\r\n" for line in lines) + rest


def is_refused(answer: bytes, status: int, code: str) -> bool:
    return answer.startswith(f"HTTP/1.1 {status} ".encode()) and f'"code":"{code}"'.encode() in answer


@pytest.mark.parametrize("path", [b"/api/login", b"/api/logout", b"/live", b"/nothing"])
async def test_two_origins_are_refused_even_where_one_is_ours(world: World, path: bytes) -> None:
    ours = b"Origin: " + world.web.url.encode()
    assert not is_refused(await exchange(world, post(path, ours, JSON.strip())), 403, "cross_site")
    for others in ([ours, ours], [ours, b"Origin: http://evil.example"], [b"Origin: null", ours], [b"origin:"]):
        assert is_refused(await exchange(world, post(path, *others, JSON.strip())), 403, "cross_site"), others


@pytest.mark.parametrize("path", [b"/api/login", b"/api/logout", b"/nothing"])
@pytest.mark.parametrize(
    "body",
    [
        b"Content-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
        b"Content-Type: application/json\r\nContent-Type: text/plain\r\n" + EMPTY,
        b"Content-Type: application/json; charset=utf-7\r\n" + EMPTY,
        b"Content-Type:\r\n" + EMPTY,
        EMPTY,
    ],
)
async def test_a_body_that_is_not_json_is_refused_however_it_comes(world: World, path: bytes, body: bytes) -> None:
    assert is_refused(await exchange(world, post(path, rest=body)), 415, "unsupported_media_type")


async def test_a_body_in_chunks_is_read(world: World) -> None:
    body = JSON + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n"
    assert is_refused(await exchange(world, post(b"/api/login", rest=body)), 400, "invalid_fields")


async def test_a_body_that_is_too_slow_is_told_so_in_time_and_the_connection_closed(world: World) -> None:
    bodies = (
        b"Content-Length: 2\r\n\r\n",
        b"Content-Length: 50\r\n\r\n{",
        b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
    )
    head = b"POST /api/login HTTP/1.1\r\nHost: x\r\n" + JSON
    before = time.monotonic()
    for answer in await asyncio.gather(*(exchange(world, head + body) for body in bodies)):
        assert is_refused(answer, 408, "request_timeout")
    assert time.monotonic() - before < 3.5, "three seconds, and some for a busy machine"


async def test_head_has_no_body_and_the_next_answer_follows(world: World) -> None:
    answer = await exchange(
        world,
        b"HEAD /live HTTP/1.1\r\nHost: x\r\n\r\nGET /live HTTP/1.1\r\nHost: x\r\n" + CLOSE + b"\r\n",
    )
    first, second, body = answer.split(b"\r\n\r\n")
    assert first.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"content-length: 17" in first
    assert second.startswith(b"HTTP/1.1 200 OK\r\n")
    assert body == b'{"status":"live"}'


async def test_no_answer_names_the_web_server(world: World) -> None:
    for request in (b"GET /live", b"GET /nothing", b"BREW /live", b"OPTIONS *"):
        answer = await exchange(world, request + b" HTTP/1.1\r\nHost: x\r\n" + CLOSE + b"\r\n")
        head = answer.split(b"\r\n\r\n")[0].lower()
        assert b"\r\nserver: bottomline\r\n" in head
        assert head.count(b"\r\nserver:") == 1
        assert b"granian" not in answer.lower()


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nHost: evil.example\r\n",
        b"GET / HTTP/1.1\r\nHost: evil.example\r\nHost: localhost\r\n",
        b"GET / HTTP/1.1\r\nHost: evil.example/\\@x\r\n",
        b"GET http://evil.example/ HTTP/1.1\r\nHost: x\r\n",
        b"GET //evil.example/ HTTP/1.1\r\nHost: x\r\n",
        b"GET /login/..//evil.example HTTP/1.1\r\nHost: x\r\n",
        b"GET / HTTP/1.0\r\n",
        b"OPTIONS * HTTP/1.1\r\nHost: x\r\nOrigin: http://evil.example\r\n",
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n",
        b"CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n",
    ],
)
async def test_hostile_hosts_and_targets_lead_nowhere_and_break_nothing(world: World, head: bytes) -> None:
    answer = await exchange(world, head + b"X-Forwarded-Host: evil.example\r\n" + CLOSE + b"\r\n")
    assert answer[9:10] in {b"2", b"4"}, answer
    assert b"evil.example" not in answer
    assert b"\r\nlocation:" not in answer.lower()
