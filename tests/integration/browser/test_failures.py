"""What goes wrong is said in words that help, and nothing that was typed is lost."""

import asyncio
import re
import sqlite3
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager

import pytest
from playwright.async_api import Locator, Page, Route, expect

from domain.limits import LOG_IN_BY_ACCOUNT_AND_ADDRESS
from domain.mail import PAUSE
from tests.integration.browser.conftest import CONTACT
from tests.integration.browser.people import (
    NEW_PASSWORD,
    PASSWORD,
    Person,
    a_member,
    ask_to_delete,
    fill_log_in,
    fill_sign_up,
    is_at,
    problem,
    section,
    somebody,
    status,
)
from tests.integration.browser.visitors import Visitors
from tests.integration.journeys.worlds import World, embedded

AWAY = "the service cannot be reached"


@pytest.fixture(scope="module")
async def strict_world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """With limits."""
    async with embedded(tmp_path_factory.mktemp("strict"), BOTTOMLINE_RATE_LIMITS="on") as running_world:
        yield running_world


@contextmanager
def locked_database(world: World) -> Iterator[None]:
    """A database in which nothing can be written: the service answers 503, really."""
    lock = sqlite3.connect(world.folder / "var" / "bottomline.db", isolation_level=None)
    lock.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        lock.execute("ROLLBACK")
        lock.close()


async def sent(page: Page, path: str, *, slowly: float = 0) -> list[str]:
    """What is sent to this path from now on, by method."""
    seen: list[str] = []

    async def pass_on(route: Route) -> None:
        seen.append(route.request.method)
        await asyncio.sleep(slowly)
        await route.continue_()

    await page.route(f"**{path}", pass_on)
    return seen


async def is_marked(field: Locator, words: str) -> None:
    """The field is said to be wrong, and the words beside it belong to it."""
    await expect(field).to_have_attribute("aria-invalid", "true")
    ids = (await field.get_attribute("aria-describedby") or "").split()
    (error,) = [found for each in ids if await (found := field.page.locator(f"#{each}.field-error")).count()]
    await expect(error).to_be_visible()
    await expect(error).to_contain_text(words)


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/signup", "You need an invite link to sign up."),
        ("/signup#invite=nonsense", "Ask the person who invited you for a new one."),
        ("/invite", "Open the link in the mail"),
        ("/reset", "Open the link in the mail"),
        ("/email", "Open the link in the mail"),
    ],
)
async def test_a_link_that_does_not_work_says_what_to_do(
    world: World, visitors: Visitors, page: Page, path: str, words: str
) -> None:
    visitors.forgive(404)
    await page.goto(f"{world.web.url}{path}")
    await expect(problem(page)).to_contain_text(words)
    await expect(page.get_by_role("main").get_by_role("link", name="Contact us")).to_have_attribute("href", CONTACT)
    await expect(page.get_by_role("button", name=re.compile("Sign up|Confirm|Set this"))).to_have_count(0)


@pytest.mark.parametrize("end", ["spent", "revoked", "expired"])
async def test_an_invite_that_is_over_sends_to_whoever_gave_it(
    world: World, visitors: Visitors, page: Page, end: str
) -> None:
    visitors.forgive(404)
    async with a_member(world) as host:
        issued = (await host.client.post("/api/invites", json={})).json()
        if end == "spent":
            await host.client.post("/api/users", json={"invite": issued["invite"], **somebody().body})
        elif end == "revoked":
            await host.client.delete(f"/api/invites/{issued['id']}")
        else:
            expire(world, issued["id"])
    await page.goto(issued["link"])
    await expect(problem(page)).to_contain_text("Ask the person who invited you for a new one.")
    await expect(page.get_by_label("Username")).to_be_hidden()


def expire(world: World, invite_id: str) -> None:
    """Put the end of an invite into the past."""
    past = int((time.time() - 3600) * 1_000_000)
    with sqlite3.connect(world.folder / "var" / "bottomline.db") as database:
        ids = (invite_id.replace("-", ""), invite_id)
        changed = database.execute("UPDATE invites SET expires_at = ? WHERE id IN (?, ?)", (past, *ids)).rowcount
    database.close()
    assert changed == 1


