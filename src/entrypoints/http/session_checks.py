"""The two questions that applications ask before each request of their own, answered in front of the routes."""

import secrets
from collections.abc import Callable, Iterable, Mapping

import msgspec
from litestar import Litestar
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPResponseStartEvent, Receive, Scope, Send

from application.sessions.authenticate import Authenticate
from domain.session import LoggedIn
from entrypoints.http.forward_auth import IDENTITY, identity
from entrypoints.http.session_cookie import SessionCookie
from entrypoints.http.sessions import CurrentOut

Headers = Iterable[tuple[bytes, bytes]]
_JSON = ((b"content-type", b"application/json"),)
_TEXT = (b"content-type", b"text/plain; charset=utf-8")
_NAMES = {name: name.lower().encode() for name in IDENTITY}
_encoder = msgspec.json.Encoder()


def _session(found: LoggedIn) -> tuple[Headers, bytes]:
    return _JSON, _encoder.encode(CurrentOut.of(found))


def _forward_auth(found: LoggedIn) -> tuple[Headers, bytes]:
    told = identity(found).items()
    return [_TEXT, *[(_NAMES[name], value.encode()) for name, value in told]], b""


ANSWERS: Mapping[str, Callable[[LoggedIn], tuple[Headers, bytes]]] = {
    "/api/session": _session,
    "/api/forward_auth": _forward_auth,
}


class SessionChecks:
    """Answers who is logged in, as the routes would, where the session is remembered: nearly always.

    Whatever else there is to say (nobody is logged in, the record has to be asked, a fault), the routes say.
    Successful reading leaves no line in the security log, so it is passed by, but for the id of the request.
    """

    def __init__(self, app: ASGIApp, routes: Litestar, headers: Headers) -> None:
        self._app = app
        self._state = routes.state
        self._headers = tuple(headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on."""
        is_read = scope["type"] == ScopeType.HTTP and scope["method"] == "GET"
        answer = ANSWERS.get(scope["path"]) if is_read else None
        found = await self._remembered(scope) if answer else None
        if answer is None or found is None:
            await self._app(scope, receive, send)
            return
        headers, body = answer(found)
        start: HTTPResponseStartEvent = {
            "type": "http.response.start",
            "status": 200,
            "headers": [
                *headers,
                (b"content-length", str(len(body)).encode()),
                *self._headers,
                (b"x-request-id", secrets.token_hex(8).encode()),
            ],
        }
        await send(start)
        await send({"type": "http.response.body", "body": body, "more_body": False})

    async def _remembered(self, scope: Scope) -> LoggedIn | None:
        cookie: SessionCookie = self._state["cookie"]
        key = cookie.read(scope)
        if key is None:
            return None
        authenticate: Authenticate = self._state["container"].authenticate()
        found = await authenticate.remembered(key.hash)
        return found if isinstance(found, LoggedIn) else None
