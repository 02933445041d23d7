"""What surrounds every request: who may send it, security headers and a deadline."""

import asyncio
import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, cast

from litestar import Request
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException
from litestar.types import ASGIApp, HTTPScope, Message, Receive, Scope, Send

from application.ports import Overloaded, Unavailable
from entrypoints.http import cross_site, json_only
from entrypoints.http.errors import ProblemOut, again_after, of_fault, of_status, tell, turn_away
from entrypoints.http.security_log import note_problem

log = logging.getLogger(__name__)
DEADLINE = 2.6
"""Seconds until a request is answered 503: every answer comes within three, from a busy machine too."""
ANSWER_BY = "answer_by"
"""Where in a request's state it stands when, by the event loop's clock, the deadline is."""
BODY_WITHIN = 2.5
"""Seconds until a request whose body is not here is answered 408: sooner, so that it is told what was slow."""


def seconds_left(request: Request[Any, Any, Any]) -> float:
    """How long a route may still take; what it says later is not heard."""
    return float(request.scope["state"][ANSWER_BY]) - asyncio.get_running_loop().time()


class Shell:
    """Wraps the whole application, errors and unknown paths included (ASVS 3.4).

    What another site sends, what is not JSON, and whom `turns_away` has a reason for, comes no further. HEAD is
    answered as GET is, without the body, and OPTIONS with the methods of the path.

    A request that is late is answered, not cancelled: cancelling inside a database driver can strand a connection,
    and with it SQLite's write lock. What it was about to say is dropped; the servers' own time limits end it.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        public_url: str,
        assets_url: str | None = None,
        turns_away: Callable[[HTTPScope], Overloaded | None] = lambda _: None,
    ) -> None:
        self._app = app
        self._turns_away = turns_away
        self._origin = cross_site.origin_of(public_url)
        self._headers = headers_of_all(public_url, assets_url)
        self._running: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer in time, with the headers."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        answer = _Answer(send, self._headers, scope["method"])
        if problem := self._objection(scope):
            note_problem(scope, problem.code)
            await tell(answer, problem)
            return
        if fault := self._turns_away(scope):
            await turn_away(scope, answer, fault)
            return
        scope.setdefault("state", {})[ANSWER_BY] = asyncio.get_running_loop().time() + DEADLINE
        request = asyncio.create_task(self._handle(_asked(scope), _until(BODY_WITHIN, receive), answer))
        self._running.add(request)
        request.add_done_callback(self._running.discard)
        await asyncio.wait({request}, timeout=DEADLINE)
        if request.done():
            await request
        else:
            log.warning("an answer took too long")
            late = Unavailable()
            note_problem(scope, of_fault(late).code)
            await answer.late(late)

    def _objection(self, scope: HTTPScope) -> ProblemOut | None:
        """Why a request is turned away at the door. Reading is free: nobody reads the body of a GET, if it has one."""
        if scope["method"] in cross_site.SAFE:
            return None
        headers = tuple(scope["headers"])
        if cross_site.is_cross_site(headers, self._origin):
            return cross_site.PROBLEM
        return of_status(HTTPStatus.UNSUPPORTED_MEDIA_TYPE) if json_only.is_unsupported(headers) else None

    async def _handle(self, scope: Scope, receive: Receive, answer: Send) -> None:
        await self._app(scope, receive, answer)


def _asked(scope: HTTPScope) -> Scope:
    """What the routes are asked: HEAD is a GET to them (RFC 9110, section 9.3.2).

    OPTIONS is a method that no path has, so that the refusal names those that it has: of a path with several, the
    framework's own answer names some.
    """
    method = {"HEAD": "GET", "OPTIONS": "WHICH"}.get(scope["method"])
    return cast("HTTPScope", {**scope, "method": method}) if method else scope


def _until(seconds: float, receive: Receive) -> Receive:
    """The body as it comes in; 408 where it is not here in time."""
    end = asyncio.get_running_loop().time() + seconds

    async def receive_in_time() -> Any:
        try:
            async with asyncio.timeout_at(end):
                return await receive()
        except TimeoutError as error:
            raise HTTPException(status_code=HTTPStatus.REQUEST_TIMEOUT) from error

    return receive_in_time


class _Answer:
    """Sends one answer, with the headers that all answers have; after the word that it is late, nothing more."""

    def __init__(self, send: Send, headers: tuple[tuple[bytes, bytes], ...], method: str) -> None:
        self._send = send
        self._headers = headers
        self._method = method
        self._has_body = method != "HEAD"
        self._has_begun = False
        self._is_over = False

    async def __call__(self, message: Message) -> None:
        if not self._is_over:
            await self._pass_on(message)

    async def _pass_on(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._has_begun = True
            if self._method == "OPTIONS" and message["status"] == HTTPStatus.METHOD_NOT_ALLOWED:
                message["status"], self._has_body = HTTPStatus.NO_CONTENT, False
                message["headers"] = [header for header in message["headers"] if header[0].lower() == b"allow"]
            present = {name.lower() for name, _ in message["headers"]}
            added = [(name, value) for name, value in self._headers if name not in present]
            message["headers"] = [*map(_with_head, message["headers"]), *added]
        elif message["type"] == "http.response.body" and not self._has_body:
            message["body"] = b""
        await self._send(message)

    async def late(self, fault: Unavailable) -> None:
        """Answer 503 with this fault, unless an answer has begun."""
        self._is_over = True
        if not self._has_begun:
            await tell(self._pass_on, of_fault(fault), again_after(fault))


def _with_head(header: tuple[bytes, bytes]) -> tuple[bytes, bytes]:
    """`Allow` with HEAD wherever it has GET; any other header as it is."""
    name, value = header
    return (name, value.replace(b"GET", b"GET, HEAD")) if name.lower() == b"allow" else header


def content_security_policy(assets_url: str | None, *more: str) -> str:
    """What pages may load and do, and `more`: scripts from files of ours alone, which make no markup of text."""
    files = f"'self' {cross_site.origin_of(assets_url).decode()}" if assets_url else "'self'"
    directives = {
        "default-src": "'none'",
        "script-src": files,
        "style-src": files,
        "img-src": files,
        "connect-src": "'self'",
        "form-action": "'none'",
        "base-uri": "'none'",
        "object-src": "'none'",
        "frame-ancestors": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    return "; ".join([*(f"{name} {value}" for name, value in directives.items()), *more])


def headers_of_all(public_url: str, assets_url: str | None) -> tuple[tuple[bytes, bytes], ...]:
    """What every answer carries (ASVS 3.4). `server` stands where the web server would name itself (13.4.6)."""
    headers = {
        "cache-control": "no-store",
        "content-security-policy": content_security_policy(assets_url),
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "referrer-policy": "no-referrer",
        "server": "bottomline",
        "x-content-type-options": "nosniff",
    }
    if public_url.startswith("https:"):
        headers["strict-transport-security"] = "max-age=31536000; includeSubDomains"
    return tuple((name.encode(), value.encode()) for name, value in headers.items())
