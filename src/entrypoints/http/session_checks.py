"""The two questions that applications ask before each request of their own, answered in front of the routes."""

import secrets
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

import msgspec
from litestar import Litestar
from litestar.enums import ScopeType
from litestar.types import ASGIApp, HTTPResponseBodyEvent, Receive, Scope, Send

from application.sessions.authenticate import Authenticate
from domain.session import LoggedIn
from entrypoints.http.forward_auth import IDENTITY, identity
from entrypoints.http.session_cookie import SessionCookie
from entrypoints.http.sessions import CurrentOut

Headers = Iterable[tuple[bytes, bytes]]
VISITORS = 10_000
"""Browsers of which a process remembers how their cookie opens and what they were told, some 3 kB each."""
LONGEST = 1024
"""Bytes of the longest line of cookies that is remembered."""
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


class _Answer(NamedTuple):
    headers: list[tuple[bytes, bytes]]
    body: HTTPResponseBodyEvent


class _Visitor:
    """What does not change between two requests of a browser: its session's key, and what is said of the session."""

    __slots__ = ("_answers", "_found", "key_hash")

    def __init__(self, key_hash: bytes) -> None:
        self.key_hash = key_hash
        self._found: LoggedIn | None = None
        self._answers: dict[str, _Answer] = {}

    def told(self, path: str, found: LoggedIn, make: Callable[[str, LoggedIn], _Answer]) -> _Answer:
        """The answer about this session, made anew where it is not the very one of the last time."""
        if found is not self._found:
            self._found, self._answers = found, {}
        answer = self._answers.get(path)
        if answer is None:
            answer = self._answers[path] = make(path, found)
        return answer


class SessionChecks:
    """Answers who is logged in, as the routes would, where the session is remembered: nearly always.

    Whether it still is, is looked at each time. Whatever else there is to say (nobody is logged in, the record has to
    be asked, a fault), the routes say. Successful reading leaves no line in the security log, so it is passed by, but
    for the id of the request.
    """

    def __init__(self, app: ASGIApp, routes: Litestar, headers: Headers) -> None:
        self._app = app
        self._state = routes.state
        self._headers = tuple(headers)
        self._visitors: OrderedDict[bytes, _Visitor] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on."""
        is_asked = scope["type"] == ScopeType.HTTP and scope["method"] == "GET" and scope["path"] in ANSWERS
        answer = await self._answer(scope) if is_asked else None
        if answer is None:
            await self._app(scope, receive, send)
            return
        headers = [*answer.headers, (b"x-request-id", secrets.token_hex(8).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send(answer.body)

    async def _answer(self, scope: Scope) -> _Answer | None:
        line = b"; ".join([value for name, value in scope["headers"] if name == b"cookie"])
        visitor = self._visitors.get(line) or self._opened(scope)
        if visitor is None:
            return None
        authenticate: Authenticate = self._state["container"].authenticate()
        found = await authenticate.remembered(visitor.key_hash)
        if not isinstance(found, LoggedIn):
            self._visitors.pop(line, None)
            return None
        self._remember(line, visitor)
        return visitor.told(scope["path"], found, self._made)

    def _opened(self, scope: Scope) -> _Visitor | None:
        cookie: SessionCookie = self._state["cookie"]
        key = cookie.read(scope)
        return None if key is None else _Visitor(key.hash)

    def _remember(self, line: bytes, visitor: _Visitor) -> None:
        """Keep in mind who sends this line of cookies, if it is one that browsers send."""
        if line not in self._visitors and len(line) <= LONGEST:
            self._visitors[line] = visitor
            if len(self._visitors) > VISITORS:
                self._visitors.popitem(last=False)

    def _made(self, path: str, found: LoggedIn) -> _Answer:
        headers, body = ANSWERS[path](found)
        length = (b"content-length", str(len(body)).encode())
        return _Answer(
            [*headers, length, *self._headers], {"type": "http.response.body", "body": body, "more_body": False}
        )
