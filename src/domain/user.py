"""Users: the accounts."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
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
    """An account, created with an invite. It can log in once its mail address is confirmed."""

    id: UUID
    email: EmailAddress
    username: Username
    password_hash: str = field(repr=False)
    role: Role
    invite_id: UUID
    created_at: datetime
    confirmed_at: datetime | None = None

    @property
    def is_confirmed(self) -> bool:
        """Whether the mail address is proven to be the user's."""
        return self.confirmed_at is not None

    @property
    def profile(self) -> Profile:
        """The part of the user that may be shown."""
        return Profile(self.id, self.email, self.username, self.role)
