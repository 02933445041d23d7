"""Events as JSON, and messages as CloudEvents 1.0 (structured JSON mode)."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

import msgspec

from application.ports import Message
from domain.events import ALL, Event

SOURCE = "urn:bottomline"
VERSION = 1
"""Of the events' schemas: it rises when a reader of the old one could not read the new one."""
_TYPES: Mapping[str, type[Event]] = {event.type: event for event in ALL}
_UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class UnknownEvent(Exception):
    """The message cannot be read: an unknown type, another version, or data that does not fit."""


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
    except _UNREADABLE as error:
        raise UnknownEvent(f"the data do not fit {type}: {error}") from error


def envelop(message: Message) -> bytes:
    """The message as a CloudEvent."""
    return _encoder.encode(
        CloudEvent(
            id=message.id,
            type=message.type,
            time=message.at,
            dataschema=_schema(message.type),
            data=msgspec.Raw(message.data),
        )
    )


def open_envelope(body: bytes) -> Message:
    """The message in a CloudEvent. Raises UnknownEvent."""
    try:
        envelope = _envelope_decoder.decode(body)
    except _UNREADABLE as error:
        raise UnknownEvent(f"not a CloudEvent: {error}") from error
    if envelope.dataschema != _schema(envelope.type):
        raise UnknownEvent(f"its data are {envelope.dataschema}, and not {_schema(envelope.type)}")
    return Message(envelope.id, envelope.type, bytes(envelope.data), envelope.time)


def _schema(type: str) -> str:
    return f"{SOURCE}:event:{type}:{VERSION}"


_encoder = msgspec.json.Encoder()
_envelope_decoder = msgspec.json.Decoder(CloudEvent)
