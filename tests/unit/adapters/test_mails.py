"""Mails: what they say, the same in both parts, and what they bring along."""

import email
import email.policy
import re
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage

import pytest

from adapters.mime.compose import Composer
from application.ports import MailRefused
from domain.mail import Mail, MailKind
from tests.mails import COMPOSER, CONTACT, MAILS, PUBLIC_URL, UNTIL, html_of, page_of, text_of, words_in

WAYS_OUT = {
    MailKind.CONFIRMATION: "If you did not sign up, ignore this mail",
    MailKind.ACCOUNT_EXISTS: "If it was not you, ignore this mail",
    MailKind.INVITE: "If you do not know what this is about, ignore this mail",
    MailKind.RESET: "If you did not ask for it, ignore this mail",
    MailKind.PASSWORD_CHANGED: "If it was not you, somebody else knows your password",
    MailKind.EMAIL_CHANGE: "If you do not know what this is about, ignore this mail",
    MailKind.EMAIL_CHANGED: "If it was not you, take your account back here",
    MailKind.FAREWELL: "If it was not you who asked, write to us",
}
BUTTONS = {
    MailKind.CONFIRMATION: ("Confirm my address", "/invite#confirmation="),
    MailKind.ACCOUNT_EXISTS: ("Log in", "/login"),
    MailKind.INVITE: ("Accept the invite", "/signup#invite="),
    MailKind.RESET: ("Set another password", "/reset#reset="),
    MailKind.PASSWORD_CHANGED: ("Set another password", "/forgot"),
    MailKind.EMAIL_CHANGE: ("Confirm my new address", "/email#confirmation="),
    MailKind.EMAIL_CHANGED: ("Take my account back", "/email#undo="),
}
NASTY = """<b>&"'{{ 7*7 }}<!--"""