async def test_an_invite_that_is_spent_while_the_form_is_open_sends_to_the_inviter_by_name(
    world: World, visitors: Visitors, page: Page
) -> None:
    visitors.forgive(404)
    async with a_member(world, somebody("ann")) as ann:
        issued = (await ann.client.post("/api/invites", json={})).json()
        await page.goto(issued["link"])
        await fill_sign_up(page, somebody())
        await ann.client.post("/api/users", json={"invite": issued["invite"], **somebody().body})
        await page.keyboard.press("Enter")
        await expect(problem(page)).to_contain_text(f"Ask {ann.person.name} for a new one.")


async def test_each_bad_field_says_what_is_wrong_with_it_and_keeps_what_was_typed(
    world: World, visitors: Visitors, page: Page
) -> None:
    visitors.forgive(400)
    await page.goto(f"{world.web.url}/signup#invite={await world.an_invite()}")
    email, username = page.get_by_label("Mail address"), page.get_by_label("Username")
    password = page.get_by_label("Password", exact=True)
    await email.fill("ann@example.org")
    await username.fill("admin")
    await password.fill("short")
    await page.get_by_role("button", name="Sign up").click()
    await is_marked(username, "is reserved. Choose another.")
    await is_marked(password, "Use at least 15 characters")
    await expect(email).not_to_have_attribute("aria-invalid", "true")
    await expect(username).to_be_focused()
    for field, typed in ((email, "ann@example.org"), (username, "admin"), (password, "short")):
        await expect(field).to_have_value(typed)
    await username.fill("somebody-else")
    await expect(username).not_to_have_attribute("aria-invalid", "true")


async def test_an_empty_field_is_asked_for_before_anything_is_sent(world: World, page: Page) -> None:
    await page.goto(f"{world.web.url}/login")
    requests = await sent(page, "/api/login")
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.keyboard.press("Enter")
    await is_marked(page.get_by_label("Mail address"), "Enter your mail address.")
    await expect(page.get_by_label("Mail address")).to_be_focused()
    assert requests == []


async def test_a_name_is_told_to_be_free_or_taken_while_it_is_typed(world: World, page: Page) -> None:
    async with a_member(world) as member:
        await page.goto(f"{world.web.url}/signup#invite={await world.an_invite()}")
        hint = page.locator("#username-hint")
        await page.get_by_label("Username").fill(member.person.name)
        await expect(hint).to_contain_text(f"{member.person.name} is taken.")
        await page.get_by_label("Username").fill("quite-another")
        await expect(hint).to_have_text("quite-another is free.")


async def test_a_wrong_password_is_said_and_the_address_stays(world: World, visitors: Visitors, page: Page) -> None:
    visitors.forgive(401)
    async with a_member(world) as member:
        await page.goto(f"{world.web.url}/login")
        await fill_log_in(page, Person(member.person.name, NEW_PASSWORD))
        await page.keyboard.press("Enter")
        await expect(problem(page)).to_contain_text("No confirmed account has this mail address and password.")
        await expect(page.get_by_label("Mail address")).to_have_value(member.person.email)
        await page.get_by_label("Password", exact=True).fill(PASSWORD)
        await page.keyboard.press("Enter")
        await page.wait_for_url(f"{world.web.url}/account")


async def test_too_many_tries_are_counted_down_until_the_button_works_again(
    strict_world: World, visitors: Visitors, page: Page
) -> None:
    visitors.forgive(401, 429)
    person = somebody()
    async with strict_world.web.browser() as client:
        for _ in range(LOG_IN_BY_ACCOUNT_AND_ADDRESS.tries):
            await client.post("/api/login", json=person.credentials)
    await page.clock.install()
    await page.goto(f"{strict_world.web.url}/login")
    await fill_log_in(page, person)
    await page.keyboard.press("Enter")
    await expect(problem(page)).to_contain_text(re.compile(r"Try again in 0:(30|2\d)\."))
    await expect(page.get_by_role("button", name="Log in")).to_be_disabled()
    await expect(page.get_by_label("Password", exact=True)).to_have_value(PASSWORD)
    await page.clock.fast_forward(10_000)
    await expect(problem(page)).to_contain_text(re.compile(r"Try again in 0:[12]\d\."))
    await page.clock.fast_forward(21_000)
    await expect(page.get_by_role("button", name="Log in")).to_be_enabled()
    await expect(problem(page)).not_to_contain_text("Try again in")


