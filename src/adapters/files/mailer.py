"""Mails as files, for a run without a mail server."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

from adapters.mime.compose import Composer
from application.ports import MailDeferred
from domain.mail import Mail


class FileMailer:
    """Writes each mail into `folder` as `<id>.eml`, whole or not at all, and tells `announce` of it in one line.

    Sending a mail again writes the same file again.
    """

    def __init__(self, folder: Path, composer: Composer, announce: Callable[[str], None]) -> None:
        self._folder = folder
        self._composer = composer
        self._announce = announce

    async def send(self, mail: Mail) -> None:
        """Return once the file is on disk. Raises MailDeferred where it cannot be written, MailRefused."""
        composed = self._composer.compose(mail)
        try:
            await asyncio.to_thread(self._write, f"{mail.id}.eml", composed.message.as_bytes())
        except OSError as error:
            raise MailDeferred(f"cannot write to {self._folder}: {error}") from error
        self._announce(f"Mail to {mail.to}: {composed.subject} {composed.link}")

    def _write(self, name: str, content: bytes) -> None:
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        unfinished = self._folder / f".{name}.part"
        with unfinished.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self._folder / name)
        folder = os.open(self._folder, os.O_RDONLY)
        try:
            os.fsync(folder)  # or a power cut could take the name, and the mail counts as sent
        finally:
            os.close(folder)
