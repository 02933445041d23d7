"""What goes wrong in a browser does not go unheard."""

from playwright.async_api import Page

from tests.integration.browser.visitors import Visitors
from tests.integration.journeys.worlds import World


async def heard(visitors: Visitors, page: Page) -> str:
    """What was complained about since, which is forgotten then."""
    await page.wait_for_timeout(1000)
    found = "\n".join(visitors.unforgiven())
    visitors.complaints.clear()
    return found


async def test_errors_of_scripts_and_of_the_content_policy_are_heard(
    world: World, visitors: Visitors, page: Page
) -> None:
    await page.goto(f"{world.web.url}/forgot")
    assert await heard(visitors, page) == ""
    await page.evaluate("setTimeout(() => { throw new Error('a fault in a script') })")
    assert "a fault in a script" in await heard(visitors, page)
    await page.evaluate("document.body.setAttribute('style', 'color: red')")
    assert "content policy: style-src-attr" in await heard(visitors, page)
    await page.evaluate("try { document.body.innerHTML = '<b>x</b>' } catch {}")
    assert "content policy: require-trusted-types-for" in await heard(visitors, page)
    await page.evaluate("fetch('/api/nowhere')")
    assert "a status of 404 (Not Found) /api/nowhere" in await heard(visitors, page)
