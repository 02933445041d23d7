"""The whole way in and out again, in real browsers, by what the pages show and the mails bring."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from urllib.parse import quote

import httpx
import pytest
from playwright.async_api import Page, expect

from domain.user import Role
from tests.integration.browser.people import (
    NEW_PASSWORD,
    PASSWORD,
    Person,
    a_member,
    account_is_shown,
    fill_log_in,
    fill_sign_up,
    is_at,
    section,
    somebody,
    status,
)
from tests.integration.browser.visitors import DESKTOP, Visitors
from tests.integration.journeys.test_journey import log_in
from tests.integration.journeys.worlds import World
from tests.return_to import ELSEWHERE, OURS


@pytest.fixture
async def each_world(a_world: AbstractAsyncContextManager[World]) -> AsyncIterator[World]:
    """The embedded run and the one on real servers in turn."""
    async with a_world as running_world:
        yield running_world


async def get_in(world: World, page: Page, person: Person) -> None:
    """From the invite to the account, by keyboard."""
    await page.goto(f"{world.web.url}/signup#invite={await world.an_invite()}")
    await expect(status(page)).to_have_text("You are invited.")
    assert page.url == f"{world.web.url}/signup", "the token is out of the address bar"
    await fill_sign_up(page, person)
    await expect(page.locator("#username-hint")).to_have_text(f"{person.name} is free.")
    await page.keyboard.press("Enter")
    await is_at(page, "Check your mail")
    await expect(page.get_by_role("main")).to_contain_text(person.email)

    await page.goto(f"{world.web.url}/invite#confirmation={await world.mailed(person.email, 'confirmation')}")
    assert page.url == f"{world.web.url}/invite", "the token is out of the address bar"
    await is_at(page, "Confirm your address")
    await page.get_by_role("button", name="Confirm my address").press("Enter")
    await page.wait_for_url(f"{world.web.url}/login")
    await expect(status(page)).to_have_text("Your address is confirmed. You can log in now.")
    await fill_log_in(page, person)
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{world.web.url}/account")
    await account_is_shown(page)


async def come_in(world: World, page: Page, person: Person, password: str) -> None:
    """Log in by the form."""
    await page.goto(f"{world.web.url}/login")
    await fill_log_in(page, Person(person.name, password))
    await page.get_by_role("button", name="Log in").click()
    await page.wait_for_url(f"{world.web.url}/account")
    await account_is_shown(page)


async def test_a_person_gets_in_lives_here_and_leaves_by_pages_and_mails_alone(
    each_world: World, visitors: Visitors
) -> None:
    world, person = each_world, somebody("ann")
    page = await visitors.come(permissions=["clipboard-read", "clipboard-write"])
    await get_in(world, page, person)
    (cookie,) = await page.context.cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["secure"]) == ("__Host-session", True, True)
    await expect(section(page, "Profile")).to_contain_text(person.name)
    await expect(section(page, "Profile")).to_contain_text(person.email)

    await sees_and_ends_another_session(world, page, visitors, person)
    await makes_an_invite_and_copies_its_link(world, page)
    await changes_the_password(page, visitors, world, person)
    moved = await changes_the_address(world, page, person)
    await sets_a_forgotten_password(world, page, moved)
    await logs_out(world, page)
    await come_in(world, page, moved, NEW_PASSWORD)
    await leaves_for_good(world, page, moved)


async def is_asked_to_log_in(page: Page) -> None:
    """On the landing page, with a way back to the account."""
    await is_at(page, "Bottomline")
    log_in_link = page.get_by_role("main").get_by_role("link", name="Log in")
    await expect(log_in_link).to_have_attribute("href", "/login?return_to=%2Faccount")


async def sees_and_ends_another_session(world: World, page: Page, visitors: Visitors, person: Person) -> None:
    desk = await visitors.come(DESKTOP)
    await come_in(world, desk, person, PASSWORD)
    await page.reload()
    sessions = section(page, "Sessions")
    await expect(sessions.get_by_role("listitem")).to_have_count(2)
    await expect(sessions.get_by_role("listitem").filter(has_text="This one")).to_have_count(1)
    end = sessions.get_by_role("button", name="End the session on")
    await end.click()
    await expect(end).to_have_count(0)
    await desk.reload()
    await is_asked_to_log_in(desk)
    await desk.get_by_role("main").get_by_role("link", name="Log in").click()
    await fill_log_in(desk, person)
    await desk.keyboard.press("Enter")
    await desk.wait_for_url(f"{world.web.url}/account")
    await section(desk, "Sessions").get_by_role("button", name="End all others").click()
    await expect(section(desk, "Sessions").get_by_role("button", name="End the session on")).to_have_count(0)
    await page.reload()
    await is_asked_to_log_in(page)
    await come_in(world, page, person, PASSWORD)


async def makes_an_invite_and_copies_its_link(world: World, page: Page) -> None:
    invites = section(page, "Invites")
    await invites.get_by_label("Note").fill("For my sister")
    await invites.get_by_role("button", name="Make an invite").click()
    row = invites.get_by_role("listitem").filter(has_text="For my sister")
    link = await row.get_by_role("textbox").input_value()
    assert link.startswith(f"{world.web.url}/signup#invite=")
    await row.get_by_role("button", name="Copy link").click()
    await expect(status(page)).to_have_text("The link is copied.")
    await expect(status(page)).to_be_in_viewport()
    assert await page.evaluate("navigator.clipboard.readText()") == link
    async with httpx.AsyncClient(base_url=world.web.url) as sister:
        token = {"invite": link.partition("=")[2]}
        assert (await sister.post("/api/invites/verify", json=token)).status_code == 200
        await row.get_by_role("button", name="Revoke").click()
        await expect(row.get_by_role("textbox")).to_have_count(0)
        assert (await sister.post("/api/invites/verify", json=token)).status_code == 404


async def changes_the_password(page: Page, visitors: Visitors, world: World, person: Person) -> None:
    form = section(page, "Password")
    await form.get_by_label("Current password").fill(PASSWORD)
    await form.get_by_label("New password").fill(NEW_PASSWORD)
    await page.keyboard.press("Enter")
    await expect(status(page)).to_contain_text("password")
    await expect(status(page)).to_be_in_viewport()
    await expect(form.get_by_label("Current password")).to_have_value("")
    await come_in(world, await visitors.come(DESKTOP), person, NEW_PASSWORD)


async def changes_the_address(world: World, page: Page, person: Person) -> Person:
    moved = Person(f"{person.name}.new", NEW_PASSWORD)
    form = section(page, "Mail address")
    await form.get_by_label("New mail address").fill(moved.email)
    await form.get_by_label("Current password").fill(NEW_PASSWORD)
    await page.keyboard.press("Enter")
    await expect(status(page)).to_contain_text(moved.email)
    await page.goto(f"{world.web.url}/email#confirmation={await world.mailed(moved.email, 'confirmation')}")
    await page.get_by_role("button", name="Confirm my new address").click()
    await expect(status(page)).to_contain_text("Your account has this address")
    await page.goto(f"{world.web.url}/account")
    await account_is_shown(page)
    await expect(section(page, "Profile")).to_contain_text(moved.email)
    return moved


async def sets_a_forgotten_password(world: World, page: Page, person: Person) -> None:
    await logs_out(world, page)
    await page.goto(f"{world.web.url}/login")
    await page.get_by_role("link", name="Forgot your password?").click()
    await page.get_by_label("Mail address").fill(person.email)
    await page.keyboard.press("Enter")
    await is_at(page, "Check your mail")
    await page.goto(f"{world.web.url}/reset#reset={await world.mailed(person.email, 'reset')}")
    assert page.url == f"{world.web.url}/reset", "the token is out of the address bar"
    await page.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
    await page.get_by_role("button", name="Set this password").click()
    await page.wait_for_url(f"{world.web.url}/login")
    await expect(status(page)).to_have_text("Your password is set. You can log in with it.")
    await fill_log_in(page, person)
    await page.keyboard.press("Enter")
    await page.wait_for_url(f"{world.web.url}/account")
    await account_is_shown(page)


async def logs_out(world: World, page: Page) -> None:
    await page.get_by_role("button", name="Log out").click()
    await page.wait_for_url(f"{world.web.url}/")
    await expect(status(page)).to_have_text("You are logged out.")
    await page.goto(f"{world.web.url}/account")
    await is_asked_to_log_in(page)


async def leaves_for_good(world: World, page: Page, person: Person) -> None:
    await page.get_by_role("button", name="Delete my account").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("button", name="Cancel").click()
    await expect(dialog).to_be_hidden()
    await page.get_by_role("button", name="Delete my account").click()
    await dialog.get_by_label("Password").fill(person.password)
    await page.keyboard.press("Enter")
    await page.wait_for_url(lambda url: "/account" not in url)
    async with world.web.browser() as client:
        assert (await client.post("/api/login", json=person.credentials)).status_code == 401


async def test_opening_the_confirmation_link_confirms_nothing(world: World, page: Page) -> None:
    person = somebody()
    async with world.web.browser() as client:
        body = {"invite": await world.an_invite(), **person.body}
        assert (await client.post("/api/users", json=body)).status_code == 202
    link = f"{world.web.url}/invite#confirmation={await world.mailed(person.email, 'confirmation')}"
    for _ in range(3):
        await page.goto(link)
        await expect(page).to_have_url(f"{world.web.url}/invite")
        await page.reload()
    await page.goto(f"{world.web.url}/signup")
    await page.goto(link.replace("#", "?"))
    assert page.url == f"{world.web.url}/invite", "the query form works too, and is removed"
    await page.get_by_role("button", name="Confirm my address").click()
    await page.wait_for_url(f"{world.web.url}/login")


async def test_a_page_that_is_loaded_again_still_knows_its_link(world: World, page: Page) -> None:
    person = somebody()
    await page.goto(f"{world.web.url}/signup#invite={await world.an_invite()}")
    await expect(status(page)).to_have_text("You are invited.")
    await page.reload()
    await expect(status(page)).to_have_text("You are invited.")
    assert page.url == f"{world.web.url}/signup"
    await fill_sign_up(page, person)
    await page.keyboard.press("Enter")
    await is_at(page, "Check your mail")
    await page.goto(f"{world.web.url}/invite#confirmation={await world.mailed(person.email, 'confirmation')}")
    await page.reload()
    await page.get_by_role("button", name="Confirm my address").click()
    await page.wait_for_url(f"{world.web.url}/login")


async def test_whose_address_was_stolen_takes_the_account_back_by_mail_alone(world: World, page: Page) -> None:
    async with a_member(world) as owner, a_member(world, somebody("thief")) as thief:
        stolen = thief.client
        await stolen.post("/api/logout")
        await log_in(stolen, owner.person.body)
        change = {"email": "eve@example.org", "password": PASSWORD}
        assert (await stolen.post("/api/change_email", json=change)).is_success
        confirmation = {"confirmation": await world.mailed("eve@example.org", "confirmation")}
        assert (await stolen.post("/api/confirm_email", json=confirmation)).is_success
        await page.goto(f"{world.web.url}/email#undo={await world.mailed(owner.person.email, 'undo')}")
        await expect(page).to_have_url(f"{world.web.url}/email")
        await page.get_by_role("button", name="Take my account back").click()
        await expect(status(page)).to_contain_text("Your account has this address again")
        assert (await stolen.get("/api/session")).status_code == 401


async def test_an_invite_tells_who_invites_and_brings_the_address_along(world: World, page: Page) -> None:
    guest = somebody("guest")
    async with a_member(world) as host:
        issued = (await host.client.post("/api/invites", json={"email": guest.email})).json()
    await page.goto(issued["link"].replace("#", "?"))
    await expect(status(page)).to_have_text(f"{host.person.name} invites you.")
    assert page.url == f"{world.web.url}/signup"
    await expect(page.get_by_label("Mail address")).to_have_value(guest.email)


async def test_who_is_invited_can_see_what_they_type(world: World, page: Page) -> None:
    await page.goto(f"{world.web.url}/signup#invite={await world.an_invite()}")
    password = page.get_by_label("Password", exact=True)
    show = page.get_by_role("button", name="Show password")
    await password.fill(PASSWORD)
    await expect(show).to_have_attribute("aria-pressed", "false")
    await expect(password).to_have_attribute("type", "password")
    await show.click()
    await expect(show).to_have_attribute("aria-pressed", "true")
    await expect(password).to_have_attribute("type", "text")
    await expect(password).to_have_value(PASSWORD)
    await show.click()
    await expect(password).to_have_attribute("type", "password")


async def test_who_mistyped_their_address_is_told_whom_to_ask_for_another_invite(world: World, page: Page) -> None:
    """The invite is spent, whatever the address: else one invite would send mail to many."""
    async with a_member(world) as host:
        issued = (await host.client.post("/api/invites", json={})).json()
    await page.goto(issued["link"])
    await fill_sign_up(page, somebody())
    await page.get_by_role("button", name="Sign up").click()
    await is_at(page, "Check your mail")
    await expect(page.get_by_role("main")).to_contain_text(f"ask {host.person.name} for a new invite")


async def test_the_landing_page_leads_in_and_members_to_their_account(world: World, page: Page) -> None:
    await page.goto(world.web.url)
    await is_at(page, "Bottomline")
    await expect(page.get_by_role("main").get_by_role("link", name="Log in")).to_have_attribute("href", "/login")
    async with a_member(world) as member:
        await member.enter(page)
        await page.goto(world.web.url)
        await page.wait_for_url(f"{world.web.url}/account")


async def test_the_brand_leads_to_the_landing_page_from_everywhere(
    world: World, visitors: Visitors, page: Page
) -> None:
    visitors.forgive(404)
    for path in ("/signup", "/invite", "/login", "/forgot", "/reset", "/email", "/nowhere"):
        await page.goto(f"{world.web.url}{path}", wait_until="load")
        brand = page.get_by_role("banner").get_by_role("link", name="Bottomline")
        await expect(brand).to_have_attribute("href", "/")
        await expect(page.get_by_role("contentinfo").get_by_role("link", name="Contact us")).to_be_visible()
        await expect(page.get_by_role("main")).to_have_count(1)
        await expect(page.locator("h1:visible")).to_have_count(1)


async def test_an_operator_sees_the_invites_of_everyone(world: World, visitors: Visitors) -> None:
    page = await visitors.come(DESKTOP)
    async with a_member(world) as member, a_member(world, somebody("boss"), Role.ADMIN) as boss:
        note = f"from {member.person.name}"
        issued = (await member.client.post("/api/invites", json={"note": note})).json()
        await boss.enter(page)
        await page.goto(f"{world.web.url}/account")
        await page.get_by_role("link", name="Invites of everyone").click()
        await is_at(page, "Invites of everyone")
        row = page.get_by_role("listitem").filter(has_text=note)
        await expect(row).to_contain_text(member.person.name)
        await page.get_by_label("For how many people").fill("30")
        await page.get_by_label("Note").fill("The whole class")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("listitem").filter(has_text="The whole class")).to_contain_text("30")
        await row.get_by_role("button", name="Revoke").click()
        await expect(row.get_by_role("button", name="Revoke")).to_have_count(0)
        token = {"invite": issued["invite"]}
        assert (await member.client.post("/api/invites/verify", json=token)).status_code == 404


async def test_a_member_is_shown_no_invites_of_others(world: World, visitors: Visitors) -> None:
    page = await visitors.come(DESKTOP)
    async with a_member(world) as member:
        await member.enter(page)
        await page.goto(f"{world.web.url}/account")
        await expect(section(page, "Invites")).to_be_visible()
        await expect(page.get_by_role("link", name="Invites of everyone")).to_have_count(0)
        await page.goto(f"{world.web.url}/invites")
        await page.wait_for_url(f"{world.web.url}/account")


async def test_after_log_in_one_is_back_where_one_was_going(world: World, page: Page) -> None:
    async with a_member(world) as member:
        await page.goto(f"{world.web.url}/account")
        await is_asked_to_log_in(page)
        await page.get_by_role("main").get_by_role("link", name="Log in").click()
        await page.wait_for_url(f"{world.web.url}/login?return_to=*")
        await fill_log_in(page, member.person)
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"{world.web.url}/account")
        await page.goto(f"{world.web.url}/login?return_to=/forgot")
        await page.wait_for_url(f"{world.web.url}/forgot")


@pytest.mark.parametrize("target", ["//evil.example", "/\\evil.example", "https:evil.example", "/%2509/evil.example"])
async def test_no_log_in_leads_to_another_site(world: World, page: Page, target: str) -> None:
    async with a_member(world) as member:
        await page.goto(f"{world.web.url}/login?return_to={quote(target, safe='')}")
        await fill_log_in(page, member.person)
        await page.get_by_role("button", name="Log in").click()
        await page.wait_for_url(f"{world.web.url}/account")


async def test_the_page_knows_paths_of_ours_as_the_service_does(world: World, page: Page) -> None:
    await page.goto(f"{world.web.url}/login")
    script = """async (targets) => {
      const base = document.querySelector("script[type=module]").src;
      return targets.map((await import(new URL("return_to.js", base))).pathOfOurs);
    }"""
    assert await page.evaluate(script, OURS) == OURS
    assert await page.evaluate(script, ELSEWHERE) == [None] * len(ELSEWHERE)
    resolved = await page.evaluate("(targets) => targets.map((each) => new URL(each, location.href).origin)", OURS)
    assert set(resolved) == {world.web.url}
