"""The memory of hashes: kept while passwords come in, given back when it is quiet."""

import asyncio
import ctypes

QUIET = 3.0
"""Seconds without a hash after which the memory goes back to the system."""
_M_ARENA_MAX = -8


class HashMemory:
    """Governs glibc's allocator, where there is one; elsewhere it does nothing.

    A hash takes 19 MiB. Asking the system for them each time costs a third of the rate, so the allocator's way of
    keeping them is right under load. But it keeps them for ever, for each thread apart: measured, 127 MB resident
    after a few log-ins instead of 88. So all threads share one arena, which is trimmed once it has been quiet.
    """

    def __init__(self) -> None:
        library = ctypes.CDLL(None)
        self._trim = getattr(library, "malloc_trim", None)
        self._timer: asyncio.TimerHandle | None = None
        if self._trim is not None:
            library.mallopt(_M_ARENA_MAX, 1)

    def used(self) -> None:
        """A hash is done: give back what it used unless another is done soon."""
        if self._timer is not None:
            self._timer.cancel()
        if self._trim is not None:
            self._timer = asyncio.get_running_loop().call_later(QUIET, self._trim, 0)

    def close(self) -> None:
        """Forget about giving anything back."""
        if self._timer is not None:
            self._timer.cancel()
