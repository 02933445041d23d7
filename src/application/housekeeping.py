"""Forget what is over."""

import logging
from dataclasses import dataclass

from application.ports import Begin, Clock
from domain.retention import KEPT, Leftover

log = logging.getLogger(__name__)
BATCH = 1_000
"""Rows in one transaction: few enough that nobody waits for them."""


@dataclass(frozen=True, slots=True)
class KeepHouse:
    """Delete what has been over for long enough, in batches; several processes may do so at once."""

    begin: Begin
    clock: Clock

    async def __call__(self) -> int:
        """Delete a batch of each kind; how many rows that were. Raises Unavailable."""
        return sum([await self._forget(kind) for kind in Leftover])

    async def _forget(self, kind: Leftover) -> int:
        async with self.begin() as work:
            deleted = await work.leftovers.delete(kind, before=self.clock.now() - KEPT[kind], most=BATCH)
        if deleted:
            log.info("forgot %d of kind: %s", deleted, kind)
        return deleted
