"""How mails look: as HTML and as text. Importing this loads what it takes; compose.py does so for the first mail."""

import textwrap
from dataclasses import dataclass
from pathlib import Path

from css_inline import CSSInliner
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from adapters.mime.words import Words


def _wrapped(text: str) -> str:
    """Lines that read well in any window (RFC 5322, 2.1.1); what has no space in it stays whole."""
    return textwrap.fill(text, 78, break_long_words=False, break_on_hyphens=False)


_TEMPLATES = Environment(
    autoescape=select_autoescape(["html"]),
    auto_reload=False,
    keep_trailing_newline=True,
    loader=FileSystemLoader(Path(__file__).with_name("templates")),
    lstrip_blocks=True,
    trim_blocks=True,
    undefined=StrictUndefined,
)
_TEMPLATES.filters["wrapped"] = _wrapped
_HTML = _TEMPLATES.get_template("layout.html")
_TEXT = _TEMPLATES.get_template("layout.txt")
_INLINER = CSSInliner(load_remote_stylesheets=False)
"""Webmail drops style sheets, or parts of them, so that what a mail cannot do without stands on each element."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around the words of every mail."""

    brand: str
    public_url: str
    contact: str | None

    @property
    def contact_shown(self) -> str | None:
        """The contact as people write it."""
        is_address = self.contact is not None and self.contact.startswith("mailto:")
        return self.contact[len("mailto:") :].partition("?")[0] if self.contact and is_address else self.contact


def as_html(words: Words, frame: Frame) -> str:
    """A whole document. The words are shown as they are, whatever characters they are made of."""
    return _INLINER.inline(_HTML.render(words=words, frame=frame))


def as_text(words: Words, frame: Frame) -> str:
    """The same words for a reader without HTML, each link on a line of its own."""
    return _TEXT.render(words=words, frame=frame)
