"""What the reference keeps of accounts, invites, tokens and sessions. Its numbers are its own, not the code's."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

HOLD = timedelta(days=90)
SESSION = timedelta(days=14)
IDLE = timedelta(days=3)
SEEN = timedelta(hours=1)
QUOTA = 5
"""Accounts that a member's open invites may be good for."""

Purpose = Literal["confirmation", "reset", "email_change", "undo"]
LIVES: dict[Purpose, timedelta] = {
    "confirmation": timedelta(hours=24),
    "reset": timedelta(minutes=30),
    "email_change": timedelta(hours=24),
    "undo": timedelta(days=7),
}


def key(address: str) -> str:
    """What two spellings of one address have in common."""
    return address.lower()


@dataclass(eq=False)
class Account:
    """A sign-up, and once it is confirmed an account."""

    address: str
    name: str
    password: str | None
    came_by: "Invite | None" = None
    is_operator: bool = False
    is_confirmed: bool = False
    is_gone: bool = False


@dataclass(eq=False)
class Invite:
    """An invite, whoever issued it."""

    issuer: Account
    bound_to: str | None
    max_claims: int
    expires_at: datetime
    claims: int = 0
    is_revoked: bool = False
    is_gone: bool = False

    def state(self, now: datetime) -> str:
        if self.claims == self.max_claims:
            return "spent"
        if self.is_revoked:
            return "revoked"
        return "open" if now < self.expires_at else "expired"


@dataclass(eq=False)
class Token:
    """A mailed token: good once, until it is over."""

    purpose: Purpose
    account: Account
    made_at: datetime
    address: str | None = None
    is_over: bool = False

    def is_good(self, now: datetime) -> bool:
        return not self.is_over and not self.account.is_gone and now < self.made_at + LIVES[self.purpose]


@dataclass(eq=False)
class Session:
    """A session; once it has ended it is over for ever."""

    account: Account
    expires_at: datetime
    seen_at: datetime
    is_over: bool = False

    def is_live(self, now: datetime) -> bool:
        return not self.is_over and now < min(self.expires_at, self.seen_at + IDLE)


@dataclass(frozen=True)
class Due:
    """A mail that must arrive, and the token or invite that it carries."""

    kind: str
    to: str
    carries: Token | Invite | None = None
