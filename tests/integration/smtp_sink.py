"""An SMTP server that keeps the mails it takes, and answers as it is told."""

import email
import email.policy
from email.message import EmailMessage
from typing import Any, Self

from aiosmtpd.controller import Controller

from tests.integration.servers.ports import LoopbackPort


class SmtpSink:
    """Listens on a free loopback port. `answer` is what it says to the data of a mail, `taken` what it said 250 to."""

    def __init__(self) -> None:
        self.answer = "250 taken"
        self.to_recipient = "250 known"
        self.to_sender = "250 welcome"
        self.taken: list[EmailMessage] = []
        self._port = LoopbackPort()
        self._controller = Controller(self, hostname="127.0.0.1", port=self._port.number)

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self._port.number}"

    def to(self, address: str) -> list[EmailMessage]:
        """The mails to an address, oldest first."""
        return [mail for mail in self.taken if mail["To"] == address]

    async def handle_MAIL(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if self.to_sender.startswith("250"):
            envelope.mail_from = address
        return self.to_sender

    async def handle_RCPT(  # noqa: N802
        self, server: Any, session: Any, envelope: Any, address: str, options: list[str]
    ) -> str:
        if self.to_recipient.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.to_recipient

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.answer.startswith("250"):
            message = email.message_from_bytes(envelope.content, policy=email.policy.default)
            assert isinstance(message, EmailMessage)
            self.taken.append(message)
        return self.answer

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._controller.stop()
        self._port.release()
