"""Names in a path, as they come over the wire."""

import asyncio
import json
from contextlib import AbstractAsyncContextManager
from urllib.parse import urlsplit

from tests.integration.journeys.worlds import World

PATHS = [
    *(
        b"ann",
        b"ann%2Flee",
        b"ann%00",
        b"%C3%A4%C3%B6%C3%BC",
        b"%e7%94%a8%e6%88%b7%e5%90%8d",
        b"a+b%20c",
        b"%0d%0aSet-Cookie:x",
    ),
    *(b"%ff%fe%fd", b"%ed%a0%80", b"%c0%af", b"%", b"%zz", b"%25", b"..%2f..%2fusers", b"\xc3\xa4\xc3\xb6", b"\xff"),
    *(b"a" * 4_000, b"%e2%80%ae" * 500, b"", b"%2F", b"%2f%2f", b"ann?x=%ff", b"ann;x=1", b"*", b"ann/"),
]


async def test_no_path_makes_it_fail(embedded_world: AbstractAsyncContextManager[World]) -> None:
    async with embedded_world as world:
        for path in PATHS:
            status, body = await ask(world, path)
            assert status in {200, 400, 404}, path
            if status == 200:
                assert json.loads(body)["available"] in {True, False}


async def ask(world: World, path: bytes) -> tuple[int, bytes]:
    """The answer to a path that no client would write."""
    url = urlsplit(world.web.url)
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    writer.write(b"GET /api/usernames/" + path + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
    async with asyncio.timeout(5):
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    writer.close()
    return int(head.split()[1]), body
