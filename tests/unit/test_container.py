"""Which adapters the settings choose."""

import msgspec
import pytest

from application.ports import Bucket
from domain.errors import TooManyRequests
from domain.limits import PASSWORD_CHECKS_BY_USER, Limit
from entrypoints.container import opened
from entrypoints.settings import Settings

NOBODY = "redis://127.0.0.1:1"


async def passed(settings: Settings, limit: Limit) -> int:
    """How many of twice as many tries get through."""
    count = 0
    async with opened(settings, announce=print) as container:
        for _ in range(limit.tries * 2):
            try:
                await container.rate_limiter().take(Bucket(limit, "ann"))
            except TooManyRequests:
                continue
            count += 1
    return count


@pytest.mark.parametrize("redis_url", [None, NOBODY])
async def test_limits_hold_without_redis(settings: Settings, redis_url: str | None) -> None:
    chosen = msgspec.structs.replace(settings, redis_url=redis_url, rate_limits=True)
    assert await passed(chosen, PASSWORD_CHECKS_BY_USER) == PASSWORD_CHECKS_BY_USER.tries


@pytest.mark.parametrize("redis_url", [None, NOBODY])
async def test_without_limits_everything_passes(settings: Settings, redis_url: str | None) -> None:
    chosen = msgspec.structs.replace(settings, redis_url=redis_url, rate_limits=False)
    assert await passed(chosen, PASSWORD_CHECKS_BY_USER) == PASSWORD_CHECKS_BY_USER.tries * 2
