"""The pages behind mailed links, in a real browser."""

from collections.abc import AsyncIterator
from urllib.parse import quote

import pytest
from playwright.async_api import Page, expect

from tests.integration.journeys.worlds import World, embedded
from tests.return_to import ELSEWHERE, OURS

PASSWORD = "correct horse battery"
NEW_PASSWORD = "another horse battery"


@pytest.fixture(scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """One for all: each test has people of its own."""
    async with embedded(tmp_path_factory.mktemp("browser")) as running_world:
        yield running_world


async def invitation(world: World) -> str:
    return f"{world.web.url}/signup#invite={await world.an_invite()}"


async def sign_up(page: Page, name: str) -> None:
    await page.get_by_label("Mail address").fill(f"{name}@example.org")
    await page.get_by_label("Username").fill(name)
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Sign up").click()


async def test_a_person_gets_in_by_the_links_alone(world: World, page: Page) -> None:
    await page.goto(await invitation(world))
    await expect(page.get_by_role("status")).to_have_text("You are invited.")
    assert page.url == f"{world.web.url}/signup", "the token is out of the address bar"
    await sign_up(page, "ann")
    await expect(page.get_by_role("status")).to_contain_text("Check your mail")

    await page.goto(await world.web.said(r"^Mail to ann@example.org: .* (\S+)$"))
    assert page.url == f"{world.web.url}/invite"
    await page.get_by_role("button", name="Confirm my address").click()
    await expect(page.get_by_role("status")).to_contain_text("Your address is confirmed")

    await page.goto(f"{world.web.url}/login")
    await page.get_by_label("Mail address").fill("ann@example.org")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Log in").click()
    await expect(page.get_by_role("status")).to_have_text("You are logged in as ann.")
    (cookie,) = await page.context.cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["secure"]) == ("__Host-session", True, True)
    answer = await page.goto(f"{world.web.url}/api/session")
    assert answer is not None
    assert (await answer.json())["user"]["username"] == "ann"


async def test_opening_the_confirmation_link_confirms_nothing(world: World, page: Page) -> None:
    await page.goto(await invitation(world))
    await sign_up(page, "bea")
    await expect(page.get_by_role("status")).to_contain_text("Check your mail")
    link = await world.web.said(r"^Mail to bea@example.org: .* (\S+)$")
    for _ in range(3):
        await page.goto(link)
        await expect(page).to_have_url(f"{world.web.url}/invite")
        await page.reload()
    await page.goto(f"{world.web.url}/signup")
    await page.goto(link.replace("#", "?"))
    assert page.url == f"{world.web.url}/invite", "the query form works too, and is removed"
    await page.get_by_role("button", name="Confirm my address").click()
    await expect(page.get_by_role("status")).to_contain_text("Your address is confirmed")


async def test_what_is_wrong_is_said_and_what_was_typed_stays(world: World, page: Page) -> None:
    await page.goto(await invitation(world))
    await page.get_by_label("Mail address").fill("ann@example.org")
    await page.get_by_label("Username").fill("admin")
    await page.get_by_label("Password").fill("short")
    await page.get_by_role("button", name="Sign up").click()
    status = page.get_by_role("status")
    await expect(status).to_contain_text("is reserved. Choose another.")
    await expect(status).to_contain_text("Use at least 15 characters")
    await expect(page.get_by_label("Mail address")).to_have_value("ann@example.org")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/signup", "You need an invite link"),
        ("/signup#invite=nonsense", "Ask the person who invited you for a new one."),
        ("/invite", "Open the link in the mail"),
    ],
)
async def test_a_link_that_does_not_work_says_what_to_do(world: World, page: Page, path: str, words: str) -> None:
    await page.goto(f"{world.web.url}{path}")
    await expect(page.get_by_role("status")).to_contain_text(words)
    await expect(page.get_by_role("button")).to_have_count(0)


