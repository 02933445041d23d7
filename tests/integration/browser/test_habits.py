"""What people do without thinking does no harm: a second press, Enter where it was not meant, two tabs."""

import re
from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest
from playwright.async_api import Locator, Page, Route, expect

from application.invites.list_invites import PAGE
from domain.user import Role
from tests.integration.browser.people import (
    NEW_PASSWORD,
    PASSWORD,
    Member,
    a_member,
    account_is_shown,
    ask_to_delete,
    fill_log_in,
    is_at,
    problem,
    section,
    somebody,
    status,
)
from tests.integration.browser.visitors import DESKTOP, Visitors
from tests.integration.journeys.worlds import World

A_MOMENT = 150
"""Milliseconds between two presses of one impatient finger."""
PAUSE = 700
"""Milliseconds after which a press is meant."""


async def test_enter_on_an_invites_link_leaves_the_invite_open(world: World, page: Page) -> None:
    async with a_member(world) as member:
        await member.enter(page)
        await page.goto(f"{world.web.url}/account")
        await section(page, "Invites").get_by_label("Note").fill("For my sister")
        await page.keyboard.press("Enter")
        link = section(page, "Invites").get_by_role("listitem").get_by_role("textbox")
        await expect(link).to_be_focused()
        await page.keyboard.press("Enter")
        await page.wait_for_timeout(A_MOMENT)
        (invite,) = (await member.client.get("/api/invites")).json()
        assert invite["state"] == "open"


async def test_two_presses_in_a_moment_make_one_invite(world: World, page: Page) -> None:
    async with a_member(world) as member:
        await member.enter(page)
        await page.goto(f"{world.web.url}/account")
        make = section(page, "Invites").get_by_role("button", name="Make an invite")
        await make.click()
        await expect(status(page)).to_contain_text("The invite is made.")
        await make.evaluate("(button) => button.click()")
        await page.wait_for_timeout(A_MOMENT)
        assert len((await member.client.get("/api/invites")).json()) == 1


async def test_a_second_press_in_the_same_place_ends_no_other_session(world: World, page: Page) -> None:
    async with a_member(world) as member:
        await member.enter(page)
        for _ in range(3):
            async with world.web.browser() as another:
                await another.post("/api/login", json=member.person.credentials)
        await page.goto(f"{world.web.url}/account")
        first = section(page, "Sessions").get_by_role("button", name="End the session on").first
        await first.scroll_into_view_if_needed()
        place = await first.bounding_box()
        assert place is not None
        await page.mouse.click(place["x"] + 5, place["y"] + 5)
        await expect(status(page)).to_contain_text("has ended")
        await page.mouse.click(place["x"] + 5, place["y"] + 5)
        await page.wait_for_timeout(A_MOMENT)
        assert len((await member.client.get("/api/sessions")).json()) == 3


async def test_who_logs_in_where_somebody_else_is_logged_in_is_told_who(world: World, page: Page) -> None:
    async with a_member(world) as ann, a_member(world) as bob:
        await page.goto(f"{world.web.url}/login", wait_until="networkidle")  # it has asked, and nobody was logged in
        await bob.enter(page)
        await fill_log_in(page, ann.person)
        await page.keyboard.press("Enter")
        await expect(problem(page)).to_contain_text(f"You are logged in as {bob.person.name} already.")


async def test_a_page_becomes_that_of_whoever_has_logged_in_meanwhile(world: World, page: Page) -> None:
    async with a_member(world) as ann, a_member(world) as bob:
        await ann.enter(page)
        await page.goto(f"{world.web.url}/account")
        await account_is_shown(page)
        await bob.enter(page)
        await page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
        await expect(section(page, "Profile")).to_contain_text(bob.person.email)


