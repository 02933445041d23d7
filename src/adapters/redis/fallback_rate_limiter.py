"""Tries counted in Redis, or in this process while Redis is away."""

from application.ports import Bucket, RateLimiter, Unavailable


class FallbackRateLimiter:
    """Asks `shared`, and `own` while that one is away: the same limits, but each replica counts for itself.

    So it never fails open: with n replicas, at most n times as many tries get through, and once more as many at each
    change, for `own` starts with full buckets.
    """

    def __init__(self, shared: RateLimiter, own: RateLimiter) -> None:
        self._shared = shared
        self._own = own

    async def take(self, *buckets: Bucket) -> None:
        """Take from all of these buckets or from none. Raises TooManyRequests."""
        try:
            await self._shared.take(*buckets)
        except Unavailable:
            await self._own.take(*buckets)
