"""Mails are made of what the programs of their readers can show: see tests/mail_features.py."""

import pytest

from domain.mail import MailKind
from tests.mail_features import complaints
from tests.mails import COMPOSER, MAILS, html_of

WHOLE = html_of(COMPOSER.compose(MAILS[MailKind.RESET]).message)


@pytest.mark.parametrize("kind", MailKind)
def test_a_mail_is_made_of_what_can_be_shown(kind: MailKind) -> None:
    assert complaints(html_of(COMPOSER.compose(MAILS[kind]).message)) == []


@pytest.mark.parametrize(
    "style",
    [
        "display: flex",
        "display: grid",
        "display: none",
        "position: absolute",
        "float: left",
        "color: var(--ink)",
        "color: rgba(0, 0, 0, 0.5)",
        "background-image: url(https://x.example/a.png)",
        "background: #ffffff",
        "width: calc(100% - 8px)",
        "margin: -8px",
        "font-size: 1rem",
        "gap: 8px",
        "box-shadow: 0 1px 2px #000000",
        "mso-hide: all",
    ],
)
def test_a_property_or_value_that_some_cannot_show_is_found(style: str) -> None:
    assert complaints(f'<p style="margin: 0; {style};">Hello</p>') == [style]
    rule = f"@media (max-width: 480px) {{ .card {{ padding: 8px !important; {style} !important; }} }}"
    assert complaints(f"<style>{rule}</style>") == [style]


@pytest.mark.parametrize(
    ("html", "complaint"),
    [
        ("<svg></svg>", "<svg>"),
        ("<form></form>", "<form>"),
        ("<button></button>", "<button>"),
        ("<script></script>", "<script>"),
        ("<section></section>", "<section>"),
        ("<video></video>", "<video>"),
        ('<a onclick="x()">x</a>', "<a onclick>"),
        ('<td bgcolor="#ffffff">x</td>', "<td bgcolor>"),
        ('<p id="x">x</p>', "<p id>"),
        ("<!-- a word -->", "a comment that is none for Outlook:  a word "),
    ],
)
def test_an_element_or_attribute_that_some_cannot_show_is_found(html: str, complaint: str) -> None:
    assert complaints(WHOLE.replace("</body>", f"{html}</body>")) == [complaint]


@pytest.mark.parametrize(
    ("css", "complaint"),
    [
        ("@import 'x.css';", "@import 'x.css';"),
        ("@font-face { font-family: x; }", "@font-face"),
        ("@supports (display: grid) { .card { padding: 0; } }", "@supports (display: grid)"),
        ("@media (hover: hover) { .card { padding: 0; } }", "@media (hover: hover)"),
        (".card { padding: 0; }", ".card"),
        ("@media (max-width: 480px) { .card:hover { padding: 0; } }", ".card:hover"),
        ("@media (max-width: 480px) { .card > p { padding: 0; } }", ".card > p"),
        ("@media (max-width: 480px) { .card { padding: 0; }", "@media (max-width: 480px) {"),
    ],
)
def test_a_rule_that_some_cannot_read_is_found(css: str, complaint: str) -> None:
    assert complaint in complaints(f"<style>{css}</style>")
