"""Usernames."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Self

from domain.errors import BadField, FieldCode, InvalidFields
from domain.look_alikes import is_disguised, skeleton

SHORTEST, LONGEST = 3, 30
HOLD = timedelta(days=90)
"""How long a name that was claimed or freed stays out of others' reach."""

RESERVED = frozenset(
    """about abuse account accounts admin administrator anonymous api app auth billing blog bottomline confirm
    contact default delete everyone forgot guest help host hostmaster info invite invites legal live login logout
    mail mailbox mailer-daemon me metrics moderator news no-reply nobody noreply null official operator owner
    password ping post postmaster posts press privacy ready register reset root sales security self session
    sessions settings signin signup staff static status support sysadmin system team terms test undefined unknown
    user username users webmaster welcome www you""".split()  # noqa: SIM905
)
_LETTERS = {
    "Latin": r"A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u0131\u0134-\u0137\u0139-\u013e\u0141-\u0148\u014a-\u017e"
    r"\u0181\u0186\u0189\u018a\u018f\u0190\u0198\u0199\u01a0\u01a1\u01af\u01b0\u01b3\u01b4\u01cd-\u01dc"
    r"\u0218-\u021b\u0253\u0254\u0256\u0257\u0259\u025b\u1e00-\u1e99\u1e9e\u1ea0-\u1ef9",
    "Greek": r"\u0386\u0388-\u038a\u038c\u038e-\u03a1\u03a3-\u03ce",
    "Cyrillic": r"\u0400-\u045f\u048a-\u04ff",
    "Armenian": r"\u0531-\u0556\u0561-\u0586",
    "Georgian": r"\u10d0-\u10f0\u1c90-\u1cb0",
    "Ethiopic": r"\u1200-\u135a",
    "Hangul": r"\uac00-\ud7a3",
    "Han and kana": r"\u3005\u3041-\u3096\u30a1-\u30fa\u30fc\u4e00-\u9ffc",
}
_RIGHT_TO_LEFT = {
    "Hebrew": r"\u05d0-\u05ea",
    "Arabic": r"\u0621-\u063a\u0641-\u064a\u0679\u067e\u0686\u0688\u0691\u0698\u06a9\u06af\u06ba\u06be\u06c1-\u06c3"
    r"\u06cc\u06d2",
}
"""The letters of today's languages, script by script: no phonetic or historic ones, and no marks without a letter."""


@dataclass(frozen=True, slots=True)
class Username:
    """A public name: 3 to 30 letters of one script and digits 0 to 9, with `_` and `-` inside.

    `name` is shown; `key`, what it has in common with names that look like it, is unique among accounts.
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
        return skeleton(self.name)

    def __str__(self) -> str:
        return self.name


def _problem(name: str) -> tuple[FieldCode, str] | None:
    if not SHORTEST <= len(name) <= LONGEST:
        return "username_length", f"A username has {SHORTEST} to {LONGEST} characters."
    if not _shape().fullmatch(name):
        return (
            "username_characters",
            "Use letters of one script and the digits 0 to 9, with _ or - between them.",
        )
    if is_disguised(name):
        return "username_characters", "This name looks like another in Latin letters. Write it in small letters."
    if skeleton(name) in _RESERVED:
        return "username_reserved", "This name, or one that looks like it, is reserved. Choose another."
    return None


@cache
def _shape() -> re.Pattern[str]:
    return re.compile(
        "|".join(
            [f"[{script}0-9]([{script}0-9_-]*[{script}0-9])?" for script in _LETTERS.values()]
            # Led by a digit, such a name would be shown like one that ends with it (RFC 5893, 2)
            + [f"[{script}]([{script}0-9_-]*[{script}0-9])?" for script in _RIGHT_TO_LEFT.values()]
        )
    )


_RESERVED = frozenset(map(skeleton, RESERVED))
