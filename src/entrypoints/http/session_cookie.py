"""The session cookie, and who it belongs to."""

from typing import TYPE_CHECKING, Any

from litestar import Request
from litestar.datastructures import Cookie
from litestar.di import NamedDependency
from litestar.types import Scope

from application.sessions.authenticate import Authenticate
from domain.errors import NotLoggedIn
from domain.session import LoggedIn, SessionKey
from entrypoints.http.security_log import note_session

if TYPE_CHECKING:
    from adapters.crypto.cookies import AesGcmCookieSeal

MOST_ENDED = 4
"""Sessions that one log-out ends: a browser has one, and one or two more where somebody has planted them."""
CLEAR_SITE_DATA = {"Clear-Site-Data": '"cache", "storage"'}
"""What browsers forget when a session ends (ASVS 14.3.1): what pages of this origin have kept.

Not "cookies": that would take those of every other host of our domain along, and ours is cleared by name.
"""


def cookie_name(*, is_secure: bool) -> str:
    """The cookie's name, which is a promise of its attributes where browsers keep to it."""
    return "__Host-session" if is_secure else "session"


class SessionCookie:
    """`__Host-session`: Secure, HttpOnly, SameSite=Strict, for this host and every path (ASVS 3.3.1 to 3.3.4).

    Where PUBLIC_URL is plain http on another host than this machine, browsers take no such cookie: then it is
    `session`, without Secure.
    """

    def __init__(self, seal: "AesGcmCookieSeal", *, is_secure: bool, max_age: int) -> None:
        self._seal = seal
        self._is_secure = is_secure
        self._max_age = max_age
        self.name = cookie_name(is_secure=is_secure)

    def issue(self, key: SessionKey) -> Cookie:
        """The cookie that opens this session."""
        return self._cookie(self._seal.seal(key), self._max_age)

    def clear(self) -> Cookie:
        """The cookie that makes a browser forget its session."""
        return self._cookie("", 0)

    def read(self, scope: Scope) -> SessionKey | None:
        """The key that a request carries; None where there is no cookie, a broken one, or more than one."""
        found = self._values(scope)
        return self._seal.open(found[0]) if len(found) == 1 else None

    def read_all(self, scope: Scope) -> list[SessionKey]:
        """Every key that a request carries: whoever logs out wants all of them ended."""
        opened = (self._seal.open(value) for value in self._values(scope))
        return list(dict.fromkeys(key for key in opened if key))[:MOST_ENDED]

    def _values(self, scope: Scope) -> list[str]:
        """Only blanks and tabs are stripped: what else passes for white space makes another name (RFC 6265, 5.2)."""
        return [
            value.strip(" \t")
            for header, cookies in scope["headers"]
            if header == b"cookie"
            for name, _, value in (pair.partition("=") for pair in cookies.decode("latin-1").split(";"))
            if name.strip(" \t") == self.name
        ]

    def _cookie(self, value: str, max_age: int) -> Cookie:
        return Cookie(
            key=self.name,
            value=value,
            path="/",
            max_age=max_age,
            secure=self._is_secure,
            httponly=True,
            samesite="strict",
        )


async def visiting(
    request: Request[Any, Any, Any],
    cookie: NamedDependency[SessionCookie],
    authenticate: NamedDependency[Authenticate],
) -> LoggedIn | None:
    """Who sends this request; None where it carries no live session."""
    key = cookie.read(request.scope)
    if key is None:
        return None
    try:
        found = await authenticate(key=key)
    except NotLoggedIn:
        return None
    note_session(request.scope, found.session)
    return found


async def logged_in(visitor: NamedDependency[LoggedIn | None]) -> LoggedIn:
    """Who sends this request. Raises NotLoggedIn."""
    if visitor is None:
        raise NotLoggedIn
    return visitor
