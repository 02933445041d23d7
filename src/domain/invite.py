"""Invites: the right to create an account."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self
from uuid import UUID

from domain.email_address import EmailAddress
from domain.errors import (
    BadField,
    InvalidFields,
    InviteExpired,
    InviteForAnotherAddress,
    InviteRevoked,
    InviteSpent,
)
from domain.user import Role
from domain.username import HOLD, Username

LIFE_DAYS = 7
LONGEST_LIFE_DAYS = 365
MOST_CLAIMS = 10_000
LONGEST_NOTE = 200


class InviteState(StrEnum):
    """Where an invite stands; only an open one can be claimed."""

    OPEN = "open"
    SPENT = "spent"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class InviteTerms:
    """What whoever issues an invite may choose about it. Raises InvalidFields where something is out of bounds."""

    email: EmailAddress | None = None
    max_claims: int = 1
    expires_in_days: int = LIFE_DAYS
    note: str | None = None
    role: Role = Role.MEMBER

    def __post_init__(self) -> None:
        if problems := tuple(self._problems()):
            raise InvalidFields(*problems)

    def _problems(self) -> Iterator[BadField]:
        if not 1 <= self.max_claims <= MOST_CLAIMS:
            yield BadField("max_claims", "out_of_range", f"Use a whole number from 1 to {MOST_CLAIMS:,}.")
        elif self.email and self.max_claims > 1:
            yield BadField("max_claims", "bound_to_one_address", "An invite for one address has one claim.")
        if not 1 <= self.expires_in_days <= LONGEST_LIFE_DAYS:
            yield BadField("expires_in_days", "out_of_range", f"Use a whole number from 1 to {LONGEST_LIFE_DAYS:,}.")
        if self.note is not None and len(self.note) > LONGEST_NOTE:
            yield BadField("note", "too_long", f"Use at most {LONGEST_NOTE:,} characters.")
        elif self.note is not None and not self.note.isprintable():
            yield BadField("note", "characters", "Use one line of plain text.")


@dataclass(frozen=True, slots=True)
class Invite:
    """The right to create `max_claims` accounts before `expires_at`, maybe bound to one mail address.

    `issued_by` is None where the command line or the first start issued it.
    """

    id: UUID
    issued_by: UUID | None
    email: EmailAddress | None
    role: Role
    max_claims: int
    claims: int
    note: str | None
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None

    @classmethod
    def issue(cls, terms: InviteTerms, *, id: UUID, by: UUID | None, at: datetime) -> Self:
        """A fresh invite on these terms."""
        return cls(
            id=id,
            issued_by=by,
            email=terms.email,
            role=terms.role,
            max_claims=terms.max_claims,
            claims=0,
            note=terms.note,
            created_at=at,
            expires_at=at + timedelta(days=terms.expires_in_days),
        )

    def state(self, at: datetime) -> InviteState:
        """Where the invite stands; a spent invite stays spent whatever comes later."""
        if self.claims >= self.max_claims:
            return InviteState.SPENT
        if self.revoked_at is not None:
            return InviteState.REVOKED
        return InviteState.EXPIRED if self.expires_at <= at else InviteState.OPEN

    def is_open(self, at: datetime) -> bool:
        """Whether the invite can be claimed."""
        return self.state(at) is InviteState.OPEN

    def check_open(self, at: datetime) -> None:
        """Raise InviteSpent, InviteRevoked or InviteExpired unless the invite can be claimed."""
        match self.state(at):
            case InviteState.SPENT:
                raise InviteSpent
            case InviteState.REVOKED:
                raise InviteRevoked
            case InviteState.EXPIRED:
                raise InviteExpired
            case InviteState.OPEN:
                pass

    def check_claimable(self, *, by: EmailAddress, at: datetime) -> None:
        """Raise as `check_open`, and InviteForAnotherAddress, unless this address can claim the invite."""
        self.check_open(at)
        if self.email is not None and self.email.key != by.key:
            raise InviteForAnotherAddress


@dataclass(frozen=True, slots=True)
class Issued:
    """An invite with its issuer's name: None where it was no user, or one who is deleted."""

    invite: Invite
    issuer: Username | None


@dataclass(frozen=True, slots=True)
class Claim:
    """That somebody has signed up with an invite: by address and username, which together do so once.

    The hash of the password tells whether it is the very same sign-up that comes again.
    """

    invite_id: UUID
    email: EmailAddress
    username: Username
    password_hash: str = field(repr=False)
    at: datetime

    def is_stale(self, at: datetime) -> bool:
        """Whether it was never confirmed for as long as its username was held: it is as if it had not been."""
        return at - self.at >= HOLD