async def test_a_deletion_is_asked_for_again_after_a_session_has_ended(
    world: World, visitors: Visitors, page: Page
) -> None:
    visitors.forgive(401)
    async with a_member(world) as member:
        await member.enter(page)
        await page.goto(f"{world.web.url}/account")
        deleting = await ask_to_delete(page)
        await deleting.get_by_label("Password").fill(PASSWORD)
        await member.client.post("/api/logout")
        await page.keyboard.press("Enter")
        again = page.get_by_role("dialog", name="Your session has ended")
        await expect(again).to_contain_text(member.person.email)
        await again.get_by_label("Password").fill(PASSWORD)
        await page.keyboard.press("Enter")
        await expect(deleting).to_be_visible()
        await expect(deleting.get_by_label("Password")).to_have_value("")
        assert (await member.client.post("/api/login", json=member.person.credentials)).status_code == 200


async def test_what_was_wrong_is_not_said_any_more_when_a_dialog_is_opened_again(
    world: World, visitors: Visitors, page: Page
) -> None:
    visitors.forgive(400)
    async with a_member(world) as member:
        await member.enter(page)
        await page.goto(f"{world.web.url}/account")
        dialog = await ask_to_delete(page)
        await dialog.get_by_label("Password").fill("not my password at all")
        await page.keyboard.press("Enter")
        await expect(dialog).to_contain_text("This is not your password.")
        await page.keyboard.press("Escape")
        await expect(await ask_to_delete(page)).to_be_visible()
        await expect(dialog).not_to_contain_text("This is not your password.")
        await expect(dialog.get_by_label("Password")).not_to_have_attribute("aria-invalid", "true")


async def test_a_password_is_not_shown_when_a_dialog_is_opened_again(world: World, page: Page) -> None:
    async with a_member(world) as member:
        await member.enter(page)
        await page.goto(f"{world.web.url}/account")
        for _ in range(2):
            dialog = await ask_to_delete(page)
            password = dialog.get_by_label("Password")
            await expect(password).to_have_value("")
            await expect(password).to_have_attribute("type", "password")
            await password.fill(PASSWORD)
            await dialog.get_by_role("button", name="Show password").click()
            await expect(password).to_have_attribute("type", "text")
            await dialog.get_by_role("button", name="Cancel").click()


@pytest.mark.parametrize("said", ["constructor", "__proto__", "<b>evil</b>"])
async def test_a_link_makes_a_page_say_nothing_of_its_own(world: World, page: Page, said: str) -> None:
    for start in "?#":
        await page.goto(f"{world.web.url}/{start}said={quote(said)}")
        await is_at(page, "Bottomline")
        await page.wait_for_load_state("networkidle")
        await expect(status(page)).to_be_empty()


async def test_what_is_done_is_said_though_the_list_cannot_be_read_again(
    world: World, visitors: Visitors, page: Page
) -> None:
    visitors.forgive(503)
    async with a_member(world) as member:
        await member.enter(page)
        await page.goto(f"{world.web.url}/account")
        await account_is_shown(page)
        await page.route("**/api/sessions", refuse)
        form = section(page, "Password")
        await form.get_by_label("Current password").fill(PASSWORD)
        await form.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
        await page.keyboard.press("Enter")
        await expect(status(page)).to_contain_text("Your password is changed")
        await expect(problem(page)).to_contain_text("cannot answer right now")
        await page.unroute("**/api/sessions")
        await problem(page).get_by_role("button", name="Try again").click()
        await account_is_shown(page)
        await expect(problem(page)).to_be_empty()


async def refuse(route: Route) -> None:
    """Say 503, as the service does."""
    detail = "The service cannot answer right now. Send the same request again in a moment."
    await route.fulfill(status=503, headers={"retry-after": "2"}, json={"code": "unavailable", "detail": detail})


@pytest.fixture
async def boss(world: World) -> AsyncIterator[Member]:
    """An operator who has issued more invites than two pages hold."""
    async with a_member(world, somebody("boss"), Role.ADMIN) as member:
        for number in range(2 * PAGE + 1):
            assert (await member.client.post("/api/invites", json={"note": f"Number {number} of many"})).is_success
        yield member