async def test_a_mail_can_be_asked_for_again_once_a_minute(strict_world: World, page: Page) -> None:
    person = somebody()
    await page.clock.install()
    await page.goto(f"{strict_world.web.url}/signup#invite={await strict_world.an_invite()}")
    await fill_sign_up(page, person)
    await page.keyboard.press("Enter")
    await is_at(page, "Check your mail")
    again = page.get_by_role("button", name="Send it again")
    await expect(again).to_be_disabled()
    await expect(again).to_have_text(re.compile(r"^Send it again in (1:00|0:5\d)$"))
    await page.clock.fast_forward(int(PAUSE.total_seconds() * 1000) + 1_000)
    await expect(again).to_be_enabled()
    await expect(again).to_have_text("Send it again")
    await again.click()
    await expect(again).to_be_disabled()
    await expect(again).to_have_text(re.compile(r"^Send it again in \d:\d\d$"))


async def test_a_service_that_cannot_answer_is_waited_for_and_nothing_is_lost(
    world: World, visitors: Visitors, page: Page
) -> None:
    visitors.forgive(503)
    person = somebody()
    await page.goto(f"{world.web.url}/signup#invite={await world.an_invite()}")
    await fill_sign_up(page, person)
    with locked_database(world):
        await page.keyboard.press("Enter")
        await expect(problem(page)).to_contain_text("Nothing is lost")
    await expect(page.get_by_label("Username")).to_have_value(person.name)
    await page.get_by_role("button", name="Sign up").click()
    await is_at(page, "Check your mail")


async def test_a_wait_that_the_service_asks_for_is_counted_down(world: World, visitors: Visitors, page: Page) -> None:
    visitors.forgive(503)
    await page.goto(f"{world.web.url}/forgot")
    body = '{"status": 503, "code": "unavailable", "detail": "The service cannot answer right now."}'
    busy = {"retry-after": "7", "content-type": "application/problem+json"}
    await page.route("**/api/forgot_password", lambda route: route.fulfill(status=503, headers=busy, body=body))
    await page.clock.install()
    await page.get_by_label("Mail address").fill("ann@example.org")
    await page.keyboard.press("Enter")
    await expect(problem(page)).to_contain_text("Nothing is lost")
    await expect(problem(page)).to_contain_text(re.compile(r"0:0\d"))
    await expect(page.get_by_role("button", name="Send me a link")).to_be_disabled()
    await page.unroute("**/api/forgot_password")
    await page.clock.fast_forward(8_000)
    await page.get_by_role("button", name="Send me a link").click()
    await is_at(page, "Check your mail")


async def test_who_is_offline_is_told_and_told_again_when_it_is_over(
    world: World, visitors: Visitors, page: Page
) -> None:
    visitors.forgiven.append("net::ERR_INTERNET_DISCONNECTED")
    async with a_member(world) as member:
        await page.goto(f"{world.web.url}/login", wait_until="networkidle")  # it has asked who is logged in
        await fill_log_in(page, member.person)
        await page.context.set_offline(True)
        await page.keyboard.press("Enter")
        await expect(problem(page)).to_contain_text(AWAY)
        await expect(page.get_by_label("Mail address")).to_have_value(member.person.email)
        await expect(page.get_by_label("Password", exact=True)).to_have_value(PASSWORD)
        await page.context.set_offline(False)
        await expect(page.locator("#problem, #status").filter(has_text="online again")).to_have_count(1)
        await page.get_by_role("button", name="Log in").click()
        await page.wait_for_url(f"{world.web.url}/account")


async def test_a_session_that_ends_while_a_form_is_filled_in_costs_nothing_that_was_typed(
    world: World, visitors: Visitors, page: Page
) -> None:
    visitors.forgive(401)
    async with a_member(world) as member:
        await member.enter(page)
        await page.goto(f"{world.web.url}/account")
        form = section(page, "Password")
        await form.get_by_label("Current password").fill(PASSWORD)
        await form.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
        assert (await member.client.post("/api/logout")).is_success
        await page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog", name="Your session has ended")
        await dialog.get_by_label("Password").fill("not my password at all")
        await page.keyboard.press("Enter")
        await expect(dialog.get_by_role("alert")).to_contain_text("No confirmed account")
        await dialog.get_by_label("Password").fill(PASSWORD)
        await dialog.get_by_role("button", name="Log in again").click()
        await expect(dialog).to_be_hidden()
        await expect(status(page)).to_contain_text("Your password is changed")
        answer = await member.client.post("/api/login", json={**member.person.credentials, "password": NEW_PASSWORD})
        assert answer.status_code == 200


