"""An SMTP server that keeps the mails it takes, and answers as it is told."""

import asyncio
import email
import email.policy
import ssl
from email.message import EmailMessage
from threading import Event
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from tests.integration.servers.ports import LoopbackPort


class SmtpSink:
    """Listens on a free loopback port. `answer` is what it says to the data of a mail, `taken` what it said 250 to.

    `tls` encrypts from the first byte, `starttls` offers to; `password` is what it asks for, of whatever user.
    """

    def __init__(
        self, *, tls: ssl.SSLContext | None = None, starttls: ssl.SSLContext | None = None, password: str | None = None
    ) -> None:
        self.answer = "250 taken"
        self.to_recipient = "250 known"
        self.to_sender = "250 welcome"
        self.taken: list[EmailMessage] = []
        self.mails_a_connection = 1_000
        self.enough_at = "MAIL"
        """The command of the next one to which it says 421."""
        self.delays: dict[str, float] = {}
        """Seconds that it takes to answer a command, by its name; those to DATA are after the content."""
        self.heard: list[str] = []
        """Names of commands, AUTH with what was shown."""
        self.encrypted: list[bool] = []
        """Of each mail it was offered."""
        self._clients: dict[Any, Any] = {}
        self._port = LoopbackPort()
        self._options: dict[str, Any] = {"ssl_context": tls, "tls_context": starttls}
        if password is not None:
            self._options |= {"authenticator": self._authenticate, "auth_require_tls": False}
        self._password = password

    @property
    def url(self) -> str:
        return f"smtp://{self.place}"

    @property
    def place(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self._port.number}"

    @property
    def connections(self) -> int:
        """How many said hello."""
        return len(self._clients)

    @property
    def open_connections(self) -> int:
        """How many of them nobody has closed."""
        return sum(server.transport is not None for server in self._clients.values())

    def to(self, address: str) -> list[EmailMessage]:
        """The mails to an address, oldest first."""
        return [mail for mail in self.taken if mail["To"] == address]

    def hang_up(self) -> None:
        """Close all connections, as servers do with idle ones; its clients have not noticed yet when this returns."""
        done = Event()

        def abort_all() -> None:
            for server in self._clients.values():
                if server.transport:
                    server.transport.abort()
            self._controller.loop.call_soon(done.set)

        self._controller.loop.call_soon_threadsafe(abort_all)
        assert done.wait(5)

    def start(self) -> None:
        self._controller = Controller(self, hostname="127.0.0.1", port=self._port.number, **self._options)
        self._controller.start()

    def stop(self) -> None:
        self.hang_up()
        self._controller.stop()

    async def handle_EHLO(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        self._clients[session.peer] = server
        await self._hear("EHLO")
        return responses

    async def handle_MAIL(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        await self._hear("MAIL")
        self.encrypted.append(server.transport.get_extra_info("sslcontext") is not None)
        session.mails = getattr(session, "mails", 0) + 1
        if session.mails > self.mails_a_connection and self.enough_at == "MAIL":
            return "421 enough for today"
        if self.to_sender.startswith("250"):
            envelope.mail_from = address
        return self.to_sender

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> bytes:
        await self._hear("RCPT")
        if session.mails > self.mails_a_connection and self.enough_at == "RCPT":
            return b"421 enough for today"
        if self.to_recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.to_recipient.encode("latin-1")

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        answer = self.answer
        await self._hear("DATA")
        if answer.startswith("250"):
            message = email.message_from_bytes(envelope.content, policy=email.policy.default)
            assert isinstance(message, EmailMessage)
            self.taken.append(message)
        return answer

    async def handle_QUIT(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        await self._hear("QUIT")
        return "221 bye"

    async def _hear(self, command: str) -> None:
        self.heard.append(command)
        await asyncio.sleep(self.delays.get(command, 0))

    def _authenticate(self, server: Any, session: Any, envelope: Any, mechanism: str, shown: Any) -> AuthResult:
        self.heard.append(f"AUTH {shown.login.decode()}:{shown.password.decode()}")
        return AuthResult(success=shown.password.decode() == self._password, handled=False)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()
        self._port.release()
