"""Nothing that people or operators write reaches the headers of a mail with more than one line."""

import email
import email.policy
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from uuid import UUID

import httpx
import pytest

from adapters.crypto.links import Links
from adapters.crypto.tokens import HmacTokenSigner
from adapters.mime.compose import Composer
from application.ports import MailRefused
from domain.email_address import EmailAddress
from domain.mail import Mail, MailKind
from entrypoints.settings import PREFIX, BadSettings, read_settings
from tests.unit.http.people import ANN, BOB, a_member, log_in

BREAKS = ["\r\n", "\r", "\n", "\0", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"]
"""What some program takes for the end of a line, or of a text."""
SMUGGLED = "Bcc: eve@example.org"
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
COMPOSER = Composer(
    Links("https://bottomline.example", HmacTokenSigner(["s" * 32])), "B <b@b.example>", "B", None, "H <h@b.example>"
)
MAIL = Mail(UUID(int=7), MailKind.INVITE, EmailAddress("ann@example.org"), NOW, UUID(int=8), NOW, "ann", "bob")


@pytest.mark.parametrize("end", BREAKS)
async def test_no_field_takes_the_end_of_a_line(
    client: httpx.AsyncClient, first_invite: str, said: list[str], end: str
) -> None:
    await a_member(client, first_invite, said)
    await log_in(client)
    known = len(said)
    evil = f"x{end}{SMUGGLED}"
    for address in (evil, f"bob@example.org{end}{SMUGGLED}", f"bob{end}@example.org", f"bob@example.org{end}"):
        for method, path, body in (
            ("POST", "/api/users", {"invite": first_invite, **BOB, "email": address}),
            ("POST", "/api/resend_confirmation", {"email": address}),
            ("POST", "/api/forgot_password", {"email": address}),
            ("POST", "/api/change_email", {"email": address, "password": ANN["password"]}),
            ("POST", "/api/invites", {"email": address}),
        ):
            assert (await client.request(method, path, json=body)).status_code == 400, (path, address)
    for name in (evil, f"bob{end}", f"{end}bob"):
        sign_up = await client.post("/api/users", json={"invite": first_invite, **BOB, "username": name})
        assert sign_up.status_code == 400, name
    assert len(said) == known, "no mail has gone out"


@pytest.mark.parametrize("end", BREAKS[:3] + BREAKS[4:])
@pytest.mark.parametrize("name", ["BRAND", "MAIL_FROM", "MAIL_REPLY_TO", "CONTACT_URL"])
def test_no_setting_takes_the_end_of_a_line(name: str, end: str) -> None:
    address = "Club <club@example.org>"
    values = {"BRAND": "Club", "MAIL_FROM": address, "MAIL_REPLY_TO": address, "CONTACT_URL": "mailto:club@example.org"}
    with pytest.raises(BadSettings, match=name):
        read_settings({PREFIX + name: f"{values[name]}{end}{SMUGGLED}"})


@pytest.mark.parametrize("end", BREAKS)
@pytest.mark.parametrize("kind", MailKind)
def test_a_mail_with_the_end_of_a_line_in_it_has_the_headers_of_any_other_or_is_not_sent(
    kind: MailKind, end: str
) -> None:
    """The last line of defence, were a name or an address ever to come by another way."""
    whole = headers(COMPOSER.compose(replace(MAIL, kind=kind)).message)
    evil = f"bob{end}{SMUGGLED}"
    for mail in (
        replace(MAIL, kind=kind, username=evil, invited_by=evil),
        replace(MAIL, kind=kind, to=EmailAddress(f"ann@example.org{end}{SMUGGLED}")),
        replace(MAIL, kind=kind, to=EmailAddress(f"ann{end}@example.org")),
    ):
        try:
            message = COMPOSER.compose(mail).message
        except MailRefused:
            continue
        assert headers(message) == whole


@pytest.mark.parametrize("end", BREAKS)
def test_an_address_for_answers_with_the_end_of_a_line_in_it_adds_no_header(end: str) -> None:
    whole = headers(COMPOSER.compose(MAIL).message)
    assert "Reply-To" in whole
    for evil in (f"H <h@b.example>{end}{SMUGGLED}", f"H{end}{SMUGGLED} <h@b.example>", f"h{end}@b.example"):
        try:
            message = replace(COMPOSER, reply_to=evil).compose(MAIL).message
        except MailRefused:
            continue
        assert headers(message) == whole


def headers(message: EmailMessage) -> list[str]:
    """The names of the headers that whoever receives these bytes sees; how the text is encoded is another matter."""
    received = email.message_from_bytes(message.as_bytes(), policy=email.policy.default)
    return [name for name in received.keys() if name != "Content-Transfer-Encoding"]  # noqa: SIM118  a message is no dict
