"""Everybody can use the pages: with a keyboard, a screen reader, a narrow screen, in the dark, without motion."""

from collections.abc import AsyncIterator
from importlib.resources import files
from typing import Any, Literal

import pytest
from playwright.async_api import Page, ViewportSize, expect

from domain.user import Role
from tests.integration.browser.people import Person, a_member, fill_sign_up, is_at, somebody
from tests.integration.browser.states import EXPECTED, STATES, Cast, furnish
from tests.integration.browser.visitors import DESKTOP, SMALL, Visitors
from tests.integration.journeys.worlds import World, embedded

AXE = (files("axe_playwright_python") / "axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
FIND = """async (tags) => (await axe.run({ runOnly: { type: "tag", values: tags } })).violations.map(({ id, nodes }) =>
  `${id}: ${nodes.map(({ target, failureSummary }) => `${target} (${failureSummary})`).join("; ")}`)"""
LOOKS: tuple[tuple[ViewportSize, Literal["light", "dark"]], ...] = (
    (DESKTOP["viewport"], "light"),
    (SMALL["viewport"], "dark"),
)
"""Each width and each scheme once: what hangs on the one does not hang on the other."""
WALKED = (
    "landing",
    "signup-with-errors",
    "signup-sent",
    "confirm-failed",
    "login-refused",
    "account-of-an-operator",
    "account-deleting",
    "account-session-ended",
    "invites",
    "mailbox",
    "nowhere",
)
"""States that differ in what can be pressed."""
SMALLEST = 24
"""CSS pixels of what can be pressed (WCAG 2.5.8); links within a sentence are as large as their text."""

TOO_SMALL = """(smallest) => [...document.querySelectorAll("a, button, input, select")].filter((target) => {
  const { width, height } = target.getBoundingClientRect();
  const isInText = target.matches("p a, [role=alert] a, [role=status] a");
  return target.checkVisibility() && !isInText && (width < smallest || height < smallest);
}).map((target) => target.outerHTML)"""
TOO_WIDE = """() => [...document.querySelectorAll("body *")].filter((element) => element.checkVisibility()
  && element.getBoundingClientRect().right > innerWidth + 0.5 && !element.matches(".unseen"))
  .map((element) => element.outerHTML.slice(0, 120))"""
SIDEWAYS = "document.documentElement.scrollWidth - innerWidth"
CAN_BE_PRESSED = """() => {
  const within = document.querySelector("dialog[open]") ?? document;
  const found = [...within.querySelectorAll("a[href], button, input, select, textarea, [tabindex='0'], iframe")];
  const reachable = found.filter((one) => one.checkVisibility() && !one.disabled);
  for (const [number, one] of reachable.entries()) one.dataset.stop = number;
  return reachable.length;
}"""
FOCUSED = """() => {
  const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(document.activeElement);
  const isOutlined = outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
  const { top, bottom } = document.activeElement.getBoundingClientRect();
  const isOnScreen = bottom > 0 && top < innerHeight;
  const isSeen = (isOutlined || boxShadow !== "none") && isOnScreen;
  return [document.activeElement.dataset.stop, isSeen || document.activeElement.matches("iframe")];
}"""
MOVING = """() => [...document.querySelectorAll("*")].filter((element) => {
  const { transitionDuration, animationName, animationDuration, scrollBehavior } = getComputedStyle(element);
  const lasts = (durations) => durations.split(",").some((each) => parseFloat(each) > 0.01);
  const isAnimated = animationName !== "none" && lasts(animationDuration);
  return lasts(transitionDuration) || isAnimated || scrollBehavior === "smooth";
}).map((element) => element.tagName)"""


@pytest.fixture(scope="module")
async def cast(world: World) -> AsyncIterator[Cast]:
    async with a_member(world, somebody("boss"), Role.ADMIN) as operator, a_member(world) as member:
        yield await furnish(world, member, operator)


async def shown(visitors: Visitors, cast: Cast, name: str, device: dict[str, Any] = SMALL, **options: Any) -> Page:
    """A page in this state."""
    visitors.forgive(*EXPECTED.get(name, ()))
    page = await visitors.come(device, **options)
    await STATES[name](page, cast)
    return page


@pytest.mark.parametrize("name", STATES)
async def test_nothing_keeps_anybody_out(visitors: Visitors, cast: Cast, name: str) -> None:
    """In both colour schemes, narrow and wide: axe finds nothing, nothing is cut off or too small to be hit."""
    page = await shown(visitors, cast, name, DESKTOP, bypass_csp=True, reduced_motion="reduce")
    await page.evaluate(AXE)
    for size, scheme in LOOKS:
        await page.set_viewport_size(size)
        await page.emulate_media(color_scheme=scheme)
        assert await page.evaluate(SIDEWAYS) <= 0, f"{size} scrolls sideways: {await page.evaluate(TOO_WIDE)}"
        assert await page.evaluate(TOO_SMALL, SMALLEST) == [], size
        assert await page.evaluate(FIND, RULES) == [], f"{size} {scheme}"


async def test_long_words_are_broken(visitors: Visitors, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("wordy")
    brand = {"BOTTOMLINE_BRAND": "W" * 80}
    async with embedded(folder, **brand) as wordy, a_member(wordy, Person("w" * 30), Role.ADMIN) as member:
        await member.client.post("/api/invites", json={"note": "n" * 200})
        await member.client.post("/api/invites", json={"email": f"{'a' * 60}@{'b' * 60}.example.org"})
        page = await visitors.come(viewport=SMALL["viewport"])
        for path in ("/", "/mailbox", "/forgot"):
            await page.goto(f"{wordy.web.url}{path}", wait_until="networkidle")
            assert await page.evaluate(SIDEWAYS) <= 0, await page.evaluate(TOO_WIDE)
        await member.enter(page)
        for path in ("/account", "/invites"):
            await page.goto(f"{wordy.web.url}{path}")
            await expect(page.get_by_text("n" * 200)).to_be_visible()
            assert await page.evaluate(SIDEWAYS) <= 0, await page.evaluate(TOO_WIDE)


async def test_axe_finds_what_is_wrong(visitors: Visitors, cast: Cast) -> None:
    page = await shown(visitors, cast, "login", bypass_csp=True)
    await page.evaluate("document.querySelector('label').remove(); document.body.style.color = '#eee'")
    await page.evaluate(AXE)
    found = [violation.partition(":")[0] for violation in await page.evaluate(FIND, RULES)]
    assert {"label", "color-contrast"} <= set(found)


@pytest.mark.parametrize("name", WALKED)
async def test_everything_is_reached_with_tab_in_the_order_of_the_page_and_seen(
    visitors: Visitors, cast: Cast, name: str
) -> None:
    page = await shown(visitors, cast, name, DESKTOP)
    await page.evaluate("document.activeElement.blur()")
    expected = await page.evaluate(CAN_BE_PRESSED)
    reached: list[str] = []
    for _ in range(2 * expected + 5):
        await page.keyboard.press("Tab")
        stop, is_seen = await page.evaluate(FOCUSED)
        if stop is None:
            continue
        if len(reached) == expected:
            break
        assert is_seen, await page.evaluate("document.activeElement.outerHTML")
        reached += [stop] if stop not in reached else []
    turned = reached.index("0") if "0" in reached else 0
    assert reached[turned:] + reached[:turned] == [str(number) for number in range(expected)]


async def test_without_motion_nothing_moves(visitors: Visitors, cast: Cast) -> None:
    page = await shown(visitors, cast, "account-deleting", reduced_motion="reduce")
    assert await page.evaluate(MOVING) == []
    assert await page.evaluate("document.getAnimations().length") == 0


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("signup", {"email": "username", "username": "nickname", "password": "new-password"}),
        ("login", {"email": "username", "password": "current-password"}),
        ("forgot", {"email": "username"}),
        ("reset", {"password": "new-password"}),
    ],
)
async def test_password_managers_and_browsers_know_what_each_field_is(
    visitors: Visitors, cast: Cast, name: str, expected: dict[str, str]
) -> None:
    """One logs in with the mail address: that is the name that they keep beside the password."""
    page = await shown(visitors, cast, name)
    fields = await page.locator("form:visible input").all()
    found = {await field.get_attribute("name"): await field.get_attribute("autocomplete") for field in fields}
    assert found == expected
    assert [await field.get_attribute("type") for field in fields if await field.get_attribute("name") == "email"] in (
        [],
        ["email"],
    )


