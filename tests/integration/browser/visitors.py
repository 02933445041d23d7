"""Browsers that people come with, and what goes wrong in them."""

from dataclasses import dataclass, field
from typing import Any

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, ViewportSize

PHONE: dict[str, Any] = {"viewport": ViewportSize(width=390, height=844), "has_touch": True, "is_mobile": True}
SMALL: dict[str, Any] = {"viewport": ViewportSize(width=320, height=640), "has_touch": True, "is_mobile": True}
"""As narrow as pages have to work without scrolling sideways (WCAG 1.4.10)."""
DESKTOP: dict[str, Any] = {"viewport": ViewportSize(width=1280, height=900)}
PATIENCE = 10_000
"""Milliseconds until something that a page should do has not happened."""

TELL_VIOLATIONS = """addEventListener("securitypolicyviolation", (event) =>
  console.error(`content policy: ${event.effectiveDirective} ${event.blockedURI} ${event.sample}`))"""
NOT_LOGGED_IN = "a status of 401 (Unauthorized) /api/session"
"""What the browser itself writes where a page asks whether there is a session, and there is none."""


@dataclass
class Visitors:
    """Opens browsers for people, and keeps what their consoles complain about, but for what is `forgiven`."""

    browser: Browser
    forgiven: list[str] = field(default_factory=lambda: [NOT_LOGGED_IN])
    complaints: list[str] = field(default_factory=list)
    contexts: list[BrowserContext] = field(default_factory=list)

    async def come(self, device: dict[str, Any] = PHONE, **options: Any) -> Page:
        """A page in a fresh browser on this device."""
        context = await self.browser.new_context(**{**device, **options})
        self.contexts.append(context)
        context.set_default_timeout(PATIENCE)
        await context.add_init_script(TELL_VIOLATIONS)
        context.on("console", self._hear)
        context.on("weberror", lambda error: self.complaints.append(str(error.error)))
        return await context.new_page()

    def forgive(self, *statuses: int) -> None:
        """Let consoles tell of answers with these statuses: the test is about them."""
        self.forgiven += [f"a status of {status} (" for status in statuses]

    async def leave(self) -> None:
        """Close all browsers."""
        for context in self.contexts:
            await context.close()

    def unforgiven(self) -> list[str]:
        """What nobody expected."""
        return [said for said in self.complaints if not any(each in said for each in self.forgiven)]

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            path = "/" + message.location["url"].partition("://")[2].partition("/")[2]
            self.complaints.append(f"{message.text} {path}")
