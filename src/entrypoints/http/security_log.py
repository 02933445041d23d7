"""The security log: who did what, or was refused it."""

import asyncio
import logging
import secrets
from dataclasses import dataclass
from http import HTTPStatus
from time import perf_counter
from typing import Any
from uuid import UUID

from litestar.enums import ScopeType
from litestar.handlers import HTTPRouteHandler
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from domain.session import Session
from entrypoints.http.client_address import ClientAddresses
from entrypoints.logs import REQUEST

log = logging.getLogger("security")
READING = frozenset({"GET", "HEAD", "OPTIONS"})
CUT_OFF = 499
"""What nginx logs where nobody is there any more to be answered. Here that is found out when the process is stopped."""


@dataclass(slots=True)
class Trail:
    """What becomes known of a request while it is answered."""

    user_id: UUID | None = None
    session_id: UUID | None = None
    code: str | None = None
    operation: str | None = None


def note_session(scope: Scope, session: Session) -> None:
    """The request is about this session of this user."""
    trail = _trail(scope)
    trail.user_id, trail.session_id = session.user_id, session.id


def note_problem(scope: Scope, code: str) -> None:
    """The request is answered with this problem."""
    trail = _trail(scope)
    trail.code, trail.operation = code, _operation(scope)


class SecurityLog:
    """Surrounds everything: one line for each API request that changes something or is refused (ASVS 16.3).

    Readings that succeed leave no line. Each answer carries the id under which the log knows its request; an id that
    came with the request counts for nothing. Nothing from body, headers or path is written (ASVS 16.2.5).
    """

    def __init__(self, app: ASGIApp, clients: ClientAddresses) -> None:
        self._app = app
        self._clients = clients

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, then log."""
        if scope["type"] != ScopeType.HTTP:
            await self._app(scope, receive, send)
            return
        answer = _Answer(send, request=secrets.token_hex(8))
        begun = perf_counter()
        trail = _trail(scope)
        token = REQUEST.set(answer.request)
        try:
            await self._app(scope, receive, answer)
        except asyncio.CancelledError:
            answer.status = answer.status or CUT_OFF
            raise
        finally:
            status = answer.status or HTTPStatus.INTERNAL_SERVER_ERROR
            if _is_told(scope, status):
                level = logging.INFO if status < 500 else logging.WARNING
                fields = _fields(trail, status, self._client(scope), perf_counter() - begun)
                log.log(level, trail.operation or _operation(scope), extra=fields)
            REQUEST.reset(token)

    def _client(self, scope: Scope) -> str:
        peer = scope["client"][0] if scope["client"] else ""
        forwarded = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
        return self._clients.find(peer, forwarded).text


class _Answer:
    """Sends the answer with its request's id, and keeps the status; None where none came."""

    def __init__(self, send: Send, request: str) -> None:
        self._send = send
        self.request = request
        self.status: int | None = None

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            message["headers"] = [*message["headers"], (b"x-request-id", self.request.encode())]
        await self._send(message)


def _trail(scope: Scope) -> Trail:
    trail: Trail = scope.setdefault("state", {}).setdefault("trail", Trail())
    return trail


def _is_told(scope: Scope, status: int) -> bool:
    is_reading = scope.get("method") in READING
    return scope["path"].startswith("/api/") and (status >= 400 or not is_reading)


def _operation(scope: Scope) -> str:
    """The handler's noun and verb, such as `sessions.log_in`; `unrouted` where no handler was reached."""
    handler = scope.get("route_handler")
    if not isinstance(handler, HTTPRouteHandler):
        return "unrouted"
    return f"{handler.fn.__module__.rpartition('.')[2]}.{handler.fn.__name__}"


def _outcome(status: int) -> str:
    if status == CUT_OFF:
        return "cut_off"
    return "done" if status < 400 else "refused" if status < 500 else "failed"


def _fields(trail: Trail, status: int, client: str, seconds: float) -> dict[str, Any]:
    found = {
        "outcome": _outcome(status),
        "code": trail.code if status >= 400 else None,
        "status": status,
        "client": client,
        "user": trail.user_id and str(trail.user_id),
        "session": trail.session_id and str(trail.session_id),
        "milliseconds": round(seconds * 1000),
    }
    return {name: value for name, value in found.items() if value is not None}
