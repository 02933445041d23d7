"""Events: what has happened, told to the rest of the world. They carry ids and addresses, never secrets."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, TypeAlias, get_args
from uuid import UUID


@dataclass(frozen=True, slots=True)
class UserCreated:
    """An account exists, its mail address not yet confirmed."""

    type: ClassVar[str] = "user.created"
    user_id: UUID
    username: str


@dataclass(frozen=True, slots=True)
class KnownAddressSignedUp:
    """Somebody with a valid invite signed up with an address that has an account already."""

    type: ClassVar[str] = "user.known_address_signed_up"
    email: str


@dataclass(frozen=True, slots=True)
class ConfirmationRequested:
    """A confirmation is to be mailed; the token is made from its id by whoever holds the key."""

    type: ClassVar[str] = "user.confirmation_requested"
    user_id: UUID
    token_id: UUID
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ConfirmationResendRequested:
    """Somebody wants the confirmation for this address once more, whoever it belongs to."""

    type: ClassVar[str] = "user.confirmation_resend_requested"
    email: str


@dataclass(frozen=True, slots=True)
class UserConfirmed:
    """The mail address is the user's; the account can log in."""

    type: ClassVar[str] = "user.confirmed"
    user_id: UUID


@dataclass(frozen=True, slots=True)
class PasswordResetRequested:
    """Somebody has forgotten the password of the account with this address, if there is one."""

    type: ClassVar[str] = "user.password_reset_requested"
    email: str


@dataclass(frozen=True, slots=True)
class PasswordChanged:
    """The account has another password, changed or reset."""

    type: ClassVar[str] = "user.password_changed"
    user_id: UUID


@dataclass(frozen=True, slots=True)
class EmailChangeRequested:
    """The user wants another mail address, which is to be confirmed; the token knows which."""

    type: ClassVar[str] = "user.email_change_requested"
    user_id: UUID
    token_id: UUID


@dataclass(frozen=True, slots=True)
class EmailChanged:
    """The account has another mail address. The token takes it back to the one before."""

    type: ClassVar[str] = "user.email_changed"
    user_id: UUID
    undo_token_id: UUID


@dataclass(frozen=True, slots=True)
class EmailChangeUndone:
    """The account has its former mail address again, no session, and no password until it is reset."""

    type: ClassVar[str] = "user.email_change_undone"
    user_id: UUID


@dataclass(frozen=True, slots=True)
class UserDeleted:
    """The account is gone, and its sessions, tokens and open invites with it."""

    type: ClassVar[str] = "user.deleted"
    user_id: UUID


@dataclass(frozen=True, slots=True)
class InviteIssued:
    """An invite can be claimed; it is mailed where it is bound to an address."""

    type: ClassVar[str] = "invite.issued"
    invite_id: UUID
    issued_by: UUID | None
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class InviteClaimed:
    """An invite has one claim more."""

    type: ClassVar[str] = "invite.claimed"
    invite_id: UUID


@dataclass(frozen=True, slots=True)
class InviteRevoked:
    """An invite was taken back."""

    type: ClassVar[str] = "invite.revoked"
    invite_id: UUID


@dataclass(frozen=True, slots=True)
class SessionsEnded:
    """Sessions were ended, not just expired. `key_hashes` (hex SHA-256) name them to caches and open nothing."""

    type: ClassVar[str] = "sessions.ended"
    user_id: UUID
    session_ids: tuple[UUID, ...]
    key_hashes: tuple[str, ...]


Event: TypeAlias = (
    UserCreated
    | KnownAddressSignedUp
    | ConfirmationRequested
    | ConfirmationResendRequested
    | UserConfirmed
    | PasswordResetRequested
    | PasswordChanged
    | EmailChangeRequested
    | EmailChanged
    | EmailChangeUndone
    | UserDeleted
    | InviteIssued
    | InviteClaimed
    | InviteRevoked
    | SessionsEnded
)

ALL: tuple[type[Event], ...] = get_args(Event)
