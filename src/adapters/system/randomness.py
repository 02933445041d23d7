"""The system's cryptographic randomness."""

import os
import secrets
import time
from uuid import UUID

from domain.session import SessionKey


class Uuid7Ids:
    """UUIDv7 (RFC 9562, 5.7): 48 bits of milliseconds, 74 random ones.

    Within a process each is greater than the one before (6.2, method 2), so what happened later sorts later.
    """

    def __init__(self) -> None:
        self._last = 0

    def new(self) -> UUID:
        """A fresh id."""
        fresh = (time.time_ns() // 1_000_000) << 74 | secrets.randbits(74)
        self._last = max(fresh, self._last + 1 + secrets.randbits(32))
        high, low = self._last >> 62, self._last & (1 << 62) - 1
        milliseconds, middle = high >> 12, high & 0xFFF
        return UUID(int=milliseconds << 80 | 0x7 << 76 | middle << 64 | 0x2 << 62 | low)


class RandomSessionKeys:
    """Session keys of 256 random bits."""

    def new(self) -> SessionKey:
        """A fresh key."""
        return SessionKey(os.urandom(32))
