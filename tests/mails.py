"""Mails to test with, one of each kind, and what their readers see of them."""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from html.parser import HTMLParser
from uuid import UUID

from adapters.crypto.links import Links
from adapters.crypto.tokens import HmacTokenSigner
from adapters.mime.compose import Composer
from domain.email_address import EmailAddress
from domain.mail import Mail, MailKind

SENT = datetime(2026, 1, 1, 12, tzinfo=UTC)
PUBLIC_URL = "https://accounts.example.org"
CONTACT = "mailto:help@example.org?subject=Account"
COMPOSER = Composer(
    Links(PUBLIC_URL, HmacTokenSigner(["s" * 32])),
    "Bottomline <accounts@example.org>",
    "Bottomline",
    CONTACT,
    "Help <help@example.org>",
)
UNTIL = SENT + timedelta(days=2)
_LINKED = frozenset(MailKind) - {MailKind.PASSWORD_CHANGED, MailKind.FAREWELL}
MAILS = {
    kind: Mail(
        UUID(int=number),
        kind,
        EmailAddress("ann@example.org"),
        SENT,
        UUID(int=8) if kind in _LINKED else None,
        UNTIL if kind in _LINKED else None,
        None if kind is MailKind.INVITE else "ann",
        "bob" if kind is MailKind.INVITE else None,
    )
    for number, kind in enumerate(MailKind, 100)
}
_SKIPPED = frozenset({"head", "style", "title"})
_EMPTY = frozenset({"meta", "br"})


def text_of(mail: EmailMessage) -> str:
    """The plain text of a mail."""
    return _part(mail, "plain")


def html_of(mail: EmailMessage) -> str:
    """Its HTML."""
    return _part(mail, "html")


def words_in(text: str) -> str:
    """The text with one space between words."""
    return " ".join(text.split())


def _part(mail: EmailMessage, subtype: str) -> str:
    part = mail.get_body((subtype,))
    assert part is not None, f"no text/{subtype}"
    content = part.get_content()
    assert isinstance(content, str)
    return content.replace("\r\n", "\n")


@dataclass
class Element:
    """A tag with what stands in it as text, that of its children too."""

    tag: str
    attributes: dict[str, str]
    text: str = ""


@dataclass
class Page:
    """What is in an HTML document."""

    elements: list[Element] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    """The pieces of text that people see, in their order."""

    def all(self, tag: str) -> list[Element]:
        return [element for element in self.elements if element.tag == tag]

    @property
    def text(self) -> str:
        return words_in(" ".join(self.shown))


def page_of(html: str) -> Page:
    """Read a document whose elements are all closed; the parser's other half is that of a browser."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    assert not reader.open, [element.tag for element in reader.open]
    return reader.page


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.page = Page()
        self.open: list[Element] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.page.elements.append(element)
        if tag not in _EMPTY:
            self.open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop().tag == tag, f"</{tag}> closes another"

    def handle_comment(self, data: str) -> None:
        self.page.comments.append(data)

    def handle_data(self, data: str) -> None:
        for element in self.open:
            element.text += data
        if not any(element.tag in _SKIPPED or "aria-hidden" in element.attributes for element in self.open):
            self.page.shown.append(data)


CONDITIONAL = re.compile(r"\[if !?mso\]>.*(<!\[endif\]|<!)|<!\[endif\]", re.DOTALL)
"""A comment that Outlook on Windows, which shows mails with Word, reads as HTML."""
