"""The two ways to run Bottomline, alike for a test that walks through it."""

import asyncio
import email
import email.policy
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

from application.ports import Unavailable
from domain.invite import InviteTerms
from domain.token import Purpose
from domain.user import Role
from entrypoints.container import opened
from entrypoints.settings import read_settings
from tests.integration.processes import QUICK, Process, WebProcess
from tests.integration.smtp_sink import SmtpSink
from tests.mails import text_of


@dataclass
class World:
    """A running Bottomline: its web process, its worker if it has one, its settings, and the mails it has sent."""

    web: WebProcess
    worker: Process | None
    folder: Path
    settings: dict[str, str]
    mails: Callable[[str], list[str]]
    """The texts of the mails to an address, oldest first."""

    async def mailed(self, address: str, what: str, number: int = 1) -> str:
        """The token after `#what=` in the nth mail with one to an address, waited for."""
        async with asyncio.timeout(15):
            while True:
                tokens = [found[1] for text in self.mails(address) for found in re.finditer(rf"#{what}=(\S+)", text)]
                if len(tokens) >= number:
                    return tokens[number - 1]
                await asyncio.sleep(0.02)

    async def command(self, *arguments: str) -> tuple[int, list[str]]:
        """Run a command beside the service; its exit status and what it printed."""
        async with Process(*arguments, folder=self.folder, settings=self.settings) as process:
            return await process.ended(), process.lines

    async def an_invite(self, claims: int = 1, role: Role = Role.MEMBER) -> str:
        """The token of an invite, issued as `bottomline invite create` does, without the time that a process takes.

        A machine that stands still for a second is waited for: the test is about something else.
        """
        async with asyncio.timeout(20):
            while True:
                with suppress(Unavailable):
                    return await self._issued(InviteTerms(max_claims=claims, role=role))

    async def _issued(self, terms: InviteTerms) -> str:
        settings = read_settings({"BOTTOMLINE_DATA_DIR": str(self.folder / "var"), **self.settings})
        async with opened(settings, announce=lambda _: None) as container:
            invite = await container.issue_invite()(terms=terms, by=None)
            return container.signer().sign(Purpose.INVITE, invite.id)


@asynccontextmanager
async def embedded(folder: Path, **others: str) -> AsyncIterator[World]:
    """One process, no server, quick or as `others` sets it."""
    mail = folder / "var" / "mail"

    def texts(address: str) -> list[str]:
        files = sorted(mail.glob("*.eml")) if mail.exists() else []
        messages = [read_mail(file) for file in files]
        return [text_of(message) for message in messages if message["To"] == address]

    settings = {**QUICK, **others}
    async with WebProcess(folder, settings) as web:
        yield World(web, None, folder, {**settings, "BOTTOMLINE_PUBLIC_URL": web.url}, texts)


@asynccontextmanager
async def on_servers(folder: Path, postgres: str, redis: str, rabbitmq: str, sink: SmtpSink) -> AsyncIterator[World]:
    """Web process and worker on Postgres, Redis, RabbitMQ and SMTP."""
    settings = settings_on_servers(postgres, redis, rabbitmq, sink.url)

    def texts(address: str) -> list[str]:
        return [text_of(mail) for mail in sink.to(address)]

    worker = Process("worker", folder=folder, settings=settings)
    async with WebProcess(folder, settings) as web, worker:
        yield World(web, worker, folder, {**settings, "BOTTOMLINE_PUBLIC_URL": web.url}, texts)


def settings_on_servers(postgres: str, redis: str, rabbitmq: str, smtp: str) -> dict[str, str]:
    """The settings of web process and worker."""
    return {
        **QUICK,
        "BOTTOMLINE_DATABASE_URL": postgres,
        "BOTTOMLINE_REDIS_URL": redis,
        "BOTTOMLINE_RABBITMQ_URL": rabbitmq,
        "BOTTOMLINE_SMTP_URL": smtp,
        "BOTTOMLINE_SECRET_KEYS": "a secret of at least thirty-two characters",
    }


def read_mail(file: Path) -> EmailMessage:
    """A mail that the embedded run has written."""
    message = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message
