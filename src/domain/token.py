"""Tokens: what stands in mailed links."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self
from uuid import UUID

from domain.email_address import EmailAddress


class Purpose(StrEnum):
    """What a token is good for; one of another purpose is no token."""

    INVITE = "invite"
    CONFIRMATION = "confirmation"
    RESET = "reset"
    EMAIL_CHANGE = "email_change"
    EMAIL_UNDO = "email_undo"


LIVES: Mapping[Purpose, timedelta] = {
    Purpose.CONFIRMATION: timedelta(hours=24),
    Purpose.RESET: timedelta(minutes=30),
    Purpose.EMAIL_CHANGE: timedelta(hours=24),
    Purpose.EMAIL_UNDO: timedelta(days=7),
}
"""How long a mailed token works: a day at most, less where it opens an account (the Copenhagen Book, "Email
verification" and "Password reset"). Undoing a change of address has to outlast a holiday from the mailbox."""


@dataclass(frozen=True, slots=True)
class Token:
    """The record of a mailed token. The token itself is never stored: it is signed anew from the id (NIST SP 800-108).

    It is usable until it is used, a newer one supersedes it, or it expires. `email` is the address that a change
    of address, or its undoing, gives the account.
    """

    id: UUID
    purpose: Purpose
    user_id: UUID
    created_at: datetime
    expires_at: datetime
    email: EmailAddress | None = None
    used_at: datetime | None = None
    superseded_at: datetime | None = None

    @classmethod
    def issue(
        cls, purpose: Purpose, *, id: UUID, user_id: UUID, at: datetime, email: EmailAddress | None = None
    ) -> Self:
        """A fresh token, good from now for as long as its purpose allows."""
        return cls(id, purpose, user_id, at, at + LIVES[purpose], email)

    @property
    def replaces_older(self) -> bool:
        """Whether a newer token takes the place of older ones; each change of address can be undone by itself."""
        return self.purpose is not Purpose.EMAIL_UNDO

    def is_usable(self, at: datetime) -> bool:
        """Whether the token would still be taken."""
        return self.used_at is None and self.superseded_at is None and at < self.expires_at
