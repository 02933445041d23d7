"""Guessing invites."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from application.ports import Bucket, RateLimiter
from domain.client_address import ClientAddress
from domain.errors import InviteInvalid
from domain.limits import BAD_INVITES_BY_ADDRESS


@asynccontextmanager
async def bad_invites_counted(limiter: RateLimiter, client: ClientAddress, *others: Bucket) -> AsyncIterator[None]:
    """Count what the block refuses as a bad invite, and let nobody in who has tried too many; `others` count always.

    Only invites that cannot be used count, and each of them, however many are tried at once: the one too many is
    answered TooManyRequests in the place of what was wrong with it.
    """
    await limiter.take(*others, Bucket(BAD_INVITES_BY_ADDRESS, client.network, cost=0))
    try:
        yield
    except InviteInvalid:
        await limiter.take(Bucket(BAD_INVITES_BY_ADDRESS, client.network))
        raise
