"""Route: whether a proxy may let a request through to an application, and on whose behalf."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import msgspec
from litestar import MediaType, Request, Response, get
from litestar.datastructures import Headers, ResponseHeader
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec

from adapters.crypto.links import Links
from domain.errors import NotLoggedIn
from domain.session import LoggedIn
from entrypoints.http.return_to import path_of_ours

IDENTITY = {
    "X-User-Id": "The user's id.",
    "X-Username": "The username, in percent-encoded UTF-8.",
    "X-User-Role": "`admin` or `member`.",
    "X-Session-Id": "The session's id.",
}


@get(
    "/forward_auth",
    media_type=MediaType.TEXT,
    problems=(NotLoggedIn,),
    response_headers=[
        ResponseHeader(name=name, description=description, required=True, documentation_only=True)
        for name, description in IDENTITY.items()
    ],
    responses={302: ResponseSpec(None, description="A page load that comes with X-Forwarded-Uri: to the log-in page")},
)
async def forward_auth(
    request: Request[Any, Any, Any], visitor: NamedDependency[LoggedIn | None], links: NamedDependency[Links]
) -> Response[str]:
    """Name who is logged in, in headers. Lead a page load to the log-in page, if the proxy says where it was going.

    Caddy and Traefik do, and pass a redirect on; nginx's auth_request does not, and takes 401 alone.
    """
    if visitor is not None:
        return Response("", headers=identity(visitor))
    targets = request.headers.getall("x-forwarded-uri", [])
    if not targets or not _is_page_load(request.headers):
        raise NotLoggedIn
    return_to = path_of_ours(targets[0]) if len(targets) == 1 else None
    return Response("", status_code=HTTPStatus.FOUND, headers={"Location": links.login(return_to)})


def identity(visitor: LoggedIn) -> Mapping[str, str]:
    """Who it is. Header values are ASCII: what else a username has is percent-encoded UTF-8."""
    return {
        "X-User-Id": msgspec.to_builtins(visitor.user.id),
        "X-Username": quote(visitor.user.username.name, safe=""),
        "X-User-Role": visitor.user.role.value,
        "X-Session-Id": msgspec.to_builtins(visitor.session.id),
    }


def _is_page_load(headers: Headers) -> bool:
    """Whether a browser that only reads will show the answer to a person."""
    is_read = headers.get("x-forwarded-method", "GET") in {"GET", "HEAD"}
    is_shown = headers.get("sec-fetch-mode") == "navigate" or "text/html" in headers.get("accept", "").lower()
    return is_read and is_shown


routes = [forward_auth]
