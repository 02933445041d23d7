"""The mails that lie in a folder, for a run without a mail server."""

import asyncio
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from uuid import UUID

LARGEST = 1024 * 1024
"""Bytes; what we write has a few thousand."""
_NAME = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.eml")
_LINK = re.compile(r"https?://\S+")
_SIGNATURE = "\n-- \n"


@dataclass(frozen=True, slots=True)
class KeptMail:
    """A mail as its reader sees it. `link` is the one to follow; `html` is None where the mail is text alone."""

    id: UUID
    to: str
    subject: str
    at: datetime
    link: str | None = field(repr=False)
    text: str = field(repr=False)
    html: str | None = field(repr=False)


class FileMailbox:
    """Reads what FileMailer has written into `folder`.

    Whatever else lies there is left out: other names, links to other places, and files that cannot be read as mails.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[tuple[str, int], KeptMail | None] = {}

    async def newest(self, limit: int) -> Sequence[KeptMail]:
        """The mails that were sent last, newest first."""
        return await asyncio.to_thread(self._newest, limit)

    async def get(self, id: UUID) -> KeptMail | None:
        """The mail of this id."""
        return await asyncio.to_thread(self._get, id)

    def _newest(self, limit: int) -> Sequence[KeptMail]:
        """Parse what has not been parsed before; what is not listed any more is forgotten."""
        newest = sorted(self._files(), key=lambda file: (file[1], file[0]), reverse=True)[:limit]
        self._read = {
            file: self._read[file] if file in self._read else _parsed(self._folder / file[0]) for file in newest
        }
        return [mail for mail in self._read.values() if mail]

    def _files(self) -> Iterator[tuple[str, int]]:
        """Names and times of the files that may be mails; none where there is no folder yet."""
        try:
            with os.scandir(self._folder) as entries:
                for entry in entries:
                    if _NAME.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                        yield entry.name, entry.stat(follow_symlinks=False).st_mtime_ns
        except OSError:
            return

    def _get(self, id: UUID) -> KeptMail | None:
        file = self._folder / f"{id}.eml"
        return None if file.is_symlink() else _parsed(file)


def _parsed(file: Path) -> KeptMail | None:
    """The mail in a file; None where it cannot be read as one."""
    try:
        with file.open("rb") as opened:
            content = opened.read(LARGEST + 1)
        if len(content) > LARGEST:
            return None
        return _mail(UUID(file.stem), message_from_bytes(content, _class=EmailMessage, policy=default))
    except Exception:  # noqa: BLE001  the standard library raises what it likes on what is no mail
        return None


def _mail(id: UUID, message: EmailMessage) -> KeptMail:
    text, at = _part(message, "plain"), message["Date"].datetime
    if text is None or at is None:
        raise ValueError("a mail without text or time is none of ours")
    return KeptMail(
        id,
        to=str(message["To"]),
        subject=str(message["Subject"]),
        at=at,
        link=_link(text),
        text=text,
        html=_part(message, "html"),
    )


def _part(message: EmailMessage, subtype: str) -> str | None:
    found = message.get_body((subtype,))
    return None if found is None else str(found.get_content()).replace("\r\n", "\n")


def _link(text: str) -> str | None:
    """The link that brings a token along in its fragment, if there is one; else the first, above the signature."""
    links = _LINK.findall(text.partition(_SIGNATURE)[0])
    return next((link for link in links if "#" in link), links[0] if links else None)
