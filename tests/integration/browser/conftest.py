"""Fixtures: a real browser, the system's Chromium."""

import ctypes
import os
import shutil
from collections.abc import AsyncIterator, Callable, Mapping

import pytest
from playwright.async_api import Browser, ConsoleMessage, Page, async_playwright

from tests.integration.servers import debian

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = ["--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync"]


@pytest.fixture(scope="session")
def chromium() -> str:
    """Where the browser is; on Debian, as root, what is missing of it and of its driver is installed."""
    if debian.can_install() and (lacking := [name for name, is_here in PACKAGES.items() if not is_here()]):
        debian.install(lacking)
    found = _find()
    if found is None:
        pytest.fail(f"Browser tests need Chromium: install one of {', '.join(NAMES)}", pytrace=False)
    return found


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


@pytest.fixture(scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        arguments = [*ARGUMENTS, "--no-sandbox"] if os.geteuid() == 0 else ARGUMENTS
        launched = await playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield launched
        await launched.close()


@pytest.fixture
async def page(browser: Browser) -> AsyncIterator[Page]:
    """A page of a fresh visitor; what its scripts or its content policy complain about fails the test."""
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error" and "the server responded with a status of 4" not in message.text:
            complaints.append(message.text)

    context = await browser.new_context(viewport={"width": 390, "height": 844})
    opened = await context.new_page()
    opened.on("console", note)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.set_default_timeout(10_000)
    yield opened
    await context.close()
    assert complaints == []
