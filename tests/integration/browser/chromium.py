"""The system's Chromium."""

import ctypes
import os
import shutil
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from playwright.async_api import Browser, async_playwright

from tests.integration.servers import debian

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync"]


class ChromiumMissing(Exception):
    """There is none; the message says what to install."""


@asynccontextmanager
async def launched() -> AsyncIterator[Browser]:
    """The browser; on Debian, as root, what is missing of it and of its driver is installed. Raises ChromiumMissing."""
    if debian.can_install() and (lacking := [name for name, is_here in PACKAGES.items() if not is_here()]):
        debian.install(lacking)
    found = _find()
    if found is None:
        raise ChromiumMissing(f"Browser tests need Chromium: install one of {', '.join(NAMES)}")
    async with async_playwright() as playwright:
        arguments = [*ARGUMENTS, "--no-sandbox"] if os.geteuid() == 0 else ARGUMENTS
        browser = await playwright.chromium.launch(executable_path=found, args=arguments)
        yield browser
        await browser.close()


def _find() -> str | None:
    return next((found for name in NAMES if (found := shutil.which(name))), None)


def _has_libatomic() -> bool:
    try:
        ctypes.CDLL("libatomic.so.1")
    except OSError:
        return False
    return True


PACKAGES: Mapping[str, Callable[[], bool]] = {
    "chromium": lambda: _find() is not None,
    "libatomic1": _has_libatomic,  # the driver's Node.js is linked with it
}
