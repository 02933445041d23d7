"""To whom mails and the password are shown: certificates, STARTTLS and log-ins."""

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from adapters.smtp.mailer import SmtpMailer, SmtpServer
from application.ports import MailDeferred
from domain.mail import MailKind
from tests.integration.contracts.test_mailers import COMPOSER, MAILS
from tests.integration.smtp_sink import SmtpSink
from tests.tls import certify

MAIL = MAILS[MailKind.CONFIRMATION]
ENCRYPTED = ["smtps", "smtp+starttls"]


def identity(file: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """The identity of a server that SSL_CERT_FILE vouches for."""
    file = certify(tmp_path, "127.0.0.1")
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    return identity(file)


@pytest.fixture
async def sending() -> AsyncIterator[Callable[[str], SmtpMailer]]:
    """Makes mailers, which are closed at the end."""
    async with AsyncExitStack() as stack:

        def open_mailer(url: str) -> SmtpMailer:
            mailer = SmtpMailer(SmtpServer.parse(url), COMPOSER)
            stack.push_async_callback(mailer.close)
            return mailer

        yield open_mailer


def sink(scheme: str, who: ssl.SSLContext, password: str | None = None) -> SmtpSink:
    return SmtpSink(
        tls=who if scheme == "smtps" else None, starttls=who if scheme != "smtps" else None, password=password
    )


@pytest.mark.parametrize("scheme", [*ENCRYPTED, "smtp"])
async def test_a_server_that_is_vouched_for_gets_the_mail(
    sending: Callable[[str], SmtpMailer], trusted: ssl.SSLContext, scheme: str
) -> None:
    with sink(scheme, trusted) as server:
        mailer = sending(f"{scheme}://{server.place}")
        for _ in range(2):
            await mailer.send(MAIL)
        assert server.encrypted == [True, True]
        assert server.connections == 1


@pytest.mark.parametrize("scheme", [*ENCRYPTED, "smtp"])
async def test_a_server_that_nobody_vouches_for_gets_neither_mail_nor_password(
    sending: Callable[[str], SmtpMailer], tmp_path: Path, scheme: str
) -> None:
    with sink(scheme, identity(certify(tmp_path, "127.0.0.1")), "right") as server:
        with pytest.raises(MailDeferred, match="CERTIFICATE_VERIFY_FAILED"):
            await sending(f"{scheme}://ann:right@{server.place}").send(MAIL)
        assert set(server.heard) <= {"EHLO"}


@pytest.mark.parametrize("scheme", ENCRYPTED)
async def test_a_certificate_for_another_host_is_none(
    sending: Callable[[str], SmtpMailer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, scheme: str
) -> None:
    file = certify(tmp_path, "127.0.0.2")
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    with sink(scheme, identity(file)) as server:
        with pytest.raises(MailDeferred, match=r"certificate is not valid for '127\.0\.0\.1'"):
            await sending(f"{scheme}://{server.place}").send(MAIL)
        assert set(server.heard) <= {"EHLO"}


@pytest.mark.parametrize("scheme", ENCRYPTED)
async def test_a_connection_logs_in_once(
    sending: Callable[[str], SmtpMailer], trusted: ssl.SSLContext, scheme: str
) -> None:
    with sink(scheme, trusted, "p@ss") as server:
        mailer = sending(f"{scheme}://ann:p%40ss@{server.place}")
        for _ in range(2):
            await mailer.send(MAIL)
        assert [word for word in server.heard if word.startswith("AUTH")] == ["AUTH ann:p@ss"]
        assert len(server.taken) == 2


@pytest.mark.parametrize("scheme", ENCRYPTED)
async def test_a_log_in_that_is_refused_says_nothing_about_the_mail(
    sending: Callable[[str], SmtpMailer], trusted: ssl.SSLContext, scheme: str
) -> None:
    with sink(scheme, trusted, "right") as server:
        with pytest.raises(MailDeferred, match="535"):
            await sending(f"{scheme}://ann:wrong@{server.place}").send(MAIL)
        assert "MAIL" not in server.heard


async def test_without_the_starttls_that_is_asked_for_there_is_neither_log_in_nor_mail(
    sending: Callable[[str], SmtpMailer],
) -> None:
    with SmtpSink(password="right") as server:
        with pytest.raises(MailDeferred, match="STARTTLS"):
            await sending(f"smtp+starttls://ann:right@{server.place}").send(MAIL)
        assert server.heard == ["EHLO"]
