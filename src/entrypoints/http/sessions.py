"""Routes: logging in and out, and the session in between."""

from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from application.sessions.authenticate import Authenticate
from application.sessions.log_in import LogIn
from application.sessions.log_out import LogOut
from domain.email_address import EmailAddress
from domain.errors import NotLoggedIn
from domain.password import Password
from domain.session import LoggedIn, Session
from domain.user import Profile
from entrypoints.http.session_cookie import SessionCookie, logged_in

LONGEST_USER_AGENT = 256


class LogInBody(msgspec.Struct):
    """Credentials."""

    email: EmailAddress
    password: Password


class UserOut(msgspec.Struct):
    """A user as they see themselves."""

    id: UUID
    email: str
    username: str
    role: str

    @classmethod
    def of(cls, user: Profile) -> "UserOut":
        """The answer for this user."""
        return cls(user.id, user.email.address, user.username.name, user.role.value)


class SessionOut(msgspec.Struct):
    """A session as its user sees it."""

    id: UUID
    created_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, session: Session) -> "SessionOut":
        """The answer for this session."""
        return cls(session.id, session.created_at, session.expires_at)


class LoggedInOut(msgspec.Struct):
    """Who is logged in."""

    status: str
    user: UserOut


class CurrentOut(msgspec.Struct):
    """The session that the request carries."""

    user: UserOut
    session: SessionOut


@post("/login", status_code=200)
async def log_in(
    request: Request[Any, Any, Any],
    data: JSONBody[LogInBody],
    log_in: NamedDependency[LogIn],
    authenticate: NamedDependency[Authenticate],
    cookie: NamedDependency[SessionCookie],
) -> Response[LoggedInOut]:
    """Start a session, unless the request carries a live one."""
    with suppress(NotLoggedIn):
        already = await logged_in(request, cookie, authenticate)
        return Response(LoggedInOut("already_logged_in", UserOut.of(already.user)))
    started, key = await log_in(
        email=data.email,
        password=data.password,
        user_agent=(request.headers.get("user-agent") or "")[:LONGEST_USER_AGENT] or None,
        address=request.client.host if request.client else None,
    )
    return Response(LoggedInOut("logged_in", UserOut.of(started.user)), cookies=[cookie.issue(key)])


@post("/logout", status_code=200)
async def log_out(
    request: Request[Any, Any, Any],
    log_out: NamedDependency[LogOut],
    authenticate: NamedDependency[Authenticate],
    cookie: NamedDependency[SessionCookie],
) -> Response[dict[str, str]]:
    """End the session, if any; the cookie is cleared in every case."""
    with suppress(NotLoggedIn):
        me = await logged_in(request, cookie, authenticate)
        await log_out(session=me.session)
    return Response({"status": "logged_out"}, cookies=[cookie.clear()])


@get("/session")
async def current(me: NamedDependency[LoggedIn]) -> CurrentOut:
    """Who is logged in here."""
    return CurrentOut(UserOut.of(me.user), SessionOut.of(me.session))


routes = [log_in, log_out, current]
