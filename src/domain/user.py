"""Users: the accounts."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Self
from uuid import UUID

from domain.email_address import EmailAddress
from domain.username import Username


class Role(StrEnum):
    """What a user may do beyond their own account: operators (`admin`) see and revoke everyone's invites."""

    MEMBER = "member"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Profile:
    """What of a user may be shown, and handed to applications behind Bottomline."""

    id: UUID
    email: EmailAddress
    username: Username
    role: Role

    @property
    def is_operator(self) -> bool:
        """Whether the user may act on what belongs to others."""
        return self.role is Role.ADMIN


@dataclass(frozen=True, slots=True)
class User:
    """An account, created with an invite. It can log in once its mail address is confirmed.

    Of the accounts with one mail address at most one is confirmed. Without a password hash nobody can log in until
    the password is reset.
    """

    id: UUID
    email: EmailAddress
    username: Username
    password_hash: str | None = field(repr=False)
    role: Role
    invite_id: UUID
    created_at: datetime
    confirmed_at: datetime | None = None

    @property
    def is_confirmed(self) -> bool:
        """Whether the mail address is proven to be the user's."""
        return self.confirmed_at is not None

    def with_password(self, password_hash: str) -> Self:
        """The account with another password."""
        return replace(self, password_hash=password_hash)

    def with_address(self, email: EmailAddress) -> Self:
        """The account with another, proven mail address."""
        return replace(self, email=email)

    def without_password(self) -> Self:
        """The account with no password that works: whoever knew it may not be its owner."""
        return replace(self, password_hash=None)

    @property
    def profile(self) -> Profile:
        """The part of the user that may be shown."""
        return Profile(self.id, self.email, self.username, self.role)
