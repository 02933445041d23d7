"""Who comes to the pages, and what they do there."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from playwright.async_api import Locator, Page, expect

from domain.user import Role
from tests.integration.journeys.test_journey import confirm, log_in, sign_up
from tests.integration.journeys.worlds import World
from tests.integration.processes import Browser as Client

PASSWORD = "correct horse battery"
NEW_PASSWORD = "another horse battery"
TABLET = "Mozilla/5.0 (iPad; CPU OS 17_4 like Mac OS X) AppleWebKit/605.1.15 Version/17.4 Mobile/15E148 Safari/604.1"
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Person:
    """Somebody with a name; what they type follows from it."""

    name: str
    password: str = PASSWORD

    @property
    def email(self) -> str:
        return f"{self.name}@example.org"

    @property
    def body(self) -> dict[str, str]:
        """What the API wants to know of them."""
        return {"email": self.email, "username": self.name, "password": self.password}

    @property
    def credentials(self) -> dict[str, str]:
        return {"email": self.email, "password": self.password}


def somebody(name: str = "kim") -> Person:
    """Somebody whom no other test knows."""
    return Person(f"{name}{next(_numbers)}")


@asynccontextmanager
async def a_member(world: World, person: Person | None = None, role: Role = Role.MEMBER) -> AsyncIterator["Member"]:
    """Somebody with an account, logged in by the API."""
    person = person or somebody()
    async with world.web.browser() as client:
        client.headers["user-agent"] = TABLET
        await sign_up(world, client, person.body, await world.an_invite(role=role))
        await confirm(world, client, person.body)
        await log_in(client, person.body)
        yield Member(person, client)


@dataclass(frozen=True)
class Member:
    """A person with an account, and a client that is logged in."""

    person: Person
    client: Client

    async def enter(self, page: Page) -> None:
        """Give this page's browser the client's session."""
        assert self.client.cookie is not None
        name, _, value = self.client.cookie.partition("=")
        await page.context.add_cookies(
            [
                {
                    "name": name,
                    "value": value,
                    "url": "https://localhost/",  # what is __Host-… can be put there for https alone
                    "secure": True,
                    "httpOnly": True,
                    "sameSite": "Strict",
                }
            ]
        )


async def fill_sign_up(page: Page, person: Person) -> None:
    """Type it all; nothing is sent."""
    await page.get_by_label("Mail address").fill(person.email)
    await page.get_by_label("Username").fill(person.name)
    await page.get_by_label("Password", exact=True).fill(person.password)


async def fill_log_in(page: Page, person: Person) -> None:
    """Type it all; nothing is sent."""
    await page.get_by_label("Mail address").fill(person.email)
    await page.get_by_label("Password", exact=True).fill(person.password)


async def ask_to_delete(page: Page) -> Locator:
    """Open the dialog that deletes the account; nothing is typed."""
    await page.get_by_role("button", name="Delete my account").click()
    return page.get_by_role("dialog", name="Delete your account?")


def section(page: Page, name: str) -> Locator:
    """A part of the account page."""
    return page.get_by_role("region", name=name, exact=True)


def status(page: Page) -> Locator:
    """Where a page says how it goes."""
    return page.locator("#status")


def problem(page: Page) -> Locator:
    """Where a page says what went wrong."""
    return page.locator("#problem")


async def is_at(page: Page, heading: str) -> None:
    """The page's one heading says so."""
    await expect(page.get_by_role("heading", level=1)).to_have_text(heading)


async def account_is_shown(page: Page) -> None:
    """With all that it loads."""
    await is_at(page, "Your account")
    for name in ("Sessions", "Invites"):
        await expect(section(page, name).get_by_role("listitem").first).to_be_visible()
