"""Relay the outbox."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from application.delivery.backoff import backoff
from application.ports import Begin, Clock, Publisher

BATCH = 100
LONGEST = timedelta(seconds=10)
"""Between two tries: it is the broker that is away, and what waits should not wait much longer than it is."""
LEASE = timedelta(seconds=15)
"""More than a publisher takes at most; so long does an event wait whose relay has died."""


@dataclass(frozen=True, slots=True)
class RelayOutbox:
    """Publish what is due in the outbox, at least once each, until it is confirmed. Many relays may run at once.

    No transaction is open while the publisher works. What it does not confirm is tried again, for ever; what a dying
    relay had taken is free again when its lease ends.
    """

    begin: Begin
    publisher: Publisher
    clock: Clock
    chance: Callable[[], float]

    async def __call__(self) -> int:
        """Relay one batch; how many messages it had."""
        now = self.clock.now()
        async with self.begin() as work:
            messages = await work.outbox.lease(BATCH, at=now, until=now + LEASE)
        if not messages:
            return 0
        safe = await self.publisher.publish(messages)
        now = self.clock.now()
        async with self.begin() as work:
            await work.outbox.mark_published(safe, now)
            for message in messages:
                if message.id not in safe:
                    await work.outbox.postpone(message.id, now + backoff(message.attempts, self.chance(), LONGEST))
        return len(messages)
