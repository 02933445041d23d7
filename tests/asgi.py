"""An ASGI application with its lifespan, spoken to over httpx without a socket."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
from litestar import Litestar

from tests.described import check_described


@asynccontextmanager
async def running(app: Any, base_url: str = "https://localhost:8000") -> AsyncIterator[httpx.AsyncClient]:
    """A client of the started application; it is shut down at the end. An answer that is not described fails the test.

    It says https, for unlike browsers it sends no Secure cookie to http://localhost.
    """
    to_app: asyncio.Queue[dict[str, str]] = asyncio.Queue()
    from_app: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    scope = {"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}
    task = asyncio.create_task(app(scope, to_app.get, from_app.put))
    await _step("startup", to_app, from_app)
    try:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        hooks = {"response": [check_described]}
        async with httpx.AsyncClient(transport=transport, base_url=base_url, event_hooks=hooks) as client:
            yield client
    finally:
        await _step("shutdown", to_app, from_app)
        await task


def routes_of(app: Any) -> Litestar:
    """The routes inside all that surrounds them."""
    while not isinstance(app, Litestar):
        app = app._app
    return app


async def _step(name: str, to_app: asyncio.Queue[dict[str, str]], from_app: asyncio.Queue[dict[str, Any]]) -> None:
    await to_app.put({"type": f"lifespan.{name}"})
    async with asyncio.timeout(20):
        answer = await from_app.get()
    assert answer["type"] == f"lifespan.{name}.complete", answer
