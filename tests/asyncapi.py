"""docs/asyncapi.json: what is sent through the exchange, for programs."""

from collections.abc import Mapping

from adapters.cloudevents.codec import VERSION
from adapters.rabbitmq.topology import EVENTS
from domain.events import ALL, Event
from entrypoints.http.wire import Schema
from tests.described_events import data_of, enveloped, example, meaning

MEDIA_TYPE = "application/cloudevents+json"
AMQP = {"bindingVersion": "0.3.0"}
ABOUT = """What has happened to users, invites and sessions, as CloudEvents 1.0 in JSON (structured mode). Each comes
at least once and in any order; repeats have the same `id`. The routing key is the `type`. Fields may be added; what a
reader of the old schema could not read has another version, the last part of `dataschema`."""


def asyncapi() -> Schema:
    """The exchange, and what is sent through it (AsyncAPI 3.0)."""
    names = {event.__name__: event for event in ALL}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Bottomline's events", "version": str(VERSION), "description": ABOUT},
        "defaultContentType": MEDIA_TYPE,
        "servers": {
            "broker": {
                "host": "{host}",
                "protocol": "amqp",
                "protocolVersion": "0-9-1",
                "variables": {"host": {"description": "As in BOTTOMLINE_RABBITMQ_URL.", "default": "localhost:5672"}},
            }
        },
        "channels": {"events": _channel(names)},
        "operations": {f"send{name}": _operation(name, event) for name, event in names.items()},
        "components": {
            "messages": {name: _message(name, event) for name, event in names.items()},
            "schemas": {name: data_of(event) for name, event in names.items()},
        },
    }


def _channel(names: Mapping[str, type[Event]]) -> Schema:
    exchange = {"name": EVENTS, "type": "topic", "durable": True, "autoDelete": False}
    return {
        "address": "{type}",
        "description": "The address is the routing key. Bind a queue of your own to the exchange.",
        "parameters": {
            "type": {
                "description": "The type of the event.",
                "enum": [event.type for event in names.values()],
                "location": "$message.payload#/type",
            }
        },
        "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in names},
        "bindings": {"amqp": {"is": "routingKey", "exchange": exchange, **AMQP}},
    }


def _operation(name: str, event: type[Event]) -> Schema:
    return {
        "action": "send",
        "channel": {"$ref": "#/channels/events"},
        "summary": meaning(event),
        "messages": [{"$ref": f"#/channels/events/messages/{name}"}],
        "bindings": {"amqp": {"cc": [event.type], "deliveryMode": 2, "timestamp": True, **AMQP}},
    }


def _message(name: str, event: type[Event]) -> Schema:
    return {
        "name": event.type,
        "title": name,
        "summary": meaning(event),
        "contentType": MEDIA_TYPE,
        "payload": enveloped(event, {"$ref": f"#/components/schemas/{name}"}),
        "bindings": {"amqp": {"messageType": event.type, **AMQP}},
        "examples": [{"payload": example(event)}],
    }
