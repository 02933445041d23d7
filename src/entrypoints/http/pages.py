"""Routes: the static pages."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from litestar import Request, Response, get
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from entrypoints.http.errors import of_status, refused_by_framework
from entrypoints.http.security_log import note_problem
from entrypoints.http.static_files import answer_with
from entrypoints.site import File, Site

PAGES: Mapping[str, str] = {
    "/": "index.html",
    "/signup": "signup.html",
    "/invite": "invite.html",
    "/login": "login.html",
    "/forgot": "forgot.html",
    "/reset": "reset.html",
    "/email": "email.html",
    "/account": "account.html",
    "/invites": "invites.html",
}
ICON = "icon.svg"
NOWHERE = "404.html"
NOT_FOR_PEOPLE = ("/api/", "/assets/")
CHECKED_EACH_TIME: Mapping[str, str] = {"Cache-Control": "no-cache"}
KEPT_FOR_EVER: Mapping[str, str] = {"Cache-Control": "public, max-age=31536000, immutable"}
FOR_ANY_SITE: Mapping[str, str] = {
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
}
"""Assets are the same for everybody, and pages load them from wherever the operator has put them."""


def page_routes(site: Site) -> list[HTTPRouteHandler]:
    """A route for each page, and those for what the pages load; all served from memory."""
    pages = {path: site.pages[name] for path, name in PAGES.items()} | {"/favicon.ico": site.assets[ICON]}
    return [*_assets(site), *(_page(path, file) for path, file in pages.items())]


def _assets(site: Site) -> list[HTTPRouteHandler]:
    def find(name: str) -> File:
        if name not in site.assets:
            raise NotFoundException
        return site.assets[name]

    @get("/assets/{version:str}/{name:str}", include_in_schema=False)
    async def asset(request: Request[Any, Any, Any], version: FromPath[str], name: FromPath[str]) -> Response[bytes]:
        """Answer a file for good; to a page of another version, as replicas serve them during an upgrade, for now."""
        kept = KEPT_FOR_EVER if version == site.version else CHECKED_EACH_TIME
        return answer_with(request, find(name), {**kept, **FOR_ANY_SITE})

    @get("/assets/{name:str}", include_in_schema=False)
    async def current_asset(request: Request[Any, Any, Any], name: FromPath[str]) -> Response[bytes]:
        return answer_with(request, find(name), {**CHECKED_EACH_TIME, **FOR_ANY_SITE})

    return [asset, current_asset]


def _page(path: str, file: File) -> HTTPRouteHandler:
    @get(path, name=f"page {path}", include_in_schema=False)
    async def page(request: Request[Any, Any, Any]) -> Response[bytes]:
        return answer_with(request, file, CHECKED_EACH_TIME)

    return page


def not_found(request: Request[Any, Any, Any], error: NotFoundException) -> Response[Any]:
    """A page for people who have followed a link to nowhere, a problem for everybody else."""
    if not _is_asked_by_a_person(request):
        return refused_by_framework(request, error)
    note_problem(request.scope, of_status(HTTPStatus.NOT_FOUND).code)
    page: File = request.app.state.site.pages[NOWHERE]
    return Response(page.content, status_code=HTTPStatus.NOT_FOUND, headers={"Content-Type": page.media_type})


def _is_asked_by_a_person(request: Request[Any, Any, Any]) -> bool:
    accepted = ",".join(request.headers.getall("accept", []))
    path = f"{request.scope['path']}/"
    return request.method == "GET" and "text/html" in accepted and not path.startswith(NOT_FOR_PEOPLE)
