"""What the API says of itself, and whether an answer is as it says."""

import re
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import schemathesis
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from entrypoints.http.app import routed
from entrypoints.http.openapi import describe
from entrypoints.settings import Settings, read_settings

SETTINGS = read_settings({"BOTTOMLINE_SECRET_KEYS": "0" * 32})
CONFORMS: list[Any] = [
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


def description(settings: Settings = SETTINGS) -> dict[str, Any]:
    """The description as a client reads it."""
    found: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(describe(routed(settings).routes, settings)))
    return found


def _operations(description: dict[str, Any]) -> dict[str, Any]:
    """Each operation, `POST /api/login` for one. Cookies are the tests' own, and text has no NUL in it."""
    config = schemathesis.Config()
    config.projects.default.generation.update(with_security_parameters=False, allow_x00=False)
    schema = schemathesis.openapi.from_dict(description, config=config)
    results: Any = schema.get_all_operations()
    return {found.label: found for found in (result.ok() for result in results)}


DESCRIPTION = description()
OPERATIONS = _operations(DESCRIPTION)
_TEMPLATES = {path: re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)) for path in DESCRIPTION["paths"]}


async def check_described(answer: httpx.Response) -> None:
    """Fail where the description gives an operation no answer of this status, type, shape, header or code."""
    await answer.aread()
    path, values = _template(answer.request.url.path)
    if operation := OPERATIONS.get(f"{answer.request.method} {path}"):
        operation.Case(path_parameters=values).validate_response(_without_body_sent(answer), checks=CONFORMS)


def _template(path: str) -> tuple[str, dict[str, str]]:
    """The path as it is described, and what stands in its gaps; one without gaps goes before."""
    if path in DESCRIPTION["paths"]:
        return path, {}
    found = ((name, match.groupdict()) for name, template in _TEMPLATES.items() if (match := template.fullmatch(path)))
    return next(found, (path, {}))


def _without_body_sent(answer: httpx.Response) -> httpx.Response:
    """The answer as the checks can read it: they ask for the time that it took, and cannot read a streamed body."""
    request = httpx.Request(answer.request.method, answer.request.url)
    found = httpx.Response(answer.status_code, headers=answer.headers, content=answer.content, request=request)
    found.elapsed = timedelta()
    return found
