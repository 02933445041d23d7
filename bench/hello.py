"""The least that an ASGI application can do, on the server that Bottomline stands on."""

import asyncio
import sys
from typing import Any

import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.server.embed import Server

HEADERS = [(b"content-type", b"text/plain"), (b"content-length", b"5")]


async def hello(_: dict[str, Any], __: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": b"hello", "more_body": False})


async def main(port: int) -> None:
    server = Server(
        hello,
        port=port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        log_enabled=False,
        websockets=False,
    )
    await server.serve()


if __name__ == "__main__":
    asyncio.Runner(loop_factory=uvloop.new_event_loop).run(main(int(sys.argv[1])))