def received(composer: Composer, mail: Mail) -> EmailMessage:
    """The mail as whoever is given its bytes reads it."""
    message = email.message_from_bytes(composer.compose(mail).message.as_bytes(), policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


@pytest.mark.parametrize("kind", MailKind)
def test_a_mail_is_text_and_html_in_this_order(kind: MailKind) -> None:
    message = received(COMPOSER, MAILS[kind])
    assert message.get_content_type() == "multipart/alternative"
    parts = [(part.get_content_type(), part["Content-Transfer-Encoding"]) for part in message.iter_parts()]
    assert parts == [("text/plain", "7bit"), ("text/html", "7bit")]
    assert [part.get_content_charset() for part in message.iter_parts()] == ["utf-8", "utf-8"]


@pytest.mark.parametrize("kind", MailKind)
def test_both_parts_say_the_same(kind: MailKind) -> None:
    message = received(COMPOSER, MAILS[kind])
    text, page = text_of(message), page_of(html_of(message))
    body, _, signature = text.partition("\n-- \n")
    expected = words_in(body)
    labels = {link: label for label, link in buttons(html_of(message))}
    for link, label in labels.items():
        expected = expected.replace(link, f"{label} Or open this link: {link}", 1)
    for anchor in page.all("a"):
        if anchor.attributes["href"] not in (*labels, PUBLIC_URL, CONTACT):
            expected = expected.replace(anchor.attributes["href"], anchor.text)
    assert page.text == words_in(f"Bottomline {message['Subject']} {expected} {signature}")


@pytest.mark.parametrize("kind", MailKind)
def test_the_link_of_a_mail_is_whole_in_both_parts(kind: MailKind) -> None:
    composed = COMPOSER.compose(MAILS[kind])
    message = received(COMPOSER, MAILS[kind])
    assert composed.link in text_of(message).splitlines()
    assert composed.link in [anchor.attributes["href"] for anchor in page_of(html_of(message)).all("a")]
    assert f"\r\n{composed.link}\r\n".encode() in composed.message.as_bytes(), "as it is, for whoever looks at the file"


@pytest.mark.parametrize("kind", BUTTONS)
def test_a_mail_has_one_button_which_leads_there(kind: MailKind) -> None:
    ((label, link),) = buttons(html_of(received(COMPOSER, MAILS[kind])))
    assert (label, link[: len(PUBLIC_URL) + len(BUTTONS[kind][1])]) == (BUTTONS[kind][0], PUBLIC_URL + BUTTONS[kind][1])


def test_a_farewell_leads_nowhere() -> None:
    assert buttons(html_of(received(COMPOSER, MAILS[MailKind.FAREWELL]))) == []


def buttons(html: str) -> list[tuple[str, str]]:
    """Labels and links of what is 44 pixels high or more."""
    found = []
    for anchor in page_of(html).all("a"):
        style = anchor.attributes["style"]
        padding = re.search(r"padding: (\d+)px (\d+)px;.*line-height: (\d+)px", style)
        if padding and 2 * int(padding[1]) + int(padding[3]) >= 44:
            found.append((words_in(anchor.text), anchor.attributes["href"]))
    return found


@pytest.mark.parametrize("kind", MailKind)
def test_a_mail_says_until_when_its_link_works(kind: MailKind) -> None:
    message = received(COMPOSER, MAILS[kind])
    for text in (words_in(text_of(message)), page_of(html_of(message)).text):
        assert ("works until 3 January 2026, 12:00 UTC." in text) is (MAILS[kind].link_expires_at == UNTIL)


@pytest.mark.parametrize("kind", MailKind)
def test_a_mail_says_what_to_do_if_it_was_not_you(kind: MailKind) -> None:
    message = received(COMPOSER, MAILS[kind])
    assert WAYS_OUT[kind] in words_in(text_of(message))
    assert WAYS_OUT[kind] in page_of(html_of(message)).text


def test_a_farewell_without_a_contact_promises_none() -> None:
    message = received(replace(COMPOSER, contact=None), MAILS[MailKind.FAREWELL])
    for text in (text_of(message), page_of(html_of(message)).text):
        assert "write to us" not in text
        assert "Questions" not in text


def test_an_invite_of_no_ones_names_no_one() -> None:
    composed = COMPOSER.compose(replace(MAILS[MailKind.INVITE], invited_by=None))
    assert composed.subject == "You are invited to Bottomline"
    assert "You are invited to an account at Bottomline." in text_of(composed.message)
    assert "None" not in text_of(composed.message) + html_of(composed.message)


@pytest.mark.parametrize("kind", MailKind)
def test_names_are_shown_as_they_are_and_are_no_html(kind: MailKind) -> None:
    mail = replace(MAILS[kind], username=NASTY, invited_by=NASTY)
    nasty, plain = received(replace(COMPOSER, brand=NASTY), mail), received(COMPOSER, MAILS[kind])
    page, usual = page_of(html_of(nasty)), page_of(html_of(plain))
    assert [element.tag for element in page.elements] == [element.tag for element in usual.elements]
    assert len(page.comments) == len(usual.comments)
    for shown, usually in ((page.text, usual.text), (words_in(text_of(nasty)), text_of(plain))):
        assert shown.count(NASTY) == len(re.findall("Bottomline|bob|ann,", usually))
    assert page.all("title")[0].text == nasty["Subject"]


def test_letters_of_any_script_arrive() -> None:
    message = received(COMPOSER, replace(MAILS[MailKind.RESET], username="Ζεύς"))
    assert "Hello Ζεύς," in text_of(message)
    assert "Hello Ζεύς," in page_of(html_of(message)).text


@pytest.mark.parametrize("username", ["ann", "Ζεύς", "w" * 2000])
@pytest.mark.parametrize("kind", MailKind)
def test_no_line_is_longer_than_mail_servers_take(kind: MailKind, username: str) -> None:
    """RFC 5322, 2.1.1: 998 characters."""
    content = COMPOSER.compose(replace(MAILS[kind], username=username, invited_by=None)).message.as_bytes()
    assert content.isascii()
    assert max(map(len, content.split(b"\r\n"))) <= 998


@pytest.mark.parametrize("kind", MailKind)
def test_a_mail_that_is_written_again_is_the_same_byte_for_byte(kind: MailKind) -> None:
    contents = {COMPOSER.compose(MAILS[kind]).message.as_bytes() for _ in range(3)}
    assert len(contents) == 1
    later = replace(MAILS[kind], created_at=MAILS[kind].created_at + timedelta(seconds=1))
    assert COMPOSER.compose(later).message.as_bytes() not in contents


def test_no_two_mails_have_one_boundary() -> None:
    boundaries = {received(COMPOSER, mail).get_boundary() for mail in MAILS.values()}
    assert len(boundaries) == len(MAILS)


def test_answers_go_where_the_operator_says() -> None:
    message = received(COMPOSER, MAILS[MailKind.RESET])
    assert (message["Reply-To"], message["From"]) == ("Help <help@example.org>", "Bottomline <accounts@example.org>")
    assert received(replace(COMPOSER, reply_to=None), MAILS[MailKind.RESET])["Reply-To"] is None


def test_a_mail_that_lacks_its_token_is_refused() -> None:
    with pytest.raises(MailRefused, match="a reset mail needs a token"):
        COMPOSER.compose(replace(MAILS[MailKind.RESET], link_id=None))


@pytest.mark.parametrize("kind", MailKind)
def test_a_mail_loads_nothing_and_links_to_nowhere_else(kind: MailKind) -> None:
    message = received(COMPOSER, MAILS[kind])
    page = page_of(html_of(message))
    linked = {anchor.attributes["href"] for anchor in page.all("a")}
    assert linked == {CONTACT, PUBLIC_URL, *re.findall(r"https://\S+", text_of(message))}
    assert all(link.startswith(PUBLIC_URL) for link in linked - {CONTACT})
    assert not {element.tag for element in page.elements} & {"img", "script", "link", "iframe", "object", "svg"}
    for element in page.elements:
        loading = {name for name in element.attributes if name in {"src", "srcset", "background", "poster", "data"}}
        assert not loading, element
        assert ("href" in element.attributes) is (element.tag == "a"), element
    assert not re.search(r"url\(|@import|@font-face", html_of(message))


@pytest.mark.parametrize("kind", MailKind)
def test_a_mail_has_a_dark_side(kind: MailKind) -> None:
    page = page_of(html_of(received(COMPOSER, MAILS[kind])))
    metas = {meta.attributes.get("name"): meta.attributes.get("content") for meta in page.all("meta")}
    assert metas["color-scheme"] == metas["supported-color-schemes"] == "light dark"
    (style,) = page.all("style")
    dark = style.text.split("@media (prefers-color-scheme: dark)")[1]
    named = set(re.findall(r"\.([a-z]+) \{", dark))
    for element in page.elements:
        declared = element.attributes.get("style", "")
        if re.search(r"(?<![a-z-])(color|background-color|border|border-top):", declared):
            assert named & set(element.attributes["class"].split()), f"stays light: {element}"


@pytest.mark.parametrize("kind", MailKind)
def test_a_mail_tells_programs_what_it_is(kind: MailKind) -> None:
    message = received(COMPOSER, MAILS[kind])
    page = page_of(html_of(message))
    assert page.all("html")[0].attributes["lang"] == "en"
    assert page.all("title")[0].text == message["Subject"]
    assert {table.attributes["role"] for table in page.all("table")} == {"presentation"}
    (preview,) = [element for element in page.all("div") if element.attributes.get("aria-hidden") == "true"]
    assert preview.text in words_in(text_of(message)), "the line that lists of mails show"


@pytest.mark.parametrize("kind", MailKind)
def test_a_mail_is_small(kind: MailKind) -> None:
    """Gmail clips what is larger than 102 KB."""
    assert len(html_of(received(COMPOSER, MAILS[kind])).encode()) < 20_000


def test_a_start_does_not_load_what_only_mails_need() -> None:
    program = """if True:
        import sys
        import entrypoints.container, entrypoints.delivery, entrypoints.http.app
        print({"jinja2", "css_inline", "adapters.mime.compose"} & set(sys.modules))
    """
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603
    assert done.stdout == "{'adapters.mime.compose'}\n"
