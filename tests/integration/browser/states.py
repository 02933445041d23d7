"""Every page in each state that matters: what is looked at for accessibility, and photographed."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from playwright.async_api import Page, Route, expect

from tests.integration.browser.people import (
    NEW_PASSWORD,
    PASSWORD,
    Member,
    Person,
    fill_log_in,
    fill_sign_up,
    is_at,
    problem,
    section,
    somebody,
    status,
)
from tests.integration.journeys.worlds import World


@dataclass(frozen=True)
class Cast:
    """A world with people in it: a member with invites and several sessions, and an operator."""

    world: World
    member: Member
    operator: Member
    operators_link: str
    open_link: str
    """Of an invite that nobody in particular has made, good for many."""

    def at(self, path: str) -> str:
        """The address of a path."""
        return f"{self.world.web.url}{path}"


PHONE_AGENT = "Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 Chrome/124.0.0.0 Mobile Safari/537.36"
LAPTOP_AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:125.0) Gecko/20100101 Firefox/125.0"


async def furnish(world: World, member: Member, operator: Member) -> Cast:
    """Give both what makes their pages full."""
    for agent in (PHONE_AGENT, LAPTOP_AGENT):
        async with world.web.browser() as other:
            headers = {"user-agent": agent}
            answer = await other.post("/api/login", json=member.person.credentials, headers=headers)
            assert answer.is_success
    issue = member.client.post
    await issue("/api/invites", json={"note": "For my sister"})
    revoked = (await issue("/api/invites", json={"note": "For the neighbours"})).json()
    await member.client.delete(f"/api/invites/{revoked['id']}")
    spent = (await issue("/api/invites", json={"note": "For an old friend"})).json()
    async with world.web.browser() as friend:
        await friend.post("/api/users", json={"invite": spent["invite"], **somebody("friend").body})
    await issue("/api/invites", json={"email": "a.rather.long.address.of.somebody@subdomain.example.org"})
    await operator.client.post("/api/invites", json={"note": "The class of 2026", "max_claims": 30})
    operators = (await operator.client.post("/api/invites", json={"note": "For Jona"})).json()
    open_to_many = f"{world.web.url}/signup#invite={await world.an_invite(claims=1000)}"
    return Cast(world, member, operator, operators["link"], open_to_many)


def answering(code: int, problem_code: str, detail: str, wait: int | None = None) -> Callable[[Route], Awaitable[None]]:
    """Answers in the service's place."""
    headers = {"content-type": "application/problem+json"} | ({"retry-after": str(wait)} if wait else {})
    body = json.dumps({"status": code, "code": problem_code, "detail": detail})

    async def answer(route: Route) -> None:
        await route.fulfill(status=code, headers=headers, body=body)

    return answer


State = Callable[[Page, Cast], Awaitable[Any]]
STATES: dict[str, State] = {}


def state(show: State) -> State:
    """Take it into the list."""
    STATES[show.__name__.replace("_", "-")] = show
    return show


@state
async def landing(page: Page, cast: Cast) -> None:
    await page.goto(cast.at("/"))
    await expect(page.get_by_role("main").get_by_role("link", name="Log in")).to_be_visible()


@state
async def landing_on_the_way(page: Page, cast: Cast) -> None:
    await page.goto(cast.at("/account"))
    await page.wait_for_url(cast.at("/"))


@state
async def signup(page: Page, cast: Cast) -> None:
    await page.goto(cast.open_link)
    await expect(page.get_by_label("Username")).to_be_visible()


@state
async def signup_filled(page: Page, cast: Cast) -> None:
    await page.goto(cast.operators_link)
    await fill_sign_up(page, Person("jona"))
    await expect(page.locator("#username-hint")).to_have_text("jona is free.")


@state
async def signup_with_errors(page: Page, cast: Cast) -> None:
    await page.goto(cast.open_link)
    await page.get_by_label("Mail address").fill("jona@example")
    await page.get_by_label("Username").fill("admin")
    await page.get_by_label("Password", exact=True).fill("password")
    await page.get_by_role("button", name="Sign up").click()
    await expect(page.locator(".field-error")).to_have_count(3)


@state
async def signup_sent(page: Page, cast: Cast) -> None:
    await page.goto(cast.open_link)
    await fill_sign_up(page, somebody("jona"))
    await page.keyboard.press("Enter")
    await is_at(page, "Check your mail")


@state
async def signup_with_a_spent_invite(page: Page, cast: Cast) -> None:
    await page.goto(cast.at("/signup#invite=nonsense"))
    await expect(problem(page)).not_to_be_empty()


@state
async def confirm(page: Page, cast: Cast) -> None:
    await page.goto(cast.at("/invite#confirmation=nonsense"))
    await is_at(page, "Confirm your address")


@state
async def confirm_failed(page: Page, cast: Cast) -> None:
    await confirm(page, cast)
    await page.get_by_role("button", name="Confirm my address").click()
    await expect(problem(page)).not_to_be_empty()


@state
async def login(page: Page, cast: Cast) -> None:
    await page.goto(cast.at("/login#said=confirmed"))
    await expect(status(page)).not_to_be_empty()


@state
async def login_refused(page: Page, cast: Cast) -> None:
    await page.goto(cast.at("/login"))
    await fill_log_in(page, Person(cast.member.person.name, NEW_PASSWORD))
    await page.keyboard.press("Enter")
    await expect(problem(page)).not_to_be_empty()


