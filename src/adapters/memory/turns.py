"""Turns within this process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID
from weakref import WeakValueDictionary


class MemoryTurns:
    """One lock a key, kept only while somebody holds it or waits for it."""

    def __init__(self) -> None:
        self._locks: WeakValueDictionary[UUID, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def __call__(self, key: UUID) -> AsyncIterator[None]:
        """Wait for the turn; it ends with the block."""
        lock = self._locks.setdefault(key, asyncio.Lock())
        async with lock:
            yield
