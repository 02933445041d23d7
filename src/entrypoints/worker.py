"""The worker process: relay, consumers and mail."""

import asyncio
import os
import signal

from entrypoints.console import announce
from entrypoints.container import opened
from entrypoints.delivery import delivering
from entrypoints.settings import Settings

STEP_ASIDE = 5
"""Web processes on the same machine go first: people wait for them."""


async def work(settings: Settings) -> None:
    """Deliver until the process is asked to stop (SIGTERM, SIGINT)."""
    os.nice(STEP_ASIDE)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with opened(settings, announce=announce) as container, delivering(container, settings):
        announce("Bottomline's worker relays events and sends mails. Ctrl-C stops it.")
        await stop.wait()
