"""Events as JSON, and messages as CloudEvents 1.0 (structured JSON mode)."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import msgspec

from application.ports import Message
from domain.events import ALL, Event

SOURCE = "urn:bottomline"
_TYPES: Mapping[str, type[Event]] = {event.type: event for event in ALL}


class UnknownEvent(Exception):
    """The message cannot be read: an unknown type, or data that does not fit it."""


class CloudEvent(msgspec.Struct, frozen=True, kw_only=True):
    """The envelope. `data` is the event; its schema is named by `dataschema`, whose last part is the version."""

    specversion: str = "1.0"
    id: UUID
    source: str = SOURCE
    type: str
    time: datetime
    datacontenttype: str = "application/json"
    dataschema: str
    data: msgspec.Raw


def encode(event: Event) -> bytes:
    """The event's fields in JSON."""
    return _encoder.encode(event)


def decode(type: str, data: bytes) -> Event:
    """The event again. Raises UnknownEvent; fields that this version does not know are passed over."""
    if type not in _TYPES:
        raise UnknownEvent(f"no event has the type {type!r}")
    try:
        return msgspec.json.decode(data, type=_TYPES[type])
    except msgspec.MsgspecError as error:
        raise UnknownEvent(f"the data do not fit {type}: {error}") from error


def envelop(message: Message) -> bytes:
    """The message as a CloudEvent."""
    return _encoder.encode(
        CloudEvent(
            id=message.id,
            type=message.type,
            time=message.at,
            dataschema=f"urn:bottomline:event:{message.type}:1",
            data=msgspec.Raw(message.data),
        )
    )


def open_envelope(body: bytes) -> Message:
    """The message in a CloudEvent. Raises UnknownEvent."""
    try:
        envelope = _envelope_decoder.decode(body)
    except msgspec.MsgspecError as error:
        raise UnknownEvent(f"not a CloudEvent: {error}") from error
    return Message(envelope.id, envelope.type, bytes(envelope.data), envelope.time)


_encoder = msgspec.json.Encoder()
_envelope_decoder = msgspec.json.Decoder(CloudEvent)
