"""The door in front of the routes, for those who come by the hundred."""

from collections import deque

from litestar import Litestar
from litestar.enums import ScopeType
from litestar.exceptions import HTTPException
from litestar.types import Receive, ReceiveMessage, Scope, Send

from application.ports import Overloaded, PasswordHasher
from entrypoints.http.bodies import LARGEST
from entrypoints.http.errors import again_after, of_fault, tell
from entrypoints.http.security_log import note_problem
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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 503, or pass on."""
        if scope["type"] != ScopeType.HTTP or scope["method"] != "POST" or scope["path"] != LOG_IN:
            await self._app(scope, receive, send)
            return
        scope["route_handler"] = log_in  # for the log, however far the request comes
        body = _ReadAhead(receive)
        try:
            self._admit()
            await body.wait()
            self._admit()
        except Overloaded as fault:
            problem = of_fault(fault)
            note_problem(scope, problem.code)
            await tell(send, problem, again_after(fault))
            return
        self._under_way += 1
        try:
            await self._app(scope, body, send)
        finally:
            self._under_way -= 1

    def _admit(self) -> None:
        """Return where one more can be done in time. Raises Overloaded."""
        hasher: PasswordHasher = self._app.state["container"].hasher()
        hasher.admit(self._under_way)


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
