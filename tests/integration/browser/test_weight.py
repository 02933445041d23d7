"""Pages are light: they are there at once on a slow line."""

import asyncio

import pytest
from playwright.async_api import CDPSession, Page, Route

from domain.user import Role
from tests.integration.browser.people import a_member, somebody
from tests.integration.browser.visitors import Visitors
from tests.integration.journeys.worlds import World

MOST_BYTES = 60_000
MOST_FILES = 5
"""Before anything is seen, the page itself among them."""
PAGES = ("/", "/signup", "/invite", "/login", "/forgot", "/reset", "/email", "/mailbox", "/nowhere")
LOADED_BEFORE_PAINT = """() => new Promise((resolve) => new PerformanceObserver((list, observer) => {
  const painted = list.getEntriesByName("first-contentful-paint")[0];
  if (!painted) return;
  observer.disconnect();
  const files = performance.getEntriesByType("resource").filter(({ name }) => name.includes("/assets/"));
  const early = files.filter(({ startTime }) => startTime < painted.startTime).map(({ name }) => name);
  resolve(early.filter((name) => !name.endsWith("icon.svg")));
}).observe({ type: "paint", buffered: true }))"""


async def listened_to(page: Page) -> tuple[CDPSession, list[int]]:
    """The bytes that come over the wire from now on, headers too, file by file."""
    session = await page.context.new_cdp_session(page)
    loaded: list[int] = []
    session.on("Network.loadingFinished", lambda event: loaded.append(int(event["encodedDataLength"])))
    await session.send("Network.enable")
    return session, loaded


async def is_light(page: Page, url: str) -> None:
    """It is painted while the service still looks up who is there; only then comes what members alone need."""
    _, loaded = await listened_to(page)
    is_painted = asyncio.Event()

    async def hold(route: Route) -> None:
        await is_painted.wait()
        await route.continue_()

    await page.route("**/api/session", hold)
    await page.goto(url, wait_until="domcontentloaded")
    files = await page.evaluate(LOADED_BEFORE_PAINT)
    is_painted.set()
    await page.wait_for_load_state("networkidle")
    assert len(files) + 1 <= MOST_FILES, files
    assert 0 < sum(loaded) < MOST_BYTES, loaded


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_for_everybody_is_light(world: World, visitors: Visitors, page: Page, path: str) -> None:
    visitors.forgive(404)
    await is_light(page, f"{world.web.url}{path}")


@pytest.mark.parametrize("path", ["/account", "/invites"])
async def test_a_page_for_members_is_light(world: World, page: Page, path: str) -> None:
    async with a_member(world, somebody("boss"), Role.ADMIN) as operator:
        await operator.enter(page)
        await is_light(page, f"{world.web.url}{path}")


async def test_who_comes_back_loads_no_script_or_style_again(world: World, page: Page) -> None:
    await page.goto(f"{world.web.url}/login", wait_until="networkidle")
    _, loaded = await listened_to(page)
    await page.goto(f"{world.web.url}/forgot", wait_until="networkidle")
    transferred = await page.evaluate(
        "performance.getEntriesByType('resource').filter(({ name }) => /page.css|form.js|api.js/.test(name))"
        ".map(({ transferSize }) => transferSize)"
    )
    assert transferred == [0, 0, 0]
    assert sum(loaded) < 8_000
