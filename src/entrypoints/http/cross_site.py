"""Requests that another site makes a browser send (CSRF), told by what browsers themselves say of where they come from.

They send `Origin` with every POST, PUT, PATCH and DELETE, and nearly all send `Sec-Fetch-Site`; no script can set them.
A client that is no browser sends neither and carries nobody's cookie unawares, so it passes (ASVS 3.5.1, 3.5.3).
"""

from collections.abc import Sequence
from http import HTTPStatus
from urllib.parse import urlsplit

from entrypoints.http.errors import ProblemOut

Headers = Sequence[tuple[bytes, bytes]]

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing (RFC 9110, section 9.2.1): links and forwarded questions come from anywhere."""
PROBLEM = ProblemOut.of(
    "cross_site",
    HTTPStatus.FORBIDDEN,
    "Sent from another site",
    "The browser says that another site sent this request. If it was this service's own page, then its operator has to"
    " set BOTTOMLINE_PUBLIC_URL to the address that the browser shows.",
)
_SCHEME_PORTS = {"http": 80, "https": 443}
_OUR_PAGES = frozenset({b"same-origin", b"none"})


def origin_of(url: str) -> bytes:
    """The origin of a URL as browsers write it: in lower case, without the scheme's own port (RFC 6454)."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    host = host if host.isascii() else host.encode("idna").decode()
    host = f"[{host}]" if ":" in host else host
    port = "" if parts.port in {None, _SCHEME_PORTS[parts.scheme]} else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}".encode()


def is_cross_site(headers: Headers, origin: bytes) -> bool:
    """Whether any header says so: an Origin other than ours (`null` and a second one included), or Sec-Fetch-Site."""
    origins = [value for name, value in headers if name == b"origin"]
    sites = {value for name, value in headers if name == b"sec-fetch-site"}
    return origins not in ([], [origin]) or not sites <= _OUR_PAGES
