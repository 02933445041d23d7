"""Connections to an SMTP server that are kept for the next letter."""

import asyncio
from collections.abc import Callable

from aiosmtplib import SMTP, SMTPException

from adapters.smtp.connection import Letter, SmtpConnection, is_refusal

AT_MOST = 8
IDLE = 15.0
"""Seconds that a connection is kept without a letter: less than servers wait for one."""


class SmtpConnections:
    """Hands letters in over 8 connections at most, over each one at a time; who finds none free waits for a turn."""

    def __init__(self, connect: Callable[[], SMTP]) -> None:
        self._connect = connect
        self._turns = asyncio.Semaphore(AT_MOST)
        self._idle: dict[SmtpConnection, asyncio.TimerHandle] = {}
        self._farewells: set[asyncio.Task[None]] = set()
        self._is_closed = False

    async def hand_in(self, letter: Letter) -> None:
        """Return once the server has answered 250 to the content.

        A kept connection may prove to be of no use any more: as long as no content has been sent, the letter is tried
        once more, over a new one. Raises aiosmtplib's exceptions and OSError; SMTPRecipientRefused and SMTPDataError
        are answers to the letter itself.
        """
        async with self._turns:
            if kept := self._take():
                try:
                    return await self._hand_in_over(kept, letter)
                except (SMTPException, OSError) as fault:
                    if letter.has_begun or is_refusal(fault):
                        raise
            smtp = self._connect()
            await smtp.connect()
            return await self._hand_in_over(SmtpConnection(smtp), letter)

    async def close(self) -> None:
        """Say goodbye over what is idle; what is in use is not kept afterwards."""
        self._is_closed = True
        while connection := self._take():
            self._part_from(connection)
        await asyncio.gather(*self._farewells)

    async def _hand_in_over(self, connection: SmtpConnection, letter: Letter) -> None:
        try:
            await connection.hand_in(letter)
        except BaseException as fault:
            if is_refusal(fault):
                self._keep(connection)
            else:
                connection.drop()
            raise
        self._keep(connection)

    def _take(self) -> SmtpConnection | None:
        if not self._idle:
            return None
        connection, expiry = self._idle.popitem()
        expiry.cancel()
        return connection

    def _keep(self, connection: SmtpConnection) -> None:
        if self._is_closed or connection.is_spent:
            self._part_from(connection)
        else:
            self._idle[connection] = asyncio.get_running_loop().call_later(IDLE, self._expire, connection)

    def _expire(self, connection: SmtpConnection) -> None:
        del self._idle[connection]
        self._part_from(connection)

    def _part_from(self, connection: SmtpConnection) -> None:
        """Beside the caller: whose mail is sent must not wait for anything that could fail or be cancelled."""
        farewell = asyncio.create_task(connection.quit())
        self._farewells.add(farewell)
        farewell.add_done_callback(self._farewells.discard)
