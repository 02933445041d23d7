"""Deliver mails."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from application.delivery.backoff import backoff
from application.ports import Begin, Clock, MailDeferred, Mailer, MailRefused, MailUnanswered, Unavailable
from domain.mail import Mail, MailKind

log = logging.getLogger(__name__)
BATCH = 16
LEASE = timedelta(seconds=25)
"""More than a mailer takes at most; so long does a mail wait whose worker has died."""
PATIENCE = timedelta(hours=24)
UNANSWERED = timedelta(hours=6)
"""Between two tries of a mail that the server was given, and may send: each may be a copy more for its reader."""


@dataclass(frozen=True, slots=True)
class DeliverMails:
    """Send the mails that are due. One that is noted as sent is never sent again.

    SMTP knows no idempotency: a mail goes out twice only where the server's word that it took the first, or our note
    of that word, was lost. A mail whose link would not work any more is not sent.
    """

    begin: Begin
    read: Begin
    mailer: Mailer
    clock: Clock
    chance: Callable[[], float]

    async def __call__(self) -> int:
        """Send one batch; how many mails it had."""
        now = self.clock.now()
        until = now + LEASE
        async with self.begin() as work:
            mails = await work.mails.lease(BATCH, at=now, until=until)
        outcomes = await asyncio.gather(*(self._deliver(mail, until) for mail in mails), return_exceptions=True)
        if faults := [outcome for outcome in outcomes if outcome is not None]:
            raise faults[0]
        return len(mails)

    async def _deliver(self, mail: Mail, until: datetime) -> None:
        if not await self._is_wanted(mail):
            await self._fail(mail, "its link cannot be used any more")
            return
        try:
            await self.mailer.send(mail)
        except MailRefused as refusal:
            await self._fail(mail, str(refusal))
        except MailDeferred as deferral:
            await self._postpone(mail, deferral)
        else:
            await self._note_sent(mail, until)

    async def _note_sent(self, mail: Mail, until: datetime) -> None:
        """Note it while the lease lasts, however often the record must be asked: else it would go out again."""
        while True:
            try:
                async with self.begin() as work:
                    await work.mails.mark_sent(mail.id, self.clock.now())
            except Unavailable:
                if self.clock.now() >= until:
                    break
                await asyncio.sleep(1)
            else:
                return
        log.error("mail %s was sent, but that could not be noted: it will go out again", mail.id)

    async def _is_wanted(self, mail: Mail) -> bool:
        if mail.link_id is None:
            return True
        now = self.clock.now()
        async with self.read() as work:
            if mail.kind is MailKind.INVITE:
                invite = await work.invites.get(mail.link_id)
                return invite is not None and invite.is_open(now)
            token = await work.tokens.get(mail.link_id)
            return token is not None and token.is_usable(now)

    async def _postpone(self, mail: Mail, deferral: MailDeferred) -> None:
        now, reason = self.clock.now(), str(deferral)
        if now - mail.created_at > PATIENCE:
            await self._fail(mail, f"given up after {PATIENCE.total_seconds() / 3600:.0f} hours: {reason}")
            return
        log.warning("mail %s (%s) is put off: %s", mail.id, mail.kind, reason)
        async with self.begin() as work:
            await work.mails.postpone(mail, now + self._wait(mail, deferral), reason)

    def _wait(self, mail: Mail, deferral: MailDeferred) -> timedelta:
        """A server that is slow with one mail gets it a second time soon, but not hundreds of times."""
        if isinstance(deferral, MailUnanswered) and mail.attempts > 1:
            return UNANSWERED
        return backoff(mail.attempts, self.chance())

    async def _fail(self, mail: Mail, reason: str) -> None:
        log.warning("mail %s (%s) is not sent: %s", mail.id, mail.kind, reason)
        async with self.begin() as work:
            await work.mails.mark_failed(mail, reason)
