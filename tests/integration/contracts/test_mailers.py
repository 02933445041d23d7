"""What every mailer promises: run on files and on a real SMTP server."""

import asyncio
import email
import email.policy
import os
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path
from threading import Event
from uuid import UUID

import pytest

from adapters.crypto.links import Links
from adapters.crypto.tokens import HmacTokenSigner
from adapters.files.mailer import FileMailer
from adapters.mime.compose import Composer
from adapters.smtp.mailer import SmtpMailer, SmtpServer
from application.ports import MailDeferred, Mailer, MailRefused
from domain.email_address import EmailAddress
from domain.mail import Mail, MailKind
from tests.integration.servers.ports import LoopbackPort
from tests.integration.smtp_sink import SmtpSink
from tests.mails import html_of, text_of, words_in

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
LINKS = Links("https://bottomline.example", HmacTokenSigner(["s" * 32]))
COMPOSER = Composer(LINKS, "Bottomline <hello@bottomline.example>", "Bottomline", "https://bottomline.example/help")
MAILS = {
    kind: Mail(UUID(int=7), kind, EmailAddress("ann@example.org"), NOW, UUID(int=8), NOW, "Ζεύς", "bob")
    for kind in MailKind
}


@pytest.fixture
async def smtp_mailer(smtp_sink: SmtpSink) -> AsyncIterator[SmtpMailer]:
    mailer = SmtpMailer(SmtpServer.parse(smtp_sink.url), COMPOSER)
    yield mailer
    await mailer.close()


@pytest.fixture(params=["files", "smtp"])
def mailer(
    request: pytest.FixtureRequest, tmp_path: Path, smtp_sink: SmtpSink, smtp_mailer: SmtpMailer
) -> tuple[Mailer, Callable[[], EmailMessage]]:
    """A mailer, and what it sent last."""
    if request.param == "smtp":
        return smtp_mailer, lambda: smtp_sink.taken[-1]

    def newest() -> EmailMessage:
        (file,) = tmp_path.glob("*.eml")
        message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        return message

    return FileMailer(tmp_path, COMPOSER, lambda _: None), newest


@pytest.mark.parametrize("kind", MailKind)
async def test_a_mail_arrives_whole(mailer: tuple[Mailer, Callable[[], EmailMessage]], kind: MailKind) -> None:
    send, newest = mailer[0].send, mailer[1]
    await send(MAILS[kind])
    message = newest()
    assert message["To"] == "ann@example.org"
    assert message["From"] == "Bottomline <hello@bottomline.example>"
    assert message["Message-ID"] == f"<{UUID(int=7)}@bottomline.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    for text in (words_in(text_of(message)), html_of(message)):
        assert COMPOSER.compose(MAILS[kind]).link in text
        assert any(way_out in text for way_out in ("ignore this mail", "If it was not you", "nothing for you to do"))
        assert "https://bottomline.example/help" in text
        assert ("Ζεύς" in text) is (kind is not MailKind.INVITE)


async def test_sending_again_is_the_same_mail_to_whoever_looks_at_its_id(
    mailer: tuple[Mailer, Callable[[], EmailMessage]],
) -> None:
    send, newest = mailer[0].send, mailer[1]
    await send(MAILS[MailKind.CONFIRMATION])
    first = newest()
    await send(MAILS[MailKind.CONFIRMATION])
    again = newest()
    for header in ("X-Peer", "X-MailFrom", "X-RcptTo"):
        del first[header], again[header]
    assert again.as_bytes() == first.as_bytes()


async def test_a_slow_disk_holds_up_nobody_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    is_synced = Event()
    monkeypatch.setattr(os, "fsync", lambda _: is_synced.wait(5))
    sending = asyncio.create_task(FileMailer(tmp_path, COMPOSER, lambda _: None).send(MAILS[MailKind.CONFIRMATION]))
    await asyncio.sleep(0.05)
    assert not sending.done()
    is_synced.set()
    await sending


@pytest.mark.parametrize("answer", ["451 later", "421 going down", "452 full"])
async def test_a_temporary_refusal_defers(smtp_mailer: SmtpMailer, smtp_sink: SmtpSink, answer: str) -> None:
    smtp_sink.answer = answer
    with pytest.raises(MailDeferred, match=answer[:3]):
        await smtp_mailer.send(MAILS[MailKind.CONFIRMATION])