@pytest.mark.parametrize("path", ["/invites", "/account"])
async def test_of_many_invites_a_page_is_shown_and_then_the_older_ones(
    world: World, visitors: Visitors, boss: Member, path: str
) -> None:
    page = await visitors.come(DESKTOP)
    await boss.enter(page)
    await page.goto(f"{world.web.url}{path}")
    rows, older = of_many(page), page.get_by_role("button", name="Show older invites")
    await expect(rows).to_have_count(PAGE)
    await older.focus()
    await page.keyboard.press("Enter")
    await expect(rows).to_have_count(2 * PAGE)
    await expect(rows.nth(PAGE)).to_contain_text(f"Number {PAGE} of many")
    await expect(rows.nth(PAGE)).to_be_focused()
    await page.wait_for_timeout(PAUSE)
    await older.focus()
    await page.keyboard.press("Enter")
    await expect(rows).to_have_count(2 * PAGE + 1)
    await expect(rows.nth(2 * PAGE)).to_be_focused()
    numbers = [re.findall(r"Number (\d+) of many", text)[0] for text in await rows.all_text_contents()]
    assert numbers == [str(number) for number in reversed(range(2 * PAGE + 1))]
    if path == "/account":  # those of others are not shown there
        await expect(older).to_be_hidden()


async def test_older_invites_are_asked_for_again_after_a_fault_or_the_end_of_a_session(
    world: World, visitors: Visitors, boss: Member
) -> None:
    visitors.forgive(401, 503)
    page = await visitors.come(DESKTOP)
    await boss.enter(page)
    await page.goto(f"{world.web.url}/account")
    rows, older = of_many(page), page.get_by_role("button", name="Show older invites")
    await expect(rows).to_have_count(PAGE)
    await page.route("**/api/invites?*", refuse)
    await older.click()
    await expect(problem(page)).to_contain_text("The service cannot answer right now.")
    await expect(older).to_have_attribute("aria-disabled", "true")
    await page.unroute("**/api/invites?*")
    await expect(status(page)).to_have_text("You can try again now.")
    await boss.client.post("/api/logout")
    await older.click()
    again = page.get_by_role("dialog", name="Your session has ended")
    await again.get_by_label("Password").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(rows).to_have_count(2 * PAGE)
    await expect(rows.nth(PAGE)).to_be_focused()


async def test_of_a_state_that_only_older_invites_have_none_is_shown_until_they_are(
    world: World, visitors: Visitors, boss: Member
) -> None:
    page = await visitors.come(DESKTOP)
    oldest = await oldest_of(boss)
    assert (await boss.client.delete(f"/api/invites/{oldest}")).is_success
    await boss.enter(page)
    await page.goto(f"{world.web.url}/invites")
    rows, older = of_many(page), page.get_by_role("button", name="Show older invites")
    await expect(rows).to_have_count(PAGE)
    await page.get_by_label("Show", exact=True).select_option("revoked")
    await expect(rows).to_have_count(0)
    await expect(section(page, "Invites").get_by_role("listitem")).to_have_text("None so far.")
    await older.click()
    await expect(status(page)).to_have_text(f"No such invite among the next {PAGE}.")
    await expect(older).to_be_focused()
    await page.wait_for_timeout(PAUSE)
    await page.keyboard.press("Enter")
    await expect(rows).to_have_count(1)
    await expect(rows).to_be_focused()
    await page.get_by_label("Note").fill("One more")
    await page.keyboard.press("Enter")
    await expect(section(page, "Invites").get_by_role("listitem").first).to_contain_text("One more")
    await expect(page.get_by_label("Link of the invite: One more", exact=True)).to_be_focused()


def of_many(page: Page) -> Locator:
    return section(page, "Invites").get_by_role("listitem").filter(has_text="of many")


async def oldest_of(member: Member) -> str:
    """The id of the first invite that they have issued."""
    answer = await member.client.get("/api/invites?issued_by=me")
    while "next" in answer.links:
        answer = await member.client.get(answer.links["next"]["url"])
    return str(answer.json()[-1]["id"])