@state
async def login_waiting(page: Page, cast: Cast) -> None:
    await page.route("**/api/login", answering(429, "too_many_requests", "Too many tries.", 42))
    await login_refused(page, cast)


@state
async def forgot(page: Page, cast: Cast) -> None:
    await page.goto(cast.at("/forgot"))
    await is_at(page, "Forgot your password?")


@state
async def forgot_sent(page: Page, cast: Cast) -> None:
    await forgot(page, cast)
    await page.get_by_label("Mail address").fill("somebody@example.org")
    await page.keyboard.press("Enter")
    await is_at(page, "Check your mail")


@state
async def reset(page: Page, cast: Cast) -> None:
    await page.goto(cast.at("/reset#reset=nonsense"))
    await page.get_by_label("New password", exact=True).fill("horse")


@state
async def reset_failed(page: Page, cast: Cast) -> None:
    await reset(page, cast)
    await page.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
    await page.keyboard.press("Enter")
    await expect(problem(page)).not_to_be_empty()


@state
async def email(page: Page, cast: Cast) -> None:
    await page.goto(cast.at("/email#confirmation=nonsense"))
    await expect(page.get_by_role("button", name="Confirm my new address")).to_be_visible()


@state
async def email_taken_back(page: Page, cast: Cast) -> None:
    await page.goto(cast.at("/email#undo=nonsense"))
    await expect(page.get_by_role("button", name="Take my account back")).to_be_visible()


@state
async def account(page: Page, cast: Cast) -> None:
    await cast.member.enter(page)
    await page.goto(cast.at("/account"))
    await expect(section(page, "Sessions").get_by_role("listitem")).to_have_count(3)
    await expect(section(page, "Invites").get_by_role("listitem")).to_have_count(4)


@state
async def account_with_errors(page: Page, cast: Cast) -> None:
    await account(page, cast)
    form = section(page, "Password")
    await form.get_by_label("Current password").fill("not my password")
    await form.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.locator(".field-error")).to_have_count(1)
    await section(page, "Mail address").get_by_role("button", name="Change my address").click()
    await expect(page.locator(".field-error")).to_have_count(3)


@state
async def account_link_copied(page: Page, cast: Cast) -> None:
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await account(page, cast)
    await section(page, "Invites").get_by_role("button", name="Copy link").first.click()
    await expect(status(page)).not_to_be_empty()


@state
async def account_of_an_operator(page: Page, cast: Cast) -> None:
    await cast.operator.enter(page)
    await page.goto(cast.at("/account"))
    await expect(page.get_by_role("link", name="Invites of everyone")).to_be_visible()
    await expect(section(page, "Sessions").get_by_role("listitem")).to_have_count(1)
    await expect(section(page, "Invites").get_by_role("listitem")).to_have_count(2)


@state
async def account_deleting(page: Page, cast: Cast) -> None:
    await account(page, cast)
    await page.get_by_role("button", name="Delete my account").click()
    await expect(page.get_by_role("dialog")).to_be_visible()


@state
async def account_deletion_failed(page: Page, cast: Cast) -> None:
    words = "You cannot delete your account at this time. Nothing has changed; try again in a moment."
    await page.route("**/api/user", answering(503, "deletion_unavailable", words, 1))
    await account_deleting(page, cast)
    await page.get_by_role("dialog").get_by_label("Password").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog").get_by_role("alert")).not_to_be_empty()


@state
async def account_session_ended(page: Page, cast: Cast) -> None:
    await page.route("**/api/change_password", answering(401, "not_logged_in", "You are not logged in."))
    await account(page, cast)
    form = section(page, "Password")
    await form.get_by_label("Current password").fill(PASSWORD)
    await form.get_by_label("New password", exact=True).fill(NEW_PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog", name="Your session has ended")).to_be_visible()


@state
async def invites(page: Page, cast: Cast) -> None:
    await cast.operator.enter(page)
    await page.goto(cast.at("/invites"))
    await expect(page.get_by_role("listitem").filter(has_text="The class of 2026")).to_be_visible()


@state
async def invites_with_older_ones(page: Page, cast: Cast) -> None:
    async def answer(route: Route) -> None:
        found = await route.fetch()
        await route.fulfill(
            response=found,
            headers={**found.headers, "link": '</api/invites?before=00000000-0000-0000-0000-000000000000>; rel="next"'},
        )

    await page.route("**/api/invites", answer)
    await invites(page, cast)
    await page.get_by_role("button", name="Show older invites").scroll_into_view_if_needed()


@state
async def mailbox(page: Page, cast: Cast) -> None:
    await page.goto(cast.at("/mailbox"))
    await page.get_by_role("button", name="Confirm your address").first.click()
    await expect(page.frame_locator("iframe").get_by_role("heading").first).to_be_visible()
    await expect(page.locator("#subject")).to_be_focused()


@state
async def nowhere(page: Page, cast: Cast) -> None:
    await page.goto(cast.at("/nowhere"))
    await is_at(page, "Nothing here")


EXPECTED: Mapping[str, tuple[int, ...]] = {
    "signup-with-errors": (400,),
    "signup-with-a-spent-invite": (404,),
    "confirm-failed": (404,),
    "login-refused": (401,),
    "login-waiting": (429,),
    "reset-failed": (404,),
    "account-with-errors": (400,),
    "account-deletion-failed": (503,),
    "account-session-ended": (401,),
    "nowhere": (404,),
}
"""The statuses that a state comes from, which the console tells."""
