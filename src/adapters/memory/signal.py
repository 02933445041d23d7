"""Signals within this process."""

import asyncio
from datetime import timedelta


class MemorySignal:
    """A latch: set while nobody waits, it lets the next one through at once. Set it from the event loop's thread."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def set(self) -> None:
        """There is work."""
        self._event.set()

    async def wait(self, timeout: timedelta) -> None:
        """Return when there is work, or when the time is over."""
        try:
            async with asyncio.timeout(timeout.total_seconds()):
                await self._event.wait()
        except TimeoutError:
            return
        self._event.clear()
