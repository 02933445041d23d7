"""A connection to an SMTP server that takes one letter after the other."""

import asyncio
import re
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal, cast

from aiosmtplib import (
    SMTP,
    SMTPDataError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPResponse,
    SMTPServerDisconnected,
    SMTPStatus,
)
from aiosmtplib.protocol import normalize_message_line_endings
from aiosmtplib.typing import Default

LETTERS = 100
"""Over one connection; servers close it after some number of them."""
CONTENT = 15.0
"""Seconds that the server has to say what it does with the content: it may look through it first."""
_FAREWELL = 1.0


@dataclass(eq=False, slots=True)
class Letter:
    """What SMTP needs of a mail: its envelope, and what is in it."""

    sender: str
    recipient: str
    content: bytes
    has_begun: bool = False
    """Whether the server was given its content, and may have taken it, whatever became of the answer."""


class HeedingSmtp(SMTP):
    """Heeds a cancellation or time-out that comes with an answer: `asyncio.wait_for` swallows it in Python 3.11."""

    async def execute_command(
        self, *args: bytes, timeout: float | Literal[Default.token] | None = Default.token
    ) -> SMTPResponse:
        """As everywhere, but nothing more is said once it is to end."""
        try:
            return await super().execute_command(*args, timeout=timeout)
        finally:
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise asyncio.CancelledError


class SmtpConnection:
    """One connection, greeted and logged in."""

    def __init__(self, smtp: SMTP) -> None:
        self._smtp = smtp
        self._transport = cast("asyncio.Transport | None", smtp.transport)
        self._letters = 0
        self._is_amid_letter = False

    @property
    def is_spent(self) -> bool:
        """Whether it has had all the letters it may have."""
        return self._letters >= LETTERS

    async def hand_in(self, letter: Letter) -> None:
        """Return once the server has answered 250 to the content; what an earlier letter left undone is forgotten."""
        self._letters += 1
        if self._is_amid_letter:
            await self._smtp.rset()
        self._is_amid_letter = True
        await self._smtp.mail(letter.sender)
        await self._smtp.rcpt(letter.recipient)
        answer = await self._smtp.execute_command(b"DATA")
        if answer.code != SMTPStatus.start_input:
            raise SMTPDataError(answer.code, answer.message)
        await self._send_content(letter)
        self._is_amid_letter = False

    async def _send_content(self, letter: Letter) -> None:
        """As `aiosmtplib.SMTP.data`, which does not tell whether it failed before or after it had begun."""
        if (protocol := self._smtp.protocol) is None:
            raise SMTPServerDisconnected("Connection lost")
        dot_stuffed = re.sub(rb"(?m)^\.", b"..", normalize_message_line_endings(letter.content))
        letter.has_begun = True
        protocol.write(dot_stuffed + b".\r\n")
        answer = await protocol.read_response(timeout=CONTENT)
        if answer.code != SMTPStatus.completed:
            raise SMTPDataError(answer.code, answer.message)

    async def quit(self) -> None:
        """Say goodbye, and close whatever comes of it."""
        try:
            with suppress(SMTPException, OSError):
                await self._smtp.quit(timeout=_FAREWELL)
        finally:
            self.drop()

    def drop(self) -> None:
        """Close without a word. Closing in good order would first send what still waits to be sent."""
        if self._transport is not None:
            self._transport.abort()


def is_refusal(fault: BaseException) -> bool:
    """Whether it is an answer to the letter, after which the connection goes on: not after 421 (RFC 5321, 3.8)."""
    return isinstance(fault, SMTPRecipientRefused | SMTPDataError) and fault.code != SMTPStatus.domain_unavailable
