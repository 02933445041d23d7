"""Passwords hashed with Argon2id."""

import os
from base64 import b64encode
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import argon2

from adapters.argon2.memory import HashMemory
from adapters.system.threads import PATIENCE, Threads
from application.ports import Place
from domain.password import Password

T = TypeVar("T")
SECONDS_A_HASH = 0.03
"""What the default cost takes on an ordinary core."""


@dataclass(frozen=True, slots=True)
class Argon2Cost:
    """What a hash costs: `time` passes over `memory` KiB. The defaults are OWASP's (Password Storage Cheat Sheet)."""

    time: int = 2
    memory: int = 19_456


class Argon2PasswordHasher:
    """Argon2id (RFC 9106), one lane, 16 bytes of salt, 32 of hash, off the event loop.

    As many hashes run at once as there are cores; who would wait for longer than `patience` seconds is told at once.
    """

    def __init__(self, cost: Argon2Cost, *, threads: int | None = None, patience: float = PATIENCE) -> None:
        self._hasher = argon2.PasswordHasher(time_cost=cost.time, memory_cost=cost.memory, parallelism=1)
        self._threads = Threads("argon2", threads or cores(), expected=SECONDS_A_HASH, patience=patience)
        self._memory = HashMemory()
        self._nobody = _hash_of_nothing(cost)
        _hash_at_once()

    async def hash(self, password: Password) -> str:
        """The hash as a PHC string. Raises Overloaded."""
        return await self._run(partial(self._hasher.hash, password.text))

    def admit(self, under_way: int) -> None:
        """Return where one more can be done in time. Raises Overloaded."""
        self._threads.admit(under_way)

    def place(self) -> AbstractContextManager[Place]:
        """A place in the queue for one password. Raises Overloaded."""
        return self._threads.place()

    async def verify(self, password: Password, hash: str | None, place: Place | None = None) -> bool:
        """Whether the password is the hash's; the same work where there is no hash. Raises Overloaded."""
        matches = await self._run(partial(self._matches, hash or self._nobody, password.text), place)
        return matches and hash is not None

    async def renew(self, password: Password, hash: str) -> str | None:
        """A hash under today's parameters; None where it has them already. Raises Overloaded."""
        if not self._hasher.check_needs_rehash(hash):
            return None
        return await self._run(partial(self._hasher.hash, password.text))

    def close(self) -> None:
        """Let go of the threads; what waits is dropped."""
        self._memory.close()
        self._threads.close()

    def _matches(self, hash: str, text: str) -> bool:
        try:
            return self._hasher.verify(hash, text)
        except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
            return False

    async def _run(self, work: Callable[[], T], place: Place | None = None) -> T:
        try:
            return await self._threads.run(work, place)
        finally:
            self._memory.used()


def _hash_at_once() -> None:
    """The least hash there is: bindings built for another processor end the process at its start, not at a log-in."""
    argon2.low_level.hash_secret(
        b"", bytes(8), time_cost=1, memory_cost=8, parallelism=1, hash_len=4, type=argon2.Type.ID
    )


def _hash_of_nothing(cost: Argon2Cost) -> str:
    """A hash that no password has: random, and as much work to refuse as any."""
    salt, digest = (b64encode(os.urandom(size)).decode().rstrip("=") for size in (16, 32))
    return f"$argon2id$v=19$m={cost.memory},t={cost.time},p=1${salt}${digest}"


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