async def test_a_final_refusal_refuses(smtp_mailer: SmtpMailer, smtp_sink: SmtpSink) -> None:
    smtp_sink.answer = "554 no thanks"
    with pytest.raises(MailRefused, match="554 no thanks"):
        await smtp_mailer.send(MAILS[MailKind.CONFIRMATION])


@pytest.mark.parametrize(
    ("answer", "expected"), [("550 no such user", MailRefused), ("450 mailbox busy", MailDeferred)]
)
async def test_a_recipient_can_be_refused_too(
    smtp_mailer: SmtpMailer, smtp_sink: SmtpSink, answer: str, expected: type[Exception]
) -> None:
    smtp_sink.to_recipient = answer
    with pytest.raises(expected, match=answer):
        await smtp_mailer.send(MAILS[MailKind.CONFIRMATION])


async def test_a_reason_that_is_not_utf_8_can_be_noted_all_the_same(
    smtp_mailer: SmtpMailer, smtp_sink: SmtpSink
) -> None:
    smtp_sink.to_recipient = "550 Empfänger unbekannt\x00"
    with pytest.raises(MailRefused, match="550 Empf nger unbekannt") as refusal:
        await smtp_mailer.send(MAILS[MailKind.CONFIRMATION])
    assert str(refusal.value).isprintable()


async def test_a_server_that_refuses_our_sender_says_nothing_about_the_mail(
    smtp_mailer: SmtpMailer, smtp_sink: SmtpSink
) -> None:
    smtp_sink.to_sender = "550 who are you"
    with pytest.raises(MailDeferred, match="550"):
        await smtp_mailer.send(MAILS[MailKind.CONFIRMATION])


async def test_no_server_defers() -> None:
    port = LoopbackPort()
    with pytest.raises(MailDeferred):
        await SmtpMailer(SmtpServer("127.0.0.1", port.number), COMPOSER).send(MAILS[MailKind.CONFIRMATION])
    port.release()


async def test_a_folder_that_cannot_be_written_defers(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("a file in the way")
    with pytest.raises(MailDeferred):
        await FileMailer(tmp_path / "mail", COMPOSER, lambda _: None).send(MAILS[MailKind.CONFIRMATION])


async def test_a_line_that_begins_with_a_dot_stays_as_it_is(smtp_sink: SmtpSink) -> None:
    mailer = SmtpMailer(SmtpServer.parse(smtp_sink.url), replace(COMPOSER, brand=".dots"))
    await mailer.send(MAILS[MailKind.CONFIRMATION])
    await mailer.close()
    assert ".dots" in text_of(smtp_sink.taken[0]).splitlines()


@pytest.mark.parametrize("evil", ["\r\nBcc: eve@example.org", "\nX: y", "\x00", "\u2028Bcc: eve@example.org"])
async def test_no_field_smuggles_a_header(smtp_mailer: SmtpMailer, smtp_sink: SmtpSink, evil: str) -> None:
    mail = Mail(
        UUID(int=7), MailKind.INVITE, EmailAddress("ann@example.org"), NOW, UUID(int=8), NOW, None, f"bob{evil}"
    )
    try:
        await smtp_mailer.send(mail)
    except MailRefused:
        assert smtp_sink.taken == []
        return
    (message,) = smtp_sink.taken
    assert message["Bcc"] is None
    assert message["X"] is None


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail", SmtpServer("mail", 25)),
        ("smtp://mail:1025", SmtpServer("mail", 1025)),
        ("smtps://u:p%40ss@mail", SmtpServer("mail", 465, "u", "p@ss", tls=True, starttls=False)),
        ("smtp+starttls://u:p@mail", SmtpServer("mail", 587, "u", "p", starttls=True)),
    ],
)
def test_an_address_of_a_server_is_read(url: str, server: SmtpServer) -> None:
    assert SmtpServer.parse(url) == server


def test_a_servers_password_is_not_shown() -> None:
    assert "hunter2" not in repr(SmtpServer.parse("smtp://u:hunter2@mail"))
