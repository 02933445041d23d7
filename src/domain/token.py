"""Tokens: what stands in mailed links."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self
from uuid import UUID


class Purpose(StrEnum):
    """What a token is good for; one of another purpose is no token."""

    INVITE = "invite"
    CONFIRMATION = "confirmation"


LIVES: Mapping[Purpose, timedelta] = {Purpose.CONFIRMATION: timedelta(hours=24)}
"""How long a mailed token works: a day at most (the Copenhagen Book, "Email verification")."""


@dataclass(frozen=True, slots=True)
class Token:
    """The record of a mailed token. The token itself is never stored: it is signed anew from the id (NIST SP 800-108).

    It is usable until it is used, a newer one supersedes it, or it expires.
    """

    id: UUID
    purpose: Purpose
    user_id: UUID
    created_at: datetime
    expires_at: datetime
    used_at: datetime | None = None
    superseded_at: datetime | None = None

    @classmethod
    def issue(cls, purpose: Purpose, *, id: UUID, user_id: UUID, at: datetime) -> Self:
        """A fresh token, good from now for as long as its purpose allows."""
        return cls(id, purpose, user_id, at, at + LIVES[purpose])

    def is_usable(self, at: datetime) -> bool:
        """Whether the token would still be taken."""
        return self.used_at is None and self.superseded_at is None and at < self.expires_at
