"""Photographs every page and mail: `make screenshots`. Four are kept for the README, all lie in var/screenshots."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

from playwright.async_api import Browser, Page

from adapters.crypto.links import Links
from adapters.crypto.tokens import HmacTokenSigner
from adapters.mime.compose import Composer
from domain.user import Role
from tests.integration.browser.chromium import launched
from tests.integration.browser.people import Person, a_member
from tests.integration.browser.states import STATES, Cast, furnish
from tests.integration.browser.visitors import DESKTOP, PHONE
from tests.integration.journeys.worlds import embedded
from tests.mails import MAILS, html_of

ROOT = Path(__file__).parents[3]
ALL = ROOT / "var" / "screenshots"
KEPT = ROOT / "docs" / "screenshots"
BRAND = "Quiet Harbour"
CONTACT = "mailto:help@harbour.example"
DEVICES: Mapping[str, dict[str, Any]] = {"phone": PHONE, "desktop": DESKTOP}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
README = {
    "phone-light/signup-filled": "signup",
    "desktop-light/account": "account-desktop",
    "phone-dark/account": "account-phone",
    "phone-light/mail-confirmation": "mail",
}
"""Those that the README shows, cut to one screen."""


@asynccontextmanager
async def cast_of(folder: Path) -> AsyncIterator[Cast]:
    """A world with a brand, and people in it."""
    settings = {"BOTTOMLINE_BRAND": BRAND, "BOTTOMLINE_CONTACT_URL": CONTACT}
    async with (
        embedded(folder, **settings) as world,
        a_member(world, Person("marlene"), Role.ADMIN) as operator,
        a_member(world, Person("ann")) as member,
    ):
        yield await furnish(world, member, operator)


async def photograph(browser: Browser, cast: Cast, device: str, scheme: Literal["light", "dark"]) -> None:
    """Every state, and every mail, on this device and in these colours."""
    folder = f"{device}-{scheme}"
    for name, show in STATES.items():
        context = await browser.new_context(**DEVICES[device], color_scheme=scheme, reduced_motion="reduce")
        page = await context.new_page()
        await show(page, cast)
        await keep(page, f"{folder}/{name}")
        await context.close()
    context = await browser.new_context(**DEVICES[device], color_scheme=scheme)
    page = await context.new_page()
    links = Links("https://accounts.harbour.example", HmacTokenSigner(["s" * 32]))
    composer = Composer(links, f"{BRAND} <accounts@harbour.example>", BRAND, CONTACT, None)
    for kind, mail in MAILS.items():
        await page.set_content(html_of(composer.compose(mail).message))
        await keep(page, f"{folder}/mail-{kind.replace('_', '-')}")
    await context.close()


async def keep(page: Page, name: str) -> None:
    """Write the whole page, or what is on the screen where it was scrolled; that for the README, too."""
    is_at_its_start = await page.evaluate("scrollY === 0")
    await page.screenshot(path=path_of(ALL / name), full_page=is_at_its_start)
    if name in README:
        await page.evaluate("document.activeElement?.blur()")
        await page.screenshot(path=path_of(KEPT / README[name]))


def path_of(name: Path) -> Path:
    """The file of that name, in a folder that is there."""
    name.parent.mkdir(parents=True, exist_ok=True)
    return name.with_name(f"{name.name}.png")


async def main() -> None:
    """One world, one browser, and one after the other."""
    shutil.rmtree(ALL, ignore_errors=True)
    with tempfile.TemporaryDirectory() as folder:
        async with launched() as browser, cast_of(Path(folder)) as cast:
            for device in DEVICES:
                for scheme in SCHEMES:
                    await photograph(browser, cast, device, scheme)
    print(f"{sum(1 for _ in ALL.rglob('*.png'))} pictures are in {ALL}, {len(README)} in {KEPT}")  # noqa: T201


if __name__ == "__main__":
    asyncio.run(main())
