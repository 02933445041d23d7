"""The system's cryptographic randomness."""

import os
import time
from uuid import UUID

from domain.session import SessionKey


class Uuid7Ids:
    """UUIDv7 (RFC 9562, 5.7): 48 bits of milliseconds, 74 random ones."""

    def new(self) -> UUID:
        """A fresh id."""
        value = (time.time_ns() // 1_000_000) << 80 | int.from_bytes(os.urandom(10), "big")
        value = value & ~(0xF << 76) | 0x7 << 76
        return UUID(int=value & ~(0x3 << 62) | 0x2 << 62)


class RandomSessionKeys:
    """Session keys of 256 random bits."""

    def new(self) -> SessionKey:
        """A fresh key."""
        return SessionKey(os.urandom(32))
