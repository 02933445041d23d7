"""Turns within this process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID
from weakref import WeakValueDictionary


class MemoryTurns:
    """A semaphore of `width` a key, kept only while somebody holds it or waits for it."""

    def __init__(self, width: int) -> None:
        self._width = width
        self._semaphores: WeakValueDictionary[UUID, asyncio.Semaphore] = WeakValueDictionary()

    @asynccontextmanager
    async def __call__(self, key: UUID) -> AsyncIterator[None]:
        """Wait for the turn; it ends with the block."""
        semaphore = self._semaphores.setdefault(key, asyncio.Semaphore(self._width))
        async with semaphore:
            yield
