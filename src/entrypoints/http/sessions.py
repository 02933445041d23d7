"""Routes: logging in and out, and the session in between."""

from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

import msgspec
from litestar import Request, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from application.sessions.end_other_sessions import EndOtherSessions
from application.sessions.end_session import EndSession
from application.sessions.list_sessions import ListSessions
from application.sessions.log_in import LogIn
from application.sessions.log_out import LogOut
from domain.client_address import ClientAddress
from domain.email_address import EmailAddress
from domain.errors import CredentialsInvalid, SessionNotFound
from domain.password import Password
from domain.session import LoggedIn, Session
from domain.user import Profile, Role
from entrypoints.http.accounts import StatusOut
from entrypoints.http.devices import device_of
from entrypoints.http.security_log import note_session
from entrypoints.http.session_cookie import CLEAR_SITE_DATA, SessionCookie
from entrypoints.http.wire import Moment

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
    role: Role

    @classmethod
    def of(cls, user: Profile) -> "UserOut":
        """The answer for this user."""
        return cls(user.id, user.email.address, user.username.name, user.role)


class SessionOut(msgspec.Struct):
    """A session as its user sees it. `last_seen_at` is exact to the hour."""

    id: UUID
    created_at: Moment
    last_seen_at: Moment
    expires_at: Moment

    @classmethod
    def of(cls, session: Session) -> "SessionOut":
        """The answer for this session."""
        return cls(
            session.id, session.created_at, session.last_seen_at, min(session.expires_at, session.idle_expires_at)
        )


class ListedSessionOut(SessionOut):
    """One of a user's sessions, with where it was begun."""

    device: str
    address: str | None
    is_current: bool

    @classmethod
    def listed(cls, session: Session, current: Session) -> "ListedSessionOut":
        """The answer for this session, in a list that the current one asks for."""
        return cls(
            **msgspec.structs.asdict(SessionOut.of(session)),
            device=device_of(session.user_agent),
            address=session.ip,
            is_current=session.id == current.id,
        )


class LoggedInOut(msgspec.Struct):
    """Who is logged in."""

    status: Literal["logged_in", "already_logged_in"]
    user: UserOut


class CurrentOut(msgspec.Struct):
    """The session that the request carries."""

    user: UserOut
    session: SessionOut

    @classmethod
    def of(cls, found: LoggedIn) -> "CurrentOut":
        """The answer for this session."""
        return cls(UserOut.of(found.user), SessionOut.of(found.session))


@post("/login", status_code=200, problems=(CredentialsInvalid,))
async def log_in(
    *,
    request: Request[Any, Any, Any],
    data: JSONBody[LogInBody],
    visitor: NamedDependency[LoggedIn | None],
    log_in: NamedDependency[LogIn],
    cookie: NamedDependency[SessionCookie],
    client: NamedDependency[ClientAddress],
) -> Response[LoggedInOut]:
    """Start a session, unless the request carries a live one."""
    if visitor is not None:
        return Response(LoggedInOut("already_logged_in", UserOut.of(visitor.user)))
    started, key = await log_in(
        email=data.email,
        password=data.password,
        user_agent=(request.headers.get("user-agent") or "")[:LONGEST_USER_AGENT] or None,
        client=client,
    )
    note_session(request.scope, started.session)
    return Response(LoggedInOut("logged_in", UserOut.of(started.user)), cookies=[cookie.issue(key)])


@post("/logout", status_code=200, response_headers=CLEAR_SITE_DATA)
async def log_out(
    request: Request[Any, Any, Any], log_out: NamedDependency[LogOut], cookie: NamedDependency[SessionCookie]
) -> Response[StatusOut[Literal["logged_out"]]]:
    """End the session, if any, and clear the cookie."""
    for ended in await log_out(keys=cookie.read_all(request.scope)):
        note_session(request.scope, ended)
    return Response(StatusOut("logged_out"), cookies=[cookie.clear()])


@get("/session")
async def current(me: NamedDependency[LoggedIn]) -> CurrentOut:
    """Who is logged in here."""
    return CurrentOut.of(me)


@get("/sessions")
async def list_mine(
    me: NamedDependency[LoggedIn], list_sessions: NamedDependency[ListSessions]
) -> Sequence[ListedSessionOut]:
    """Where I am logged in, newest first."""
    return [ListedSessionOut.listed(session, me.session) for session in await list_sessions(user_id=me.user.id)]


@delete("/sessions/{session_id:uuid}", problems=(SessionNotFound,))
async def end_one(
    session_id: FromPath[UUID], me: NamedDependency[LoggedIn], end_session: NamedDependency[EndSession]
) -> None:
    """End one of my sessions."""
    await end_session(user_id=me.user.id, session_id=session_id)


@delete("/sessions")
async def end_others(me: NamedDependency[LoggedIn], end_other_sessions: NamedDependency[EndOtherSessions]) -> None:
    """End all my sessions but this one."""
    await end_other_sessions(user_id=me.user.id, than=me.session.id)


routes = [log_in, log_out, current, list_mine, end_one, end_others]
