"""Queries behind paths, read as strictly as bodies."""

from typing import Any
from urllib.parse import parse_qsl

import msgspec
from litestar import Request

from domain.errors import BadField, InvalidFields
from entrypoints.http.answers import query_of
from entrypoints.http.strict_json import MOST_PROBLEMS, printable, read_fields


async def which(request: Request[Any, Any, Any]) -> Any:
    """The query as the route's `which`. Raises InvalidFields, also for a name that stands there twice."""
    wanted = query_of(request.route_handler)
    if wanted is None:
        raise TypeError("only a route with `which` has a query")
    return read_query(request.scope["query_string"], wanted)


def read_query(query: bytes, into: type[msgspec.Struct]) -> msgspec.Struct:
    """A query as a Struct. Raises InvalidFields."""
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    found = dict(pairs)
    if len(found) != len(pairs):
        names = [name for name, _ in pairs]
        twice = [BadField(printable(name), "wrong_type", "Send it once.") for name in found if names.count(name) > 1]
        raise InvalidFields(*twice[:MOST_PROBLEMS])
    return read_fields(found, into, {})
