"""Events as JSON and as CloudEvents."""

import json
from datetime import UTC, datetime
from typing import get_args
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.cloudevents.codec import UnknownEvent, decode, encode, envelop, open_envelope
from application.ports import Message
from domain import events
from domain.events import Event, UserConfirmed

st.register_type_strategy(str, st.text(st.characters(exclude_categories=["Cs"])))
st.register_type_strategy(datetime, st.datetimes(timezones=st.just(UTC)))
DEEP = b'{"x":' * 10_000
any_event = st.one_of(*(st.from_type(kind) for kind in events.ALL))


def test_every_event_is_in_the_list() -> None:
    assert set(events.ALL) == set(get_args(Event))
    assert len({event.type for event in events.ALL}) == len(events.ALL)


@given(any_event)
def test_an_event_survives_the_trip(event: Event) -> None:
    assert decode(event.type, encode(event)) == event


def test_the_envelope_is_a_cloud_event() -> None:
    event = UserConfirmed(UUID(int=5))
    message = Message(UUID(int=1), event.type, encode(event), datetime(2026, 1, 1, tzinfo=UTC))
    assert json.loads(envelop(message)) == {
        "specversion": "1.0",
        "id": str(UUID(int=1)),
        "source": "urn:bottomline",
        "type": "user.confirmed",
        "time": "2026-01-01T00:00:00Z",
        "datacontenttype": "application/json",
        "dataschema": "urn:bottomline:event:user.confirmed:1",
        "data": {"user_id": str(UUID(int=5))},
    }
    assert open_envelope(envelop(message)) == message


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"{}", b'{"id":"x"}', b"\xff", b'{"type":"caf\xe9"}', DEEP])
def test_what_is_no_cloud_event_is_told_apart(body: bytes) -> None:
    with pytest.raises(UnknownEvent):
        open_envelope(body)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("user.unheard", b"{}"),
        ("user.confirmed", b"{}"),
        ("user.confirmed", b""),
        ("user.confirmation_resend_requested", b'{"email":"caf\xe9"}'),
        ("user.confirmed", DEEP),
    ],
)
def test_an_event_that_cannot_be_read_is_told_apart(kind: str, data: bytes) -> None:
    with pytest.raises(UnknownEvent):
        decode(kind, data)


def test_fields_of_a_later_version_are_passed_over() -> None:
    data = json.dumps({"user_id": str(UUID(int=5)), "novelty": 1}).encode()
    assert decode("user.confirmed", data) == UserConfirmed(UUID(int=5))
