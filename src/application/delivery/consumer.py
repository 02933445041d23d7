"""Consumers of events."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from application.ports import Message
from domain.events import Event


@dataclass(frozen=True, slots=True)
class Consumer:
    """Somebody who wants events of some types, each at least once; handling one again must be harmless."""

    types: frozenset[str]
    handle: Callable[[Message, Event], Awaitable[None]]
