"""The door in front of the routes, for those who come by the hundred."""

from collections import deque

from litestar import Litestar
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException
from litestar.types import HTTPScope, Receive, ReceiveMessage, Scope, Send

from application.ports import Overloaded, PasswordHasher
from entrypoints.http.bodies import LARGEST
from entrypoints.http.errors import turn_away
from entrypoints.http.sessions import log_in

LOG_IN = "/api/login"


class Door:
    """Turns log-ins away while so many are under way that one more could not be done in time.

    The routes would do so too, after ten times the work: a flood would take the event loop from those who are inside.
    Whoever has not sent the whole body yet is not under way: connections that say nothing keep nobody out.
    """

    def __init__(self, routes: Litestar) -> None:
        self._app = routes
        self._under_way = 0

    def objection(self, scope: HTTPScope) -> Overloaded | None:
        """Why a request is turned away before anything of it is read."""
        if not _is_log_in(scope):
            return None
        scope["route_handler"] = log_in  # for the log, however far the request comes
        hasher: PasswordHasher = self._app.state["container"].hasher()
        try:
            hasher.admit(self._under_way)
        except Overloaded as fault:
            return fault
        return None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 503 where there is an objection once the body is here, or pass on."""
        if scope["type"] != ScopeType.HTTP or not _is_log_in(scope):
            await self._app(scope, receive, send)
            return
        body = _ReadAhead(receive)
        await body.wait()
        if fault := self.objection(scope):
            await turn_away(scope, send, fault)
            return
        self._under_way += 1
        try:
            await self._app(scope, body, send)
        finally:
            self._under_way -= 1


def _is_log_in(scope: HTTPScope) -> bool:
    return scope["method"] == "POST" and scope["path"] == LOG_IN


class _ReadAhead:
    """The body of a request, kept for the routes; also that it is late, which they answer."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._parts: deque[ReceiveMessage] = deque()
        self._fault: HTTPException | None = None

    async def wait(self) -> None:
        """Return once the body is here, or more of it than anybody reads, or it is late, or its sender has gone."""
        size, is_over = 0, False
        try:
            while not is_over and size <= LARGEST:
                part = await self._receive()
                self._parts.append(part)
                if part["type"] != "http.request":
                    return
                is_over = not part.get("more_body", False)
                size += len(part.get("body", b""))
        except HTTPException as fault:
            self._fault = fault

    async def __call__(self) -> ReceiveMessage:
        """The next part. Raises what the wait for it has raised."""
        if self._parts:
            return self._parts.popleft()
        if self._fault:
            raise self._fault
        return await self._receive()
