"""The door in front of the routes, for those who come by the hundred."""

from litestar import Litestar
from litestar.enums import ScopeType
from litestar.types import Receive, Scope, Send

from application.ports import Overloaded, PasswordHasher
from entrypoints.http.errors import again_after, of_fault, tell
from entrypoints.http.security_log import note_problem

LOG_IN = "/api/login"


class Door:
    """Turns log-ins away while so many are under way that one more could not be done in time.

    The routes would do so too, after ten times the work: a flood would take the event loop from those who are inside.
    """

    def __init__(self, routes: Litestar) -> None:
        self._app = routes
        self._under_way = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer 503, or pass on."""
        if scope["type"] != ScopeType.HTTP or scope["method"] != "POST" or scope["path"] != LOG_IN:
            await self._app(scope, receive, send)
            return
        hasher: PasswordHasher = self._app.state["container"].hasher()
        try:
            hasher.admit(self._under_way)
        except Overloaded as fault:
            problem = of_fault(fault)
            note_problem(scope, problem.code)
            await tell(send, problem, again_after(fault))
            return
        self._under_way += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._under_way -= 1
