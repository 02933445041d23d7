"""What surrounds every request: security headers and a deadline."""

import asyncio
import logging
from collections.abc import Mapping

import msgspec
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPResponseStartEvent, Message, Receive, Scope, Send

from application.ports import Unavailable
from entrypoints.http.errors import MEDIA_TYPE, RETRY_AFTER, of_fault

log = logging.getLogger(__name__)
DEADLINE = 2.8
"""Seconds until a request is answered 503: every answer comes within three."""


class Shell:
    """Wraps the whole application, errors and unknown paths included (ASVS 3.4)."""

    def __init__(self, app: ASGIApp, *, is_https: bool) -> None:
        self._app = app
        self._headers = _encoded(_headers(is_https=is_https))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer in time, with the headers."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        answer = _Answer(send, self._headers)
        deadline = asyncio.timeout(DEADLINE)
        try:
            async with deadline:
                await self._app(scope, receive, answer)
        except TimeoutError:
            if not deadline.expired() or answer.has_begun:
                raise
            log.warning("%s took too long", scope["path"])
            await answer.unavailable()


class _Answer:
    """Sends an answer with the headers that all answers have."""

    def __init__(self, send: Send, headers: tuple[tuple[bytes, bytes], ...]) -> None:
        self._send = send
        self._headers = headers
        self.has_begun = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.has_begun = True
            present = {name.lower() for name, _ in message["headers"]}
            added = [(name, value) for name, value in self._headers if name not in present]
            message["headers"] = [*message["headers"], *added]
        await self._send(message)

    async def unavailable(self) -> None:
        """Answer 503."""
        body = msgspec.json.encode(of_fault(Unavailable()))
        start: HTTPResponseStartEvent = {
            "type": "http.response.start",
            "status": 503,
            "headers": [
                (b"content-type", MEDIA_TYPE.encode()),
                (b"retry-after", str(RETRY_AFTER).encode()),
                (b"content-length", str(len(body)).encode()),
            ],
        }
        await self(start)
        await self({"type": "http.response.body", "body": body, "more_body": False})


def _headers(*, is_https: bool) -> Mapping[str, str]:
    headers = {
        "cache-control": "no-store",
        "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self';"
        " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
    }
    if is_https:
        headers["strict-transport-security"] = "max-age=31536000; includeSubDomains"
    return headers


def _encoded(headers: Mapping[str, str]) -> tuple[tuple[bytes, bytes], ...]:
    return tuple((name.encode(), value.encode()) for name, value in headers.items())
