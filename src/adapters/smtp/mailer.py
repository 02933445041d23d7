"""Mails handed to an SMTP server."""

import asyncio
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

import aiosmtplib

from adapters.mime.compose import Composer
from adapters.smtp.connection import HeedingSmtp, Letter
from adapters.smtp.connections import SmtpConnections
from application.ports import MailDeferred, MailRefused, MailUnanswered
from domain.mail import Mail

COMMAND = 10.0
WHOLE = 20.0
"""Seconds for one command, and for one mail: less than `DeliverMails` leases it for, or another worker sends it too."""
_PERMANENT = range(500, 600)


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where to hand mails in. `tls` from the first byte (smtps://), `starttls` by upgrade where it is required."""

    host: str
    port: int
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    starttls: bool | None = None

    @classmethod
    def parse(cls, url: str) -> "SmtpServer":
        """Read `smtp://[user:password@]host[:port]`, `smtps://…` or `smtp+starttls://…`. Raises ValueError.

        With `smtp://`, STARTTLS is used where the server offers it, as mail clients do.
        """
        parts = urlsplit(url)
        if parts.scheme not in {"smtp", "smtps", "smtp+starttls"} or not parts.hostname:
            raise ValueError("use smtp://, smtps:// or smtp+starttls://, with a host")
        tls = parts.scheme == "smtps"
        starttls = True if parts.scheme == "smtp+starttls" else (False if tls else None)
        default = {"smtp": 25, "smtps": 465, "smtp+starttls": 587}[parts.scheme]
        return cls(
            host=parts.hostname,
            port=parts.port or default,
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            tls=tls,
            starttls=starttls,
        )


class SmtpMailer:
    """Hands mails in over kept connections; a mail counts as sent once the server has answered 250 to its data."""

    def __init__(self, server: SmtpServer, composer: Composer) -> None:
        self._host = server.host
        self._composer = composer
        self._connections = SmtpConnections(lambda: connect(server))

    async def send(self, mail: Mail) -> None:
        """Return once the server has taken the mail.

        Raises MailRefused where it says 5xx to the recipient or the data, MailUnanswered where it says nothing to the
        data in time, MailDeferred for everything else: a server that refuses us, our log-in or our sender says nothing
        about the mail, and one that goes away amid its data has hardly taken it.
        """
        message = self._composer.compose(mail).message
        letter = Letter(message["From"].addresses[0].addr_spec, mail.to.address, message.as_bytes())
        try:
            async with asyncio.timeout(WHOLE):
                await self._connections.hand_in(letter)
        except (aiosmtplib.SMTPRecipientRefused, aiosmtplib.SMTPDataError) as refusal:
            raise _answered(refusal) from refusal
        except (aiosmtplib.SMTPException, OSError) as fault:
            if letter.has_begun and isinstance(fault, TimeoutError):
                raise MailUnanswered(f"{self._host}: no answer to the content in time, so it may be sent") from fault
            raise MailDeferred(f"{self._host}: {fault!r}") from fault

    async def close(self) -> None:
        """Let go of the connections."""
        await self._connections.close()


def connect(server: SmtpServer) -> aiosmtplib.SMTP:
    """A connection to enter: greeted, encrypted and logged in as the address says.

    Who the server is must be shown by a certificate that this machine's CAs, or those of SSL_CERT_FILE, vouch for.
    """
    return HeedingSmtp(
        hostname=server.host,
        port=server.port,
        username=server.username,
        password=server.password,
        use_tls=server.tls,
        start_tls=server.starttls,
        timeout=COMMAND,
    )


def _answered(refusal: aiosmtplib.SMTPResponseException) -> MailDeferred | MailRefused:
    """What is to be thought of an answer to the recipient or the data: only these are about the mail itself."""
    message = "".join(character if character.isprintable() else " " for character in refusal.message)
    reason = f"the mail server answered {refusal.code} {message}"
    return MailRefused(reason) if refusal.code in _PERMANENT else MailDeferred(reason)
