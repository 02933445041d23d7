"""Mails are valid HTML and CSS."""

from dataclasses import replace
from pathlib import Path

from domain.mail import MailKind
from tests.html_checker import check
from tests.mails import COMPOSER, MAILS, html_of


def test_every_mail_is_valid(tmp_path: Path) -> None:
    strange = replace(MAILS[MailKind.INVITE], invited_by="""<b>&"'--><!--""")
    pages = []
    for name, mail in [*MAILS.items(), ("strange", strange)]:
        pages.append(tmp_path / f"{name}.html")
        pages[-1].write_text(html_of(COMPOSER.compose(mail).message))
    assert check(pages) == []


def test_what_is_not_valid_is_found(tmp_path: Path) -> None:
    """So that the test above could fail: bad nesting, a wrong attribute, a wrong property, two titles."""
    html = html_of(COMPOSER.compose(MAILS[MailKind.RESET]).message)
    faults = {
        "h1": ("</h1>", ""),
        "cellpadding": ('<table role="presentation"', '<table role="presentation" cellpadding="0"'),
        "margin": ("margin: 0 0 16px", "margin: wide"),
        "title": ("<title>", "<title></title><title>"),
    }
    pages = {what: tmp_path / f"{what}.html" for what in faults}
    for what, (good, bad) in faults.items():
        assert good in html
        pages[what].write_text(html.replace(good, bad, 1))
    found = check(list(pages.values()))
    for what, page in pages.items():
        assert any(line.startswith(f"{page.name}:") and what in line.partition(" ")[2] for line in found), (what, found)
