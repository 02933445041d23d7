"""Usernames remembered in Redis."""

from typing import cast

from adapters.redis.breaker import Breaker
from application.ports import Holder
from domain.username import Username

RESERVED, TAKEN = 30, 3600
"""Seconds; a sign-up is answered within three, and what a mark says too long only costs a name for an hour."""

_MARKS = {False: b"r", True: b"t"}
_ADD = """
local held = redis.call('GET', KEYS[1])
if held and string.sub(held, 2) ~= ARGV[2] then return 0 end
if held and string.sub(held, 1, 1) == 't' and ARGV[1] == 'r' then return 1 end
redis.call('SET', KEYS[1], ARGV[1] .. ARGV[2], 'EX', ARGV[3])
return 1
"""
_DELETE = """
if redis.call('GET', KEYS[1]) == 'r' .. ARGV[1] then redis.call('DEL', KEYS[1]) end
"""


class RedisUsernames:
    """Names out of reach under their key: a mark, and the owner's token.

    Scripts compare the owner, so a command that runs twice does not refuse its own owner, and nobody frees what is
    another's. A reservation whose answer was lost frees itself.
    """

    def __init__(self, redis: Breaker) -> None:
        self._redis = redis

    async def get(self, username: Username) -> Holder | None:
        """For whom the name is out of reach. Raises Unavailable."""
        value = cast("bytes | None", await self._redis.run(lambda redis: redis.get(_name(username))))
        return None if value is None else Holder(value[1:], is_taken=value[:1] == _MARKS[True])

    async def add(self, username: Username, holder: Holder) -> bool:
        """Reserve the name for half a minute, or note it as taken for an hour; False where another owner has it.

        Raises Unavailable.
        """
        arguments = _MARKS[holder.is_taken], holder.owner, TAKEN if holder.is_taken else RESERVED
        return bool(await self._redis.run(lambda redis: redis.eval(_ADD, 1, _name(username), *arguments)))

    async def delete(self, username: Username, owner: bytes) -> None:
        """Free the name if it is reserved by this owner. Raises Unavailable."""
        await self._redis.run(lambda redis: redis.eval(_DELETE, 1, _name(username), owner))


def _name(username: Username) -> bytes:
    return b"u:" + username.key.encode()