async def test_who_does_not_want_to_log_in_again_keeps_what_was_typed(
    world: World, visitors: Visitors, page: Page
) -> None:
    visitors.forgive(401)
    async with a_member(world) as member:
        await member.enter(page)
        await page.goto(f"{world.web.url}/account")
        await section(page, "Invites").get_by_label("Note").fill("For my brother")
        assert (await member.client.post("/api/logout")).is_success
        await page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog", name="Your session has ended")
        await expect(dialog).to_be_visible()
        await page.keyboard.press("Escape")
        await expect(dialog).to_be_hidden()
        await expect(section(page, "Invites").get_by_label("Note")).to_have_value("For my brother")
        await expect(section(page, "Invites").get_by_role("button", name="Make an invite")).to_be_enabled()


async def test_an_account_that_cannot_be_deleted_now_stays_and_says_so(
    world: World, visitors: Visitors, page: Page
) -> None:
    visitors.forgive(400, 503)
    async with a_member(world) as member:
        await member.enter(page)
        await page.goto(f"{world.web.url}/account")
        dialog = await ask_to_delete(page)
        await dialog.get_by_label("Password").fill("not my password at all")
        await page.keyboard.press("Enter")
        await is_marked(dialog.get_by_label("Password"), "This is not your password.")
        await dialog.get_by_label("Password").fill(PASSWORD)
        with locked_database(world):
            await dialog.get_by_role("button", name="Delete for good").click()
            await expect(dialog.get_by_role("alert")).to_contain_text("You cannot delete your account at this time.")
        assert (await member.client.get("/api/session")).status_code == 200
        await dialog.get_by_role("button", name="Delete for good").click()
        await page.wait_for_url(re.compile(r"/(#.*)?$"))
        await expect(status(page)).to_contain_text("Your account is deleted.")
        assert (await member.client.get("/api/session")).status_code == 401


async def test_a_confirmation_that_is_used_up_says_so_and_offers_another(
    world: World, visitors: Visitors, page: Page
) -> None:
    visitors.forgive(404)
    async with a_member(world) as member:
        link = f"{world.web.url}/invite#confirmation={await world.mailed(member.person.email, 'confirmation')}"
        await page.goto(link)
        await page.get_by_role("button", name="Confirm my address").click()
        await expect(problem(page)).to_contain_text("This confirmation link cannot be used")
        await expect(problem(page).get_by_role("link", name="Contact us")).to_have_attribute("href", CONTACT)
        await page.get_by_label("Mail address").fill(member.person.email)
        await page.keyboard.press("Enter")
        await expect(status(page)).to_contain_text("Check your mail")


async def test_while_a_confirmation_is_on_its_way_the_page_says_so(world: World, page: Page) -> None:
    person = somebody()
    async with world.web.browser() as client:
        await client.post("/api/users", json={"invite": await world.an_invite(), **person.body})
    await page.goto(f"{world.web.url}/invite#confirmation={await world.mailed(person.email, 'confirmation')}")
    await sent(page, "/api/confirm_account", slowly=1)
    button = page.get_by_role("button", name="Confirm my address")
    await button.click()
    await expect(status(page)).to_have_text("Please wait …")
    await expect(button).to_be_disabled()
    await page.wait_for_url(f"{world.web.url}/login")


async def test_who_presses_twice_sends_once(world: World, page: Page) -> None:
    await page.goto(f"{world.web.url}/signup#invite={await world.an_invite()}")
    await fill_sign_up(page, somebody())
    requests = await sent(page, "/api/users", slowly=0.3)
    await page.get_by_role("button", name="Sign up").dblclick()
    await is_at(page, "Check your mail")
    assert requests == ["POST"]
    await page.goto(f"{world.web.url}/forgot")
    await page.get_by_label("Mail address").fill("ann@example.org")
    requests = await sent(page, "/api/forgot_password", slowly=0.3)
    for _ in range(3):
        await page.keyboard.press("Enter")
    await is_at(page, "Check your mail")
    assert requests == ["POST"]


