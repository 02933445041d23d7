"""Route: the description of the API (OpenAPI 3.1).

Made from the routes themselves, when it is first asked for: the start does not wait for it. The framework's own
generator would see bodies whose fields are values of the domain, and statuses that it thinks of itself; it knows
neither that text is what is sent, nor the table of problems.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from importlib.metadata import version
from inspect import getdoc, getmodule
from itertools import groupby
from typing import Any, get_args, get_origin

import msgspec
from litestar import MediaType, Request, Response, get
from litestar.handlers import HTTPRouteHandler
from litestar.routes import BaseRoute, HTTPRoute

from domain.password import PasswordPolicy
from entrypoints.http.answers import TO_DO, body_of, every_problem, heeds_session, problems_of, query_of, wants_session
from entrypoints.http.errors import MEDIA_TYPE, ProblemOut
from entrypoints.http.session_cookie import cookie_name
from entrypoints.http.wire import Schema, Schemas
from entrypoints.settings import Settings

ABOUT = """JSON in and out. Errors are `application/problem+json` (RFC 9457) with a stable `code`; codes, field names
and statuses stay, titles and details may change their words. Clients must not mind fields that are new to them.

Not listed with each operation: any other path is answered 404 `not_found`, any other method 405
`method_not_allowed` with `Allow`; HEAD is answered wherever GET is, without the body, and OPTIONS with `Allow`.
Each answer carries the id of its request in `X-Request-Id`, under which the service's log knows it."""
RETRY_AFTER = {
    "Retry-After": {
        "description": "Seconds until the same request has a chance.",
        "required": True,
        "schema": {"type": "integer", "minimum": 1},
    }
}
LOCATION = {"Location": {"description": "Where to.", "required": True, "schema": {"type": "string"}}}
SET_COOKIE = {"Set-Cookie": {"description": "The session's cookie, new or cleared.", "schema": {"type": "string"}}}


def describe(routes: Sequence[BaseRoute], settings: Settings) -> Schema:
    """The whole description of these routes, as these settings have it."""
    schemas = Schemas(PasswordPolicy(settings.password_min_length))
    problem = schemas.of(ProblemOut)
    described = list(_described(routes))
    paths: dict[str, Schema] = {}
    for path, route in described:
        for method in route.http_methods:
            paths.setdefault(path.path_format, {})[method.lower()] = _operation(path, route, schemas, problem)
    problems = every_problem() | {code: found for _, route in described for code, found in problems_of(route).items()}
    return {
        "openapi": "3.1.0",
        "info": {"title": "Bottomline", "version": version("bottomline"), "description": ABOUT},
        "servers": [{"url": settings.public_url}],
        "tags": list({tag["name"]: tag for tag in (_tag(route) for _, route in described)}.values()),
        "paths": paths,
        "components": {
            "schemas": schemas.named,
            "examples": {
                key: {"summary": found.title, "description": TO_DO[found.code], "value": found}
                for key, found in problems.items()
            },
            "securitySchemes": {
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": cookie_name(is_secure=settings.has_secure_origin),
                    "description": "Set by `POST /api/login`.",
                }
            },
        },
    }


def _described(routes: Sequence[BaseRoute]) -> Iterator[tuple[HTTPRoute, HTTPRouteHandler]]:
    """Path by path as the application lists them; the methods of one path in an order that is always the same."""
    for path in routes:
        if isinstance(path, HTTPRoute):
            found = (route for route in path.route_handlers if route.include_in_schema is not False)
            yield from (
                (path, route) for route in sorted(found, key=lambda route: min(route.http_methods), reverse=True)
            )


def _operation(path: HTTPRoute, route: HTTPRouteHandler, schemas: Schemas, problem: Schema) -> Schema:
    summary, _, more = (getdoc(route.fn) or "").partition("\n\n")
    found: Schema = {
        "operationId": f"{_noun(route)}.{route.fn.__name__}",
        "tags": [_tag(route)["name"]],
        "summary": summary.removesuffix("."),
        "responses": dict(_responses(route, schemas, problem)),
    }
    if more:
        found["description"] = more
    if parameters := [*_parameters(path, route, schemas)]:
        found["parameters"] = parameters
    if body := body_of(route):
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": schemas.of_body(body)}}}
    if heeds_session(route):
        found["security"] = [{"session": []}] if wants_session(route) else [{}, {"session": []}]
    return found


def _parameters(path: HTTPRoute, route: HTTPRouteHandler, schemas: Schemas) -> Iterator[Schema]:
    for name, part in path.path_parameters.items():
        yield {"name": name, "in": "path", "required": True, "schema": schemas.of_path(name, part.type)}
    if query := query_of(route):
        for name, schema in schemas.of_query(query).items():
            yield {"name": name, "in": "query", "schema": schema}


def _noun(route: HTTPRouteHandler) -> str:
    return route.fn.__module__.rpartition(".")[2]


def _tag(route: HTTPRouteHandler) -> Schema:
    about = re.sub("^Routes?: ", "", getdoc(getmodule(route.fn)) or "")
    return {"name": _noun(route).replace("_", " "), "description": about}


def _responses(route: HTTPRouteHandler, schemas: Schemas, problem: Schema) -> Iterator[tuple[str, Schema]]:
    yield str(route.status_code), _success(route, schemas)
    for status, spec in (route.responses or {}).items():
        yield str(status), {"description": spec.description, "headers": LOCATION}
    problems = sorted(problems_of(route).items(), key=lambda found: found[1].status)
    for status, found in groupby(problems, key=lambda found: found[1].status):
        yield str(status), _refusal(status, dict(found), problem)


def _success(route: HTTPRouteHandler, schemas: Schemas) -> Schema:
    kind = route.parsed_fn_signature.return_type.annotation
    if isinstance(get_origin(kind), type) and issubclass(get_origin(kind), Response):
        (kind,) = get_args(kind)
    found: Schema = {"description": HTTPStatus(route.status_code).phrase}
    headers: dict[str, Schema] = {
        header.name: {
            "description": header.description or header.value,
            "required": header.required or header.value is not None,
            "schema": {"type": "string"},
        }
        for header in sorted(route.resolve_response_headers(), key=lambda header: header.name)
    }
    if "cookie" in route.parsed_fn_signature.parameters:
        headers |= SET_COOKIE
    if headers:
        found["headers"] = headers
    if kind is not type(None):
        found["content"] = {route.media_type or MediaType.JSON: {"schema": schemas.of(kind)}}
    return found


def _refusal(status: int, problems: Mapping[str, ProblemOut], problem: Schema) -> Schema:
    codes = sorted({found.code for found in problems.values()})
    narrowed = {"status": {"const": status}, "code": {"enum": codes}}
    found: Schema = {
        "description": "; ".join(sorted({found.title for found in problems.values()})),
        "content": {
            MEDIA_TYPE: {
                "schema": {"allOf": [problem], "properties": narrowed},
                "examples": {code: {"$ref": f"#/components/examples/{code}"} for code in problems},
            }
        },
    }
    if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
        found["headers"] = RETRY_AFTER
    return found


@get("/openapi.json", include_in_schema=False)
async def openapi(request: Request[Any, Any, Any]) -> Response[bytes]:
    """Describe the API."""
    state = request.app.state
    if "description" not in state:
        state.description = msgspec.json.encode(describe(request.app.routes, state.container.settings()))
    return Response(state.description, media_type="application/json")
