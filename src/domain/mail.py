"""Mails: what is to be told to whom."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from domain.email_address import EmailAddress


class MailKind(StrEnum):
    """What a mail is about."""

    CONFIRMATION = "confirmation"
    ACCOUNT_EXISTS = "account_exists"
    INVITE = "invite"
    RESET = "reset"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105
    EMAIL_CHANGE = "email_change"
    EMAIL_CHANGED = "email_changed"
    FAREWELL = "farewell"


PAUSE = timedelta(minutes=1)
PER_DAY = 5
"""What one address is sent at most of each kind that a stranger can ask for: so nobody is bombed with mail."""


class MailState(StrEnum):
    """How far a mail has come."""

    QUEUED = "queued"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail to one address.

    `id` is that of the event that asked for it, so asking twice makes one mail; a mail that is queued with the change
    itself has an id of its own.

    `link_id` names the invite or token that its link carries; `username` is the reader's username, if known;
    `invited_by` the inviter's. `reason` says why it has not been sent, or not yet.
    """

    id: UUID
    kind: MailKind
    to: EmailAddress
    created_at: datetime
    link_id: UUID | None = None
    link_expires_at: datetime | None = None
    username: str | None = None
    invited_by: str | None = None
    attempts: int = 0
    state: MailState = MailState.QUEUED
    reason: str | None = None
