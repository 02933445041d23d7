"""Fixtures: a real browser, and Bottomline with people in it."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, expect

from tests.integration.browser.chromium import ChromiumMissing, launched
from tests.integration.browser.visitors import PATIENCE, Visitors
from tests.integration.journeys.worlds import World, embedded

CONTACT = "https://help.example.org/"
expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    try:
        async with launched() as running:
            yield running
    except ChromiumMissing as missing:
        pytest.fail(str(missing), pytrace=False)


@pytest.fixture(scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """One for all tests of a file: each has people of its own."""
    async with embedded(tmp_path_factory.mktemp("browser"), BOTTOMLINE_CONTACT_URL=CONTACT) as running_world:
        yield running_world


@pytest.fixture
async def visitors(browser: Browser) -> AsyncIterator[Visitors]:
    """What scripts, consoles or the content policy complain about fails the test, but for what it forgives."""
    coming = Visitors(browser)
    yield coming
    await coming.leave()
    assert coming.unforgiven() == []


@pytest.fixture
async def page(visitors: Visitors) -> Page:
    """A page of a fresh visitor with a phone."""
    return await visitors.come()
