"""Watch for events that nobody takes."""

import logging
from dataclasses import dataclass
from datetime import timedelta

from application.ports import Begin, Clock

log = logging.getLogger(__name__)
LATE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class WatchOutbox:
    """Say so where an event has waited for over a minute: the broker is away, or refuses it. Nothing is lost by it."""

    read: Begin
    clock: Clock

    async def __call__(self) -> int:
        """Nothing is ever left to do at once: 0. Raises Unavailable."""
        async with self.read() as work:
            oldest = await work.outbox.oldest()
        if oldest is not None and (waited := self.clock.now() - oldest) > LATE:
            log.warning("events are not taken: the oldest has waited for %d s", waited.total_seconds())
        return 0
