"""Passwords known from breaches, in a file."""

import asyncio
import hashlib
import os
import re
from pathlib import Path
from typing import BinaryIO

from application.ports import Unavailable
from domain.password import NewPassword

LONGEST_LINE = 64
"""Bytes; a line is 40 digits, a colon, a count and its end."""
_LINE = re.compile(rb"([0-9A-Fa-f]{40}):[0-9]+\r?\n?")


class BreachedPasswordsFileDamaged(Exception):
    """The file is not what it should be; the message says where."""


class FileBreachedPasswords:
    """The SHA-1 list of Pwned Passwords, ordered by hash: lines of `HASH:count`, tens of gigabytes.

    It is searched where it lies, by halves: some 40 short reads, and no memory. It is opened each time, so another
    file may be put in its place at any time. Where it cannot be read, nobody gets past it (ASVS 16.5.3).
    """

    def __init__(self, file: Path) -> None:
        self._file = file

    async def has(self, password: NewPassword) -> bool:
        """Whether the list has the password. Raises Unavailable where the list cannot be read."""
        wanted = hashlib.sha1(password.text.encode(), usedforsecurity=False).hexdigest().upper().encode()
        try:
            return await asyncio.to_thread(self._has, wanted)
        except (OSError, BreachedPasswordsFileDamaged) as fault:
            raise Unavailable("the list of breached passwords cannot be read") from fault

    def _has(self, wanted: bytes) -> bool:
        with self._file.open("rb", buffering=4096) as lines:
            low, high = 0, lines.seek(0, os.SEEK_END)
            while low < high:
                middle = (low + high) // 2
                found, end = _hash_from(lines, middle)
                if found == wanted:
                    return True
                if found is None or found > wanted:
                    high = middle
                else:
                    low = end
        return False


class NoBreachedPasswords:
    """No list: nothing is known of any password."""

    async def has(self, password: NewPassword) -> bool:  # noqa: ARG002  the port has it
        """No."""
        return False


def examine(file: Path) -> int:
    """How many bytes the list has. Raises BreachedPasswordsFileDamaged where a hundred samples are out of order."""
    with file.open("rb") as lines:
        size = lines.seek(0, os.SEEK_END)
        samples = [found for part in range(100) if (found := _hash_from(lines, size * part // 100)[0]) is not None]
    if not samples:
        raise BreachedPasswordsFileDamaged("it is empty")
    if samples != sorted(samples):
        raise BreachedPasswordsFileDamaged("its lines are not ordered by hash")
    return size


def _hash_from(lines: BinaryIO, offset: int) -> tuple[bytes | None, int]:
    """The hash of the first line that begins at the offset or behind it, and where that line ends."""
    lines.seek(max(offset - 1, 0))
    if offset:
        lines.readline(LONGEST_LINE)
    line = lines.readline(LONGEST_LINE)
    if not line:
        return None, lines.tell()
    read = _LINE.fullmatch(line)
    if read is None:
        raise BreachedPasswordsFileDamaged(f"the line before byte {lines.tell():,} is not HASH:count")
    return read[1].upper(), lines.tell()
