"""What docs/events.md and the schemas say of events is so."""

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator, Draft202012Validator

from adapters.cloudevents.codec import encode, envelop
from application.ports import Message
from domain.events import ALL, Event
from entrypoints.http.wire import Schema
from tests.described_events import FORMATS, example, validator
from tests.events_page import DOCS, PAGE, SCHEMAS, files

TYPES = [event.type for event in ALL]
TIMES = st.datetimes(timezones=st.just(UTC))
every_event = pytest.mark.parametrize("event", ALL, ids=TYPES)
st.register_type_strategy(str, st.text(st.characters(exclude_categories=["Cs"])))
st.register_type_strategy(datetime, TIMES)
any_event = st.one_of(*(st.from_type(kind) for kind in ALL))


def spoilt(event: type[Event]) -> Iterator[Schema]:
    """Every way in which a field of the envelope or of the data is missing, or of another kind."""
    whole = example(event)
    for name in whole:
        yield from ({**whole, **wrong} for wrong in _wrong(name))
        yield {other: value for other, value in whole.items() if other != name}
    data = whole["data"]
    for name in data:
        yield from ({**whole, "data": {**data, **wrong}} for wrong in _wrong(name))
        yield {**whole, "data": {other: value for other, value in data.items() if other != name}}


def _wrong(name: str) -> Iterator[Schema]:
    """What no field of this name may be; the last is a time without a zone."""
    yield from ({name: value} for value in (7, [7]))
    if name not in ("email", "username"):
        yield from ({name: value} for value in ("nonsense", "2026-01-31T12:00:00"))


def test_the_files_are_those_of_the_code() -> None:
    made = files()
    assert {path: path.read_text() for path in made} == made, "run: make events"
    assert set(SCHEMAS.iterdir()) == {path for path in made if path.parent == SCHEMAS}


def test_every_type_stands_on_the_page_and_nothing_else() -> None:
    assert re.findall(r"^### (.*)$", PAGE.read_text(), re.MULTILINE) == TYPES


@every_event
def test_a_schema_bears_the_name_that_the_events_refer_to(event: type[Event]) -> None:
    schema = json.loads((SCHEMAS / f"{event.type}.json").read_text())
    Draft202012Validator.check_schema(schema)
    assert schema["$id"] == example(event)["dataschema"] == f"urn:bottomline:event:{event.type}:1"


@given(event=any_event, id=st.uuids(), at=TIMES)
def test_whatever_is_published_fits_its_schema(event: Event, id: UUID, at: datetime) -> None:
    validator(type(event)).validate(json.loads(envelop(Message(id, event.type, encode(event), at))))


@every_event
def test_an_event_with_a_field_missing_or_of_another_kind_does_not_fit(event: type[Event]) -> None:
    fits = validator(event)
    assert [found for found in spoilt(event) if fits.is_valid(found)] == []


@every_event
def test_an_event_does_not_fit_the_schema_of_another_type(event: type[Event]) -> None:
    assert [other.type for other in ALL if validator(other).is_valid(example(event))] == [event.type]


@every_event
def test_a_field_that_is_new_fits(event: type[Event]) -> None:
    found = example(event)
    assert validator(event).is_valid({**found, "novelty": 1, "data": {**found["data"], "novelty": 1}})


@every_event
def test_asyncapi_describes_the_same_event(event: type[Event]) -> None:
    """In the JSON Schema of AsyncAPI, which is draft 7."""
    described = json.loads((DOCS / "asyncapi.json").read_text())
    (operation,) = (
        found for found in described["operations"].values() if event.type in found["bindings"]["amqp"]["cc"]
    )
    (message,) = operation["messages"]
    name = message["$ref"].rpartition("/")[2]
    assert described["channels"]["events"]["messages"][name] == {"$ref": f"#/components/messages/{name}"}
    fits = Draft7Validator({"$ref": f"#/components/messages/{name}/payload", **described}, format_checker=FORMATS)
    fits.validate(example(event))
    assert [found for found in spoilt(event) if fits.is_valid(found)] == []
