"""Usernames."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from domain.errors import BadField, InvalidFields

SHORTEST, LONGEST = 3, 30
HOLD = timedelta(days=90)
"""How long a name that was claimed or freed stays out of others' reach."""

RESERVED = frozenset(
    """about abuse account accounts admin administrator all anonymous api app auth billing blog bottomline confirm
    contact default delete everyone forgot guest help host hostmaster info invite invites legal live login logout
    mail mailbox mailer-daemon me metrics moderator news no-reply nobody noreply null official operator owner
    password ping post postmaster posts press privacy ready register reset root sales security self session
    sessions settings signin signup staff static status support sysadmin system team terms test undefined unknown
    user username users webmaster welcome www you""".split()  # noqa: SIM905
)
_SHAPE = re.compile(r"[^\W_]([\w-]*[^\W_])?")


@dataclass(frozen=True, slots=True)
class Username:
    """A public name: 3 to 30 letters and digits of one script, with `_` and `-` inside.

    `name` is shown; `key` (NFKC, case-folded, `_` and `-` alike) is unique among accounts.
    """

    name: str

    @classmethod
    def parse(cls, raw: str, field: str = "username") -> Self:
        """Read what a person typed. Raises InvalidFields naming `field`."""
        name = unicodedata.normalize("NFKC", raw.strip(" ")[: 4 * LONGEST])
        if problem := _problem(name):
            raise InvalidFields(BadField(field, *problem))
        return cls(name)

    @property
    def key(self) -> str:
        """What two names that people would take for one have in common."""
        return _key(self.name)

    def __str__(self) -> str:
        return self.name


def _key(name: str) -> str:
    return unicodedata.normalize("NFKC", name.casefold()).replace("_", "-")


def _problem(name: str) -> tuple[str, str] | None:
    if not SHORTEST <= len(name) <= LONGEST:
        return "username_length", f"A username has {SHORTEST} to {LONGEST} characters."
    if not _SHAPE.fullmatch(name) or len(_scripts(name)) > 1:
        return (
            "username_characters",
            "Use letters and digits of one script, with _ or - between them.",
        )
    if _key(name) in RESERVED:
        return "username_reserved", "This name is reserved. Choose another."
    return None


def _scripts(name: str) -> set[str]:
    """The scripts of the letters: the first word of a letter's Unicode name is its script."""
    return {unicodedata.name(letter, "?").split()[0] for letter in name if letter.isalpha()}