@pytest.mark.parametrize("path", ["/login", "/reset"])
async def test_what_is_sent_before_the_script_is_there_stays_in_the_form(
    world: World, visitors: Visitors, path: str
) -> None:
    visitors.forgiven.append("form-action")
    page = await visitors.come(java_script_enabled=False)
    await page.goto(f"{world.web.url}{path}")
    for field in await page.locator("input:visible").all():
        await field.fill("ann@example.org")
    password = await page.get_by_role("textbox", name="Password").element_handle()
    assert password is not None
    await password.fill(PASSWORD)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    await page.keyboard.press("Enter")
    await asyncio.sleep(0.5)
    assert requests == []
    assert await password.input_value() == PASSWORD


async def test_the_back_button_leads_back(world: World, page: Page) -> None:
    await page.goto(world.web.url)
    await page.get_by_role("main").get_by_role("link", name="Log in").click()
    await page.get_by_role("link", name="Forgot your password?").click()
    await is_at(page, "Forgot your password?")
    await page.go_back()
    await is_at(page, "Log in")
    await page.go_back()
    await is_at(page, "Bottomline")
    person = somebody()
    await page.goto(f"{world.web.url}/signup#invite={await world.an_invite()}")
    await fill_sign_up(page, person)
    await page.keyboard.press("Enter")
    await is_at(page, "Check your mail")
    await page.go_back()
    await expect(page.get_by_label("Username")).to_have_value(person.name)


async def test_once_a_session_has_ended_the_back_button_shows_nothing_of_the_account(world: World, page: Page) -> None:
    async with a_member(world) as member:
        await member.enter(page)
        await page.goto(f"{world.web.url}/account")
        await expect(section(page, "Profile")).to_contain_text(member.person.email)
        await page.goto(f"{world.web.url}/forgot")
        await member.client.post("/api/logout")
        await page.go_back()
        await is_at(page, "Bottomline")
        await expect(page.get_by_text(member.person.email)).to_have_count(0)


async def test_the_landing_page_comes_though_nobody_says_who_is_logged_in(world: World, page: Page) -> None:
    held: list[Route] = []

    async def hold(route: Route) -> None:
        held.append(route)

    await page.route("**/api/session", hold)
    await page.goto(f"{world.web.url}/", wait_until="domcontentloaded")
    await is_at(page, "Bottomline")
    await expect(page.get_by_role("main").get_by_role("link", name="Log in")).to_be_visible()
    await page.goto(f"{world.web.url}/account", wait_until="domcontentloaded")
    await is_at(page, "Bottomline")
    await expect(problem(page)).to_contain_text("does not tell just now whether you are logged in")
    assert held


async def test_a_second_link_in_the_same_tab_begins_anew(world: World, page: Page) -> None:
    first, second = somebody("first"), somebody("second")
    async with a_member(world) as host:
        links = [
            (await host.client.post("/api/invites", json={"email": each.email})).json()["link"]
            for each in (first, second)
        ]
    for person, link in zip((first, second), links, strict=True):
        await page.goto(link)
        await expect(page.get_by_label("Mail address")).to_have_value(person.email)


async def test_a_member_who_opens_an_invite_is_told_whose_account_this_is(world: World, page: Page) -> None:
    async with a_member(world) as member:
        await member.enter(page)
        await page.goto(f"{world.web.url}/signup#invite={await world.an_invite()}")
        await expect(problem(page)).to_contain_text(f"You are logged in as {member.person.name}.")


async def test_where_there_is_nobody_to_contact_no_page_offers_it(
    strict_world: World, visitors: Visitors, page: Page
) -> None:
    visitors.forgive(404)
    for path in ("/", "/signup", "/login", "/mailbox", "/nowhere"):
        await page.goto(f"{strict_world.web.url}{path}")
        await expect(page.get_by_role("heading", level=1)).to_be_visible()
        await expect(page.get_by_role("link", name="Contact us")).to_have_count(0)