async def test_password_managers_see_whose_password_is_changed(visitors: Visitors, cast: Cast) -> None:
    page = await shown(visitors, cast, "account")
    form = page.get_by_role("region", name="Password", exact=True)
    known = await form.locator("input").evaluate_all("(all) => all.map((one) => [one.autocomplete, one.value])")
    assert known == [["username", cast.member.person.email], ["current-password", ""], ["new-password", ""]]


async def test_what_is_pressed_last_keeps_the_focus_or_hands_it_on(visitors: Visitors, cast: Cast) -> None:
    page = await shown(visitors, cast, "signup")
    await fill_sign_up(page, somebody())
    await page.get_by_role("button", name="Sign up").press("Enter")
    await is_at(page, "Check your mail")
    await expect(page.get_by_role("heading", level=1)).to_be_focused()
    await page.go_back()
    await expect(page.get_by_label("Mail address")).to_be_focused()


async def test_a_dialog_takes_the_focus_and_gives_it_back(visitors: Visitors, cast: Cast) -> None:
    page = await shown(visitors, cast, "account")
    opener = page.get_by_role("button", name="Delete my account")
    await opener.press("Enter")
    await expect(page.get_by_role("dialog").get_by_label("Password")).to_be_focused()
    await page.keyboard.press("Escape")
    await expect(opener).to_be_focused()
