"""What each event says of itself: its JSON Schema and an example, made of the types that are published."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple, get_type_hints
from uuid import UUID

import msgspec
from jsonschema import Draft202012Validator, FormatChecker
from msgspec.inspect import type_info

from adapters.cloudevents.codec import CloudEvent, decode, encode, envelop
from application.ports import Message
from domain.events import Event
from entrypoints.http.wire import Moment, Schema

DIALECT = "https://json-schema.org/draft/2020-12/schema"
OPENS_NOTHING = "; by itself it opens nothing"


class Field(NamedTuple):
    """What a field of this name means in every event, and what may stand in it."""

    meaning: str
    example: object


FIELDS: Mapping[str, Field] = {
    "user_id": Field("the account", "019a6b2c-0d3e-7c4f-8a5b-6c7d8e9f0a1b"),
    "username": Field("the name of the user, as others see it", "ann"),
    "email": Field("a mail address", "ann@example.org"),
    "token_id": Field(f"the token in the mail{OPENS_NOTHING}", "019a6b2c-1e4f-7a3b-9c2d-4e5f60718293"),
    "undo_token_id": Field(f"the token in the mail{OPENS_NOTHING}", "019a6b2c-2f50-7b4c-8d3e-5f6071829304"),
    "expires_at": Field("until when it can be used", "2026-02-07T12:00:00Z"),
    "invite_id": Field(f"the invite{OPENS_NOTHING}", "019a6b2c-3061-7c5d-9e4f-607182930415"),
    "issued_by": Field(
        "the user who issued it; null where the command line or the first start did",
        "019a6b2c-4172-7d6e-8f50-718293041526",
    ),
    "session_ids": Field("the sessions, as people see them listed", ["019a6b2c-5283-7e7f-9061-829304152637"]),
    "key_hashes": Field(
        "SHA-256 of the sessions' keys in hex, in the same order",
        ["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
    ),
}
ENVELOPE: Mapping[str, str] = {
    "specversion": "the version of CloudEvents",
    "id": "the same each time that this event comes; the AMQP message id too",
    "source": "who tells of it",
    "type": "what has happened; the routing key too",
    "time": "when it happened",
    "datacontenttype": "what `data` is",
    "dataschema": "the schema of the event; its last part is the version",
    "data": "the event",
}
VARIES = {"id", "time", "data"}
ID, AT = UUID("019a6b2c-6394-7f80-a172-930415263748"), datetime(2026, 1, 31, 12, tzinfo=UTC)


def meaning(event: type[Event]) -> str:
    """What has happened, in one line."""
    return " ".join((event.__doc__ or "").split())


def example(event: type[Event]) -> Schema:
    """An event of this type as it is published."""
    data = {field.name: FIELDS[field.name].example for field in _fields(event)}
    sample = decode(event.type, json.dumps(data).encode())
    found: Schema = json.loads(envelop(Message(ID, event.type, encode(sample), AT)))
    return found


def schema(event: type[Event]) -> Schema:
    """The schema of the whole CloudEvent."""
    return {"$schema": DIALECT, "$id": example(event)["dataschema"], **enveloped(event, data_of(event))}


def validator(event: type[Event]) -> Draft202012Validator:
    """Tells whether a CloudEvent is as its schema says, times and UUIDs included."""
    return Draft202012Validator(schema(event), format_checker=FORMATS)


def enveloped(event: type[Event], data: Schema) -> Schema:
    """The CloudEvent as it is written: what all events of a type have in common is fixed."""
    found, written = _schema(CloudEvent), example(event)
    fields = {
        name: {**field, "description": ENVELOPE[name], **({} if name in VARIES else {"const": written[name]})}
        for name, field in found["properties"].items()
    }
    return {**found, "title": event.type, "description": meaning(event), "properties": {**fields, "data": data}}


def data_of(event: type[Event]) -> Schema:
    """The schema of the event's own fields."""
    found = _schema(event)
    for name, field in found["properties"].items():
        field["description"] = FIELDS[name].meaning
    return found


def _schema(kind: type) -> Schema:
    """The schema of what is written: every field is there, and every time has its zone."""
    hints = get_type_hints(kind)
    fields = [(field.name, Moment if hints[field.name] is datetime else hints[field.name]) for field in _fields(kind)]
    twin = msgspec.defstruct(kind.__name__, fields, namespace={"__doc__": kind.__doc__})
    _, named = msgspec.json.schema_components([twin])
    found: Schema = named[kind.__name__]
    return found


def _fields(kind: type) -> tuple[msgspec.inspect.Field, ...]:
    found: Any = type_info(kind)
    fields: tuple[msgspec.inspect.Field, ...] = found.fields
    return fields


def _is_moment(value: object) -> bool:
    """Whether it is a time as RFC 3339 writes it, or no text at all; jsonschema alone takes any text for one."""
    return not isinstance(value, str) or msgspec.convert(value, Moment) is not None


FORMATS = FormatChecker(["uuid"])
FORMATS.checks("date-time", msgspec.ValidationError)(_is_moment)
