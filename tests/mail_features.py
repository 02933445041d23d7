"""What a mail's HTML and CSS may be made of: an allow-list.

Each entry names its page on https://www.caniemail.com/features/<name>/, or the standard that is older than that list.
Gmail, Apple Mail, Outlook.com and Yahoo show it, and nothing is lost where they do not: `word-wrap` and `word-break`
break names and links of great length, `@media` suits a mail that is whole without it to narrow screens and dark ones,
and the ARIA attributes are for screen readers. Outlook on Windows, which shows mails with Word, also passes over
`border-radius`, `border-spacing`, `max-height`, `max-width`, `overflow` and `table-layout`; what it needs instead
stands in conditional comments, which it alone reads.
"""

import re
from collections.abc import Iterator, Mapping

from tests.mails import CONDITIONAL, page_of

_OLD_HTML = "HTML 2.0 (RFC 1866)"
_OLD_CSS = "CSS 1 (https://www.w3.org/TR/CSS1/)"

ELEMENTS: Mapping[str, str] = {
    "html": _OLD_HTML,
    "head": _OLD_HTML,
    "title": _OLD_HTML,
    "meta": "html-meta-color-scheme",
    "style": "html-style",
    "body": "html-body",
    "div": "html-div",
    "table": "html-table",
    "tbody": "html-table",
    "tr": "html-table",
    "td": "html-table",
    "h1": "html-h1-h6",
    "p": "html-p",
    "a": _OLD_HTML,
    "br": _OLD_HTML,
}

ATTRIBUTES: Mapping[str, str] = {
    "lang": "html-lang",
    "charset": "html-meta-color-scheme",
    "name": "html-meta-color-scheme",
    "content": "html-meta-color-scheme",
    "class": "css-selector-class",
    "style": "html-style",
    "href": _OLD_HTML,
    "role": "html-role",
    "aria-label": "html-aria-label",
    "aria-hidden": "html-aria-hidden",
    "aria-roledescription": "html-role",
    "data-css-inline": "for us alone: it keeps a style sheet",
}

_COLOUR = "#[0-9a-f]{6}"
_LENGTH = r"(0|[0-9]{1,3}px)"
_LENGTHS = rf"{_LENGTH}( {_LENGTH}){{0,3}}"

PROPERTIES: Mapping[str, tuple[str, str]] = {
    "background-color": ("css-background-color", _COLOUR),
    "border": ("css-border", rf"1px solid {_COLOUR}"),
    "border-top": ("css-border", rf"1px solid {_COLOUR}"),
    "border-color": ("css-border", _COLOUR),
    "border-collapse": ("css-border-collapse", "separate"),
    "border-radius": ("css-border-radius", _LENGTH),
    "border-spacing": ("css-border-spacing", "0"),
    "color": (_OLD_CSS, _COLOUR),
    "display": ("css-display", "inline-block|block|inline"),
    "font-family": (_OLD_CSS, r"[A-Za-z, '\"-]+"),
    "font-size": ("css-font-size", _LENGTH),
    "font-weight": ("css-font-weight", "400|700"),
    "line-height": ("css-line-height", _LENGTH),
    "margin": ("css-margin", rf"{_LENGTHS}|0 auto"),
    "max-height": ("css-max-height", "0"),
    "max-width": ("css-max-width", _LENGTH),
    "overflow": ("css-overflow", "hidden"),
    "word-wrap": ("css-word-wrap", "break-word"),
    "padding": ("css-padding", _LENGTHS),
    "table-layout": ("css-table-layout", "fixed|auto"),
    "text-align": ("css-text-align", "left|center"),
    "text-decoration": ("css-text-decoration", "none|underline"),
    "width": ("css-width", "100%|auto"),
    "word-break": ("css-word-break", "break-all"),
}
"""Each with the values that it may have."""

MEDIA: Mapping[str, str] = {
    "@media (max-width: 480px)": "css-at-media",
    "@media (prefers-color-scheme: dark)": "css-at-media-prefers-color-scheme",
}
_SELECTOR = re.compile(r"\.[a-z]+")  # css-selector-class
_BLOCK = re.compile(r"\s*([^{}]+?)\s*\{((?:[^{}]|\{[^{}]*\})*)\}")


def complaints(html: str) -> list[str]:
    """What there is in a mail that it may not have, each once."""
    return sorted(set(_complaints(html)))


def _complaints(html: str) -> Iterator[str]:
    page = page_of(html)
    yield from (f"a comment that is none for Outlook: {text}" for text in page.comments if not CONDITIONAL.match(text))
    for element in page.elements:
        if element.tag not in ELEMENTS:
            yield f"<{element.tag}>"
        yield from (f"<{element.tag} {name}>" for name in element.attributes if name not in ATTRIBUTES)
        yield from _in_declarations(element.attributes.get("style", ""))
        if element.tag == "style":
            yield from _in_sheet(element.text)


def _in_sheet(css: str) -> Iterator[str]:
    """Media queries with rules in them; other rules stand on the elements."""
    for media, rules in _blocks(css):
        if media not in MEDIA:
            yield media
            continue
        for selector, declarations in _blocks(rules):
            if not _SELECTOR.fullmatch(selector):
                yield selector
            yield from _in_declarations(re.sub(r"\s*!important(?=;)", "", declarations))


def _blocks(css: str) -> Iterator[tuple[str, str]]:
    """What stands before braces, and in them; what is neither is shown as if it did."""
    end = 0
    for block in _BLOCK.finditer(css):
        if stray := css[end : block.start()].strip():
            yield stray, ""
        yield block[1], block[2]
        end = block.end()
    if stray := css[end:].strip():
        yield stray, ""


def _in_declarations(css: str) -> Iterator[str]:
    for declaration in filter(None, map(str.strip, css.split(";"))):
        name, _, value = map(str.strip, declaration.partition(":"))
        if name not in PROPERTIES or not re.fullmatch(PROPERTIES[name][1], value):
            yield declaration
