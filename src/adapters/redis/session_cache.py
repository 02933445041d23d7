"""Sessions remembered in Redis."""

from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from math import floor
from typing import cast
from uuid import UUID

import msgspec
from redis.asyncio import Redis

from adapters.redis.breaker import Breaker
from adapters.redis.copies import Copies
from adapters.redis.gathered import GatheredReads
from application.ports import Ended, Unavailable
from domain.email_address import EmailAddress
from domain.session import LoggedIn, Session
from domain.user import Profile, Role
from domain.username import Username

REMEMBERED = 60
BURIED = 120
"""Seconds; a tombstone outlives every entry that a late reader may still be about to write."""
AT_ONCE = 500
"""Sessions that are buried in one go; thousands would hold up the event loop, and make a Redis seem away."""
PREFIX = b"s"
"""What names of entries begin with, and no others in this Redis."""
_NAMED_BY = 13
"""How many bytes of a hash name an entry: with the letter in front and Redis's own two they fill 16. Nobody finds a
second key for 104 bits, and could put it into no cookie."""
_ROLES = tuple(Role)
"""New ones go to the end: entries hold the place."""
_TOMBSTONE = b""
_UNRECORDED = b"unrecorded-log-outs"
_FORGET = "if redis.call('GET', KEYS[1]) ~= '' then return redis.call('DEL', KEYS[1]) end return 0"


class _Entry(msgspec.Struct, array_like=True, frozen=True):
    """What is cached, in few bytes: positions instead of names, ids as 16 bytes, lives as durations ("P14D").

    Moments are seconds since 1970; `last_seen_at` is left out where it is `created_at`.
    """

    session_id: UUID
    user_id: UUID
    created_at: float
    last_seen_at: float | None
    good_for: int
    """Seconds after `last_seen_at`; two bytes at most, for a session was seen at most an hour before it is cached."""
    idle: timedelta
    absolute: timedelta
    email: str
    username: str
    role: int

    @property
    def good_until(self) -> float:
        """The moment from which on it may not be believed any more."""
        seen_at = self.created_at if self.last_seen_at is None else self.last_seen_at
        return seen_at + self.good_for


class RedisSessionCache:
    """Sessions under the hash of their key, for a minute; ended ones as tombstones.

    `SET NX` writes an entry, a plain `SET` a tombstone: so a reader that was already on its way cannot put a dead
    session back. An entry says itself until when it is good, for a frozen Redis writes it, with a life that begins
    then, when it thaws. Nothing in Redis can be used as a cookie.

    With `copies`, what Redis has said once it is not asked again while it tells of changes.
    """

    def __init__(self, redis: Breaker, copies: Copies | None = None) -> None:
        self._redis = redis
        self._reads = GatheredReads(redis)
        self._copies = copies

    async def get(self, key_hash: bytes, at: datetime) -> LoggedIn | Ended | None:
        """What is remembered; None also where Redis fails: the record is asked instead (fails open to the record)."""
        name, now, copies = _name(key_hash), at.timestamp(), self._copies
        if copies is None:
            return _told(await self._read(name), key_hash, now)[0]
        if kept := copies.get(name, now):
            return kept
        heard = copies.heard
        found, good_until = _told(await self._read(name), key_hash, now)
        if isinstance(found, LoggedIn):
            copies.keep(name, found, good_until, heard)
        return found

    async def _read(self, name: bytes) -> bytes | None:
        try:
            return await self._reads.get(name)
        except Unavailable:
            return None

    async def put(self, found: LoggedIn, at: datetime) -> None:
        """Remember a session for a minute, unless anything is remembered of it; or not, where Redis fails."""
        name, entry = _name(found.session.key_hash), _pack(found, at.timestamp() + REMEMBERED)
        with suppress(Unavailable):
            await self._redis.run(lambda redis: redis.set(name, entry, nx=True, ex=REMEMBERED))

    async def bury(self, key_hashes: Iterable[bytes]) -> None:
        """Remember sessions as ended for two minutes. Raises Unavailable.

        Each is deleted first: a Redis that is full refuses the tombstone, and then at least the session is gone.
        """
        await self._bury(list(key_hashes), is_recorded=True)

    async def bury_unrecorded(self, key_hashes: Iterable[bytes]) -> None:
        """The same, with the hashes in a set that does not expire. Raises Unavailable."""
        await self._bury(list(key_hashes), is_recorded=False)

    async def unrecorded(self) -> Collection[bytes]:
        """What is in that set. Raises Unavailable."""
        found = await self._redis.run(lambda redis: cast("Awaitable[set[bytes]]", redis.smembers(_UNRECORDED)))
        return frozenset(found)

    async def recorded(self, key_hashes: Iterable[bytes]) -> None:
        """Take them out of it. Raises Unavailable."""
        if hashes := list(key_hashes):
            await self._redis.run(lambda redis: redis.srem(_UNRECORDED, *hashes))

    async def forget(self, key_hashes: Iterable[bytes]) -> None:
        """Forget live sessions, for which Redis compares before it deletes; or let them be forgotten in a minute."""
        names = [_name(key_hash) for key_hash in key_hashes]

        async def write(redis: Redis) -> None:
            pipeline = redis.pipeline(transaction=False)
            for name in names:
                pipeline.eval(_FORGET, 1, name)
            await pipeline.execute()

        with suppress(Unavailable):
            await self._changed(names, write)

    async def _bury(self, key_hashes: Sequence[bytes], *, is_recorded: bool) -> None:
        async def write(redis: Redis) -> None:
            pipeline = redis.pipeline(transaction=False)
            for key_hash in some:
                pipeline.delete(_name(key_hash))
                pipeline.set(_name(key_hash), _TOMBSTONE, ex=BURIED)
            if not is_recorded:
                pipeline.sadd(_UNRECORDED, *some)
            await pipeline.execute()

        for first in range(0, len(key_hashes), AT_ONCE):
            some = key_hashes[first : first + AT_ONCE]
            await self._changed([_name(key_hash) for key_hash in some], write)

    async def _changed(self, names: Sequence[bytes], write: Callable[[Redis], Awaitable[None]]) -> None:
        """Write, and come back once Redis has told every process of it; this one knows before. Raises Unavailable.

        Redis tells in the turn in which it is written to, maybe after its answer: one more question is answered in a
        later turn.
        """

        async def write_and_ask(redis: Redis) -> None:
            await write(redis)
            await redis.echo("told?")

        self._drop(names)
        try:
            await self._redis.run(write_and_ask)
        finally:
            self._drop(names)  # what was read meanwhile

    def _drop(self, names: Iterable[bytes]) -> None:
        if self._copies:
            self._copies.drop(names)


