"""Sessions remembered in Redis."""

import logging
from collections.abc import Iterable
from datetime import datetime
from typing import cast
from uuid import UUID

import msgspec
from redis.asyncio import Redis
from redis.exceptions import RedisError

from application.ports import Ended, Unavailable
from domain.email_address import EmailAddress
from domain.session import LoggedIn, Session
from domain.user import Profile, Role
from domain.username import Username

log = logging.getLogger(__name__)

REMEMBERED = 60
BURIED = 120
"""Seconds; a tombstone outlives every entry that a late reader may still be about to write."""
_TOMBSTONE = b""
_FORGET = "if redis.call('GET', KEYS[1]) ~= '' then return redis.call('DEL', KEYS[1]) end return 0"
_FAULTS = (RedisError, OSError)


class _Entry(msgspec.Struct, array_like=True, frozen=True):
    """What is cached: positions instead of names, ids as 16 bytes."""

    session_id: UUID
    user_id: UUID
    created_at: datetime
    last_seen_at: datetime
    idle_expires_at: datetime
    expires_at: datetime
    email: str
    username: str
    role: Role
    user_agent: str | None
    ip: str | None


class RedisSessionCache:
    """Sessions under the hash of their key, for a minute; ended ones as tombstones.

    `SET NX` writes an entry, a plain `SET` a tombstone: so a reader that was already on its way cannot put a dead
    session back. Nothing in Redis can be used as a cookie.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def get(self, key_hash: bytes) -> LoggedIn | Ended | None:
        """What is remembered; None also where Redis fails: the record is asked instead (fails open to the record)."""
        try:
            value = cast("bytes | None", await self._redis.get(_name(key_hash)))
        except _FAULTS as fault:
            log.warning("sessions are read from the database: %r", fault)
            return None
        if value is None:
            return None
        return Ended.ENDED if value == _TOMBSTONE else _unpack(key_hash, value)

    async def put(self, found: LoggedIn) -> None:
        """Remember a session for a minute, unless anything is remembered of it; or not, where Redis fails."""
        try:
            await self._redis.set(_name(found.session.key_hash), _pack(found), nx=True, ex=REMEMBERED)
        except _FAULTS as fault:
            log.warning("a session is not cached: %r", fault)

    async def bury(self, key_hashes: Iterable[bytes]) -> None:
        """Remember sessions as ended for two minutes. Raises Unavailable."""
        pipeline = self._redis.pipeline(transaction=False)
        for key_hash in key_hashes:
            pipeline.set(_name(key_hash), _TOMBSTONE, ex=BURIED)
        try:
            await pipeline.execute()
        except _FAULTS as fault:
            raise Unavailable("Redis did not take the end of a session") from fault

    async def forget(self, key_hashes: Iterable[bytes]) -> None:
        """Forget live sessions, for which Redis compares before it deletes; or let them be forgotten in a minute."""
        pipeline = self._redis.pipeline(transaction=False)
        for key_hash in key_hashes:
            pipeline.eval(_FORGET, 1, _name(key_hash))
        try:
            await pipeline.execute()
        except _FAULTS as fault:
            log.warning("changed sessions stay cached for a minute: %r", fault)


def _name(key_hash: bytes) -> bytes:
    return b"s:" + key_hash


def _pack(found: LoggedIn) -> bytes:
    session, user = found.session, found.user
    entry = _Entry(
        session.id,
        user.id,
        session.created_at,
        session.last_seen_at,
        session.idle_expires_at,
        session.expires_at,
        user.email.address,
        user.username.name,
        user.role,
        session.user_agent,
        session.ip,
    )
    return _encoder.encode(entry)


def _unpack(key_hash: bytes, value: bytes) -> LoggedIn | None:
    """The session and its user; None for an entry that another version wrote."""
    try:
        entry = _decoder.decode(value)
    except msgspec.MsgspecError:
        return None
    session = Session(
        id=entry.session_id,
        user_id=entry.user_id,
        key_hash=key_hash,
        created_at=entry.created_at,
        last_seen_at=entry.last_seen_at,
        idle_expires_at=entry.idle_expires_at,
        expires_at=entry.expires_at,
        user_agent=entry.user_agent,
        ip=entry.ip,
    )
    user = Profile(entry.user_id, EmailAddress(entry.email), Username(entry.username), entry.role)
    return LoggedIn(session, user)


_encoder = msgspec.msgpack.Encoder(uuid_format="bytes")
_decoder = msgspec.msgpack.Decoder(_Entry)
