"""docs/events.md, and the same for programs. `python -m tests.events_page` writes what is made of the code there."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from domain.events import ALL, Event
from entrypoints.http.wire import Schema
from tests.api_page import KINDS
from tests.asyncapi import asyncapi
from tests.described_events import ENVELOPE, example, meaning, schema

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "events.md"
SCHEMAS = DOCS / "schemas"
MADE = re.compile(r"(?<=<!-- made by `make events` -->\n).*(?=<!-- /made -->)", re.DOTALL)


def files() -> Mapping[Path, str]:
    """Every file, with what is to stand in it."""
    described = {SCHEMAS / f"{event.type}.json": schema(event) for event in ALL}
    return {
        PAGE: MADE.sub(lambda _: made(), PAGE.read_text()),
        DOCS / "asyncapi.json": _json(asyncapi()),
        **{path: _json(found) for path, found in described.items()},
    }


def made() -> str:
    """The envelope and every type, in Markdown."""
    return "\n".join([*_envelope(ALL[0]), "## The types\n", *(line for event in ALL for line in _event(event))])


def _json(found: Schema) -> str:
    return json.dumps(found, indent=2) + "\n"


def _envelope(event: type[Event]) -> Iterator[str]:
    yield f"## The envelope\n\n```json\n{_json(example(event))}```\n"
    yield from _fields(schema(event)["properties"], ENVELOPE)


def _event(event: type[Event]) -> Iterator[str]:
    yield f"### {event.type}\n\n{meaning(event)} [Schema](schemas/{event.type}.json).\n"
    fields = schema(event)["properties"]["data"]["properties"]
    yield from _fields(fields, {name: field["description"] for name, field in fields.items()})
    yield f"```json\n{json.dumps(example(event)['data'])}\n```\n"


def _fields(fields: Schema, meanings: Mapping[str, str]) -> Iterator[str]:
    yield "| field | kind | meaning |\n| --- | --- | --- |"
    yield from (f"| `{name}` | {_kind(field)} | {meanings[name]} |" for name, field in fields.items())
    yield ""


def _kind(field: Schema) -> str:
    match field:
        case {"anyOf": [kind, {"type": "null"}]}:
            return f"{_kind(kind)} or null"
        case {"type": "array", "items": item}:
            return f"list of {_kind(item)}s"
        case {"format": format}:
            return KINDS[format]
        case {"type": kind}:
            return {"string": "text", "object": "object"}[kind]
    raise ValueError(f"no word for {field}")


if __name__ == "__main__":
    SCHEMAS.mkdir(exist_ok=True)
    for path, text in files().items():
        path.write_text(text)
