"""Turns within this process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID
from weakref import WeakValueDictionary

from adapters.system.threads import PATIENCE
from application.ports import Overloaded


class MemoryTurns:
    """A semaphore of `width` a key, kept only while somebody holds it or waits for it."""

    def __init__(self, width: int, patience: float = PATIENCE) -> None:
        self._width = width
        self._patience = patience
        self._semaphores: WeakValueDictionary[UUID, asyncio.Semaphore] = WeakValueDictionary()

    @asynccontextmanager
    async def __call__(self, key: UUID) -> AsyncIterator[None]:
        """Wait for the turn; it ends with the block. Raises Overloaded."""
        semaphore = self._semaphores.setdefault(key, asyncio.Semaphore(self._width))
        try:
            async with asyncio.timeout(self._patience):
                await semaphore.acquire()
        except TimeoutError as error:
            raise Overloaded("too many wait for the same turn") from error
        try:
            yield
        finally:
            semaphore.release()
