"""Tries counted in Redis, or in this process while Redis is away."""

import logging

from application.ports import Bucket, RateLimiter, Unavailable

log = logging.getLogger(__name__)


class FallbackRateLimiter:
    """Asks `shared`, and `own` while that one is away: the same limits, but each replica counts for itself.

    So it never fails open: with n replicas, at most n times as many tries get through, and once more as many at each
    change, for `own` starts with full buckets.
    """

    def __init__(self, shared: RateLimiter, own: RateLimiter) -> None:
        self._shared = shared
        self._own = own
        self._is_away = False

    async def take(self, *buckets: Bucket) -> None:
        """Take from all of these buckets or from none. Raises TooManyRequests."""
        try:
            await self._shared.take(*buckets)
        except Unavailable as fault:
            self._note(fault)
            await self._own.take(*buckets)
        else:
            self._note(None)

    def _note(self, fault: Unavailable | None) -> None:
        """Say it once when the shared limiter goes, and once when it is back."""
        if fault and not self._is_away:
            log.warning("limits are counted in this process: %s (%r)", fault, fault.__cause__)
        elif self._is_away and not fault:
            log.warning("limits are counted in Redis again")
        self._is_away = fault is not None
