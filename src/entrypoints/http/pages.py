"""Routes: the static pages."""

from importlib.resources import files
from importlib.resources.abc import Traversable

from litestar import MediaType, Response, get
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

PAGES = {
    "/": "index.html",
    "/signup": "signup.html",
    "/invite": "invite.html",
    "/login": "login.html",
    "/forgot": "forgot.html",
    "/reset": "reset.html",
    "/email": "email.html",
}
_TYPES = {".css": "text/css", ".js": "text/javascript"}


def page_routes() -> list[HTTPRouteHandler]:
    """A route for each page, and one for what the pages load; read once, served from memory."""
    folder = files("entrypoints") / "pages"
    assets = {file.name: file.read_bytes() for file in folder.iterdir() if _suffix(file) in _TYPES}

    @get("/assets/{name:str}", media_type=MediaType.TEXT, include_in_schema=False)
    async def asset(name: FromPath[str]) -> Response[bytes]:
        if name not in assets:
            raise NotFoundException
        return Response(assets[name], media_type=_TYPES[name[name.rindex(".") :]])

    return [asset, *(_page(path, (folder / name).read_bytes()) for path, name in PAGES.items())]


def _suffix(file: Traversable) -> str:
    return file.name[file.name.rfind(".") :]


def _page(path: str, html: bytes) -> HTTPRouteHandler:
    @get(path, media_type=MediaType.HTML, name=f"page {path}", include_in_schema=False)
    async def page() -> bytes:
        return html

    return page