def _name(key_hash: bytes) -> bytes:
    return PREFIX + key_hash[:_NAMED_BY]


def _pack(found: LoggedIn, good_until: float) -> bytes:
    session, user = found.session, found.user
    created_at, last_seen_at = session.created_at.timestamp(), session.last_seen_at.timestamp()
    entry = _Entry(
        session.id,
        user.id,
        created_at,
        None if last_seen_at == created_at else last_seen_at,
        floor(good_until - last_seen_at),
        session.idle_expires_at - session.last_seen_at,
        session.expires_at - session.created_at,
        user.email.address,
        user.username.name,
        _ROLES.index(user.role),
    )
    return _encoder.encode(entry)


def _told(value: bytes | None, key_hash: bytes, now: float) -> tuple[LoggedIn | Ended | None, float]:
    """What a value says, and until when; nothing where another version wrote it, or where it is no longer good."""
    if value is None:
        return None, now
    if value == _TOMBSTONE:
        return Ended.ENDED, now
    try:
        entry = _decoder.decode(value)
        return _found(key_hash, entry) if now < entry.good_until else None, entry.good_until
    except (msgspec.MsgspecError, ValueError, IndexError, OverflowError, OSError, RecursionError):
        return None, now


def _found(key_hash: bytes, entry: _Entry) -> LoggedIn:
    """The session and its user. Raises ValueError, IndexError, OverflowError or OSError for an entry without sense."""
    created_at = datetime.fromtimestamp(entry.created_at, UTC)
    last_seen_at = created_at if entry.last_seen_at is None else datetime.fromtimestamp(entry.last_seen_at, UTC)
    session = Session(
        id=entry.session_id,
        user_id=entry.user_id,
        key_hash=key_hash,
        created_at=created_at,
        last_seen_at=last_seen_at,
        idle_expires_at=last_seen_at + entry.idle,
        expires_at=created_at + entry.absolute,
    )
    user = Profile(entry.user_id, EmailAddress(entry.email), Username(entry.username), _ROLES[entry.role])
    return LoggedIn(session, user)


_encoder = msgspec.msgpack.Encoder(uuid_format="bytes")
_decoder = msgspec.msgpack.Decoder(_Entry)
