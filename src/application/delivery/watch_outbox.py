"""Watch for events that nobody takes."""

import logging
from dataclasses import dataclass
from datetime import timedelta

from application.ports import Begin, Clock, Gauges, Unavailable

log = logging.getLogger(__name__)
LATE = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class WatchOutbox:
    """Gauge how long events wait, and say so where it is over a minute: the broker is away, or refuses them.

    Nothing is lost by it.
    """

    read: Begin
    clock: Clock
    gauges: Gauges

    async def __call__(self) -> int:
        """Nothing is ever left to do at once: 0. Raises Unavailable."""
        try:
            async with self.read() as work:
                oldest = await work.outbox.oldest()
        except Unavailable:
            self.gauges.events_waiting(None)
            raise
        waited = max(self.clock.now() - oldest, timedelta(0)) if oldest is not None else timedelta(0)
        self.gauges.events_waiting(waited)
        if waited > LATE:
            log.warning("events are not taken: the oldest has waited for %d s", waited.total_seconds())
        return 0
