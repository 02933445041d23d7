"""Passwords, from the wire to the hasher."""

import unicodedata
from dataclasses import dataclass, field
from typing import Self

from domain.errors import BadField, InvalidFields

LONGEST_BYTES = 1024


@dataclass(frozen=True, slots=True)
class Password:
    """A password as typed, in NFKC (NIST SP 800-63B-4, 3.1.1.2), at most 1,024 bytes; never truncated, never shown."""

    text: str = field(repr=False)

    @classmethod
    def parse(cls, raw: str, field: str = "password") -> Self:
        """Read what a person typed. Raises InvalidFields naming `field`."""
        too_long = BadField(field, "password_too_long", f"Use at most {LONGEST_BYTES:,} bytes.")
        if len(raw) > LONGEST_BYTES:  # before any work: normalising marks without end takes time without end
            raise InvalidFields(too_long)
        text = unicodedata.normalize("NFKC", raw)
        if not text:
            raise InvalidFields(BadField(field, "password_missing", "Enter a password."))
        if len(text.encode()) > LONGEST_BYTES:
            raise InvalidFields(too_long)
        return cls(text)


@dataclass(frozen=True, slots=True)
class NewPassword(Password):
    """A password that the policy accepts: the only kind that is ever hashed for storage."""


@dataclass(frozen=True, slots=True)
class PasswordPolicy:
    """What a new password must be: long enough (ASVS 6.2.1 advises 15 characters), and nothing about its letters."""

    min_length: int = 15

    def accept(self, raw: str, field: str = "password") -> NewPassword:
        """Read a new password. Raises InvalidFields naming `field`."""
        password = Password.parse(raw, field)
        if len(password.text) < self.min_length:
            raise InvalidFields(
                BadField(
                    field,
                    "password_too_short",
                    f"Use at least {self.min_length} characters; a sentence is fine.",
                )
            )
        return NewPassword(password.text)
