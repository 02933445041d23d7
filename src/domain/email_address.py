"""Mail addresses."""

import re
from dataclasses import dataclass
from typing import Self

from domain.errors import BadField, InvalidFields

LONGEST = 320
"""Characters; what is longer is refused before anything is done with it."""
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_AMBIGUOUS = frozenset("ßς\u200c\u200d")
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?")


@dataclass(frozen=True, slots=True)
class EmailAddress:
    """A mail address that a server can deliver to: RFC 5321's dot-string and a domain of two labels or more.

    `address` is what mail is sent to; `key` tells whether two addresses are one account's.
    """

    address: str

    @classmethod
    def parse(cls, raw: str, field: str = "email") -> Self:
        """Read what a person typed. Raises InvalidFields naming `field`."""
        local, at, domain = (raw.strip(" ") if len(raw) <= LONGEST else "").rpartition("@")
        domain = _ascii_domain(domain)
        fits = len(local) <= 64 and len(local) + len(domain) <= 253  # RFC 5321, 4.5.3.1
        is_encoded_word = "=?" in local  # RFC 2047: mail programs would read another address out of it
        if not (at and fits and _LOCAL.fullmatch(local) and _is_domain(domain)) or is_encoded_word:
            raise InvalidFields(BadField(field, "email_invalid", "Enter a mail address such as name@example.org."))
        return cls(f"{local}@{domain}")

    @property
    def key(self) -> str:
        """The address without differences of case: unique among accounts."""
        return self.address.lower()

    def __str__(self) -> str:
        return self.address


def _ascii_domain(domain: str) -> str:
    """The domain as it stands in the DNS; empty where it has none, or where IDNA 2003 and 2008 name different ones."""
    if _AMBIGUOUS & set(domain):
        return ""
    try:
        return domain.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return ""


def _is_domain(domain: str) -> bool:
    labels = domain.split(".")
    return len(labels) > 1 and all(map(_LABEL.fullmatch, labels)) and not labels[-1].isdigit()
