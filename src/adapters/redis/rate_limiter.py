"""Tries counted in Redis."""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import timedelta

from redis.asyncio import Redis
from redis.exceptions import NoScriptError

from adapters.redis.breaker import Breaker
from application.ports import Bucket
from domain.errors import TooManyRequests

_MICROSECOND = timedelta(microseconds=1)
_TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local taker, wait, full_at = ARGV[1], 0, {}
for i, bucket in ipairs(KEYS) do
  local interval, per, cost = tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i]), tonumber(ARGV[3 * i + 1])
  local at, last_taker = string.match(redis.call('GET', bucket) or '', '^(%d+) (%w+)$')
  if last_taker ~= taker then
    local full_in = math.min(math.max((tonumber(at) or now) - now, 0), per)
    wait = math.max(wait, full_in + interval * math.max(cost, 1) - per)
    if cost > 0 then full_at[bucket] = now + full_in + interval * cost end
  end
end
if wait <= 0 then
  for bucket, at in pairs(full_at) do
    redis.call('SET', bucket, string.format('%.0f %s', at, taker), 'PX', math.ceil((at - now) / 1000))
  end
end
return wait
"""
"""In whole microseconds, which a double holds exactly for the next 200 years. What stands in a bucket is when it is
full again, and who took last. A clock that is set back empties a bucket at most."""

_TAKE_SHA1 = hashlib.sha1(_TAKE.encode(), usedforsecurity=False).hexdigest()


class RedisRateLimiter:
    """Buckets that all replicas share: one script, one round trip, by the clock of Redis; a full bucket is no key.

    Keys are hashes under `secret`: neither addresses nor users stand in Redis, or can be found by trying them all.
    The client repeats a command whose answer was lost. The script knows its taker again and takes nothing twice, unless
    another has taken from the bucket in between: then the repetition costs one more try. It never lets more through.
    """

    def __init__(self, breaker: Breaker, secret: bytes) -> None:
        self._breaker = breaker
        self._secret = secret

    async def take(self, *buckets: Bucket) -> None:
        """Take from all of these buckets or from none. Raises TooManyRequests and Unavailable."""
        numbers: list[int] = []
        for bucket in buckets:
            limit = bucket.limit
            numbers += (limit.interval // _MICROSECOND, limit.per // _MICROSECOND, bucket.cost)
        wait = await self._run(list(map(self._name, buckets)), [secrets.token_hex(8), *numbers])
        if wait > 0:
            raise TooManyRequests(wait * _MICROSECOND)

    async def _run(self, names: Sequence[bytes], arguments: Sequence[str | int]) -> int:
        async def call(redis: Redis) -> int:
            try:
                return int(await redis.evalsha(_TAKE_SHA1, len(names), *names, *arguments))
            except NoScriptError:  # new to this Redis, or flushed
                return int(await redis.eval(_TAKE, len(names), *names, *arguments))

        return await self._breaker.run(call)

    def _name(self, bucket: Bucket) -> bytes:
        text = f"{bucket.limit.name} {bucket.key}".encode()
        return b"l:" + hashlib.blake2b(text, key=self._secret, digest_size=16).digest()