async def test_a_forgotten_password_and_a_stolen_address_are_set_right_by_links_alone(world: World, page: Page) -> None:
    await page.goto(await invitation(world))
    await sign_up(page, "cleo")
    await page.goto(await world.web.said(r"^Mail to cleo@example.org: Confirm .* (\S+)$"))
    await page.get_by_role("button", name="Confirm my address").click()
    await expect(page.get_by_role("status")).to_contain_text("Your address is confirmed")

    await page.goto(f"{world.web.url}/login")
    await page.get_by_role("link", name="Forgot your password?").click()
    await page.get_by_label("Mail address").fill("cleo@example.org")
    await page.get_by_role("button", name="Send me a link").click()
    await expect(page.get_by_role("status")).to_contain_text("Check your mail")
    await page.goto(await world.web.said(r"^Mail to cleo@example.org: Set another .* (\S+)$"))
    assert page.url == f"{world.web.url}/reset"
    await page.get_by_label("New password").fill(NEW_PASSWORD)
    await page.get_by_role("button", name="Set this password").click()
    await expect(page.get_by_role("status")).to_contain_text("Your password is set")

    async with world.web.browser() as thief:
        credentials = {"email": "cleo@example.org", "password": NEW_PASSWORD}
        assert (await thief.post("/api/login", json=credentials)).status_code == 200
        await thief.post("/api/change_email", json={"email": "eve@example.org", "password": NEW_PASSWORD})
        await page.goto(await world.web.said(r"^Mail to eve@example.org: Confirm .* (\S+)$"))
        await page.get_by_role("button", name="Confirm my new address").click()
        await expect(page.get_by_role("status")).to_contain_text("Your account has this address")
        await page.goto(await world.web.said(r"^Mail to cleo@example.org: Your address .* (\S+)$"))
        await expect(page).to_have_url(f"{world.web.url}/email")
        await page.get_by_role("button", name="Take my account back").click()
        await expect(page.get_by_role("status")).to_contain_text("Your account has this address again")
        assert (await thief.get("/api/session")).status_code == 401


async def a_member(world: World, page: Page, name: str) -> None:
    await page.goto(await invitation(world))
    await sign_up(page, name)
    await page.goto(await world.web.said(rf"^Mail to {name}@example.org: .* (\S+)$"))
    await page.get_by_role("button", name="Confirm my address").click()
    await expect(page.get_by_role("status")).to_contain_text("Your address is confirmed")


async def log_in(page: Page, name: str) -> None:
    await page.get_by_label("Mail address").fill(f"{name}@example.org")
    await page.get_by_label("Password").fill(PASSWORD)
    await page.get_by_role("button", name="Log in").click()


async def test_after_log_in_one_is_back_where_one_was_going(world: World, page: Page) -> None:
    await a_member(world, page, "dora")
    await page.goto(f"{world.web.url}/login?return_to=/signup%3Fa%3D1")
    await log_in(page, "dora")
    await page.wait_for_url(f"{world.web.url}/signup")
    await page.goto(f"{world.web.url}/login?return_to=/invite")
    await page.wait_for_url(f"{world.web.url}/invite")


async def test_no_log_in_leads_to_another_site(world: World, page: Page) -> None:
    await a_member(world, page, "emma")
    for target in ("//evil.example", "/\\evil.example", "https:evil.example", "/%2509/evil.example"):
        await page.context.clear_cookies()
        await page.goto(f"{world.web.url}/login?return_to={quote(target, safe='')}")
        await log_in(page, "emma")
        await expect(page.get_by_role("status")).to_have_text("You are logged in as emma.")
        assert page.url.startswith(f"{world.web.url}/login"), target


async def test_the_page_knows_paths_of_ours_as_the_service_does(world: World, page: Page) -> None:
    await page.goto(f"{world.web.url}/login")
    script = "async (targets) => targets.map((await import('/assets/return_to.js')).pathOfOurs)"
    assert await page.evaluate(script, OURS) == OURS
    assert await page.evaluate(script, ELSEWHERE) == [None] * len(ELSEWHERE)
    resolved = await page.evaluate("(targets) => targets.map((each) => new URL(each, location.href).origin)", OURS)
    assert set(resolved) == {world.web.url}
