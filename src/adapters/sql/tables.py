"""The tables. Every rule of uniqueness that the service rests on stands here.

Partial indexes are partial on SQLite too, as the migrations make them; to say so here would load its dialect where
Postgres is used.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    Named,
    Table,
    Text,
    TypedColumns,
    Uuid,
    text,
)

from adapters.sql.types import Instant

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class _Users(TypedColumns):
    id: Named[UUID] = Column(Uuid, primary_key=True)
    email: Named[str] = Column(Text)
    email_key: Named[str] = Column(Text, index=True)
    username: Named[str] = Column(Text)
    username_key: Named[str] = Column(Text, unique=True)
    password_hash: Named[str | None] = Column(Text)
    role: Named[str] = Column(Text)
    invite_id: Named[UUID] = Column(Uuid)
    created_at: Named[datetime] = Column(Instant)
    confirmed_at: Named[datetime | None] = Column(Instant)


_confirmed = text("confirmed_at IS NOT NULL")
users = Table(
    "users",
    metadata,
    _Users,
    Index("uq_users_confirmed", "email_key", unique=True, postgresql_where=_confirmed),
)


class _UsernameHolds(TypedColumns):
    username_key: Named[str] = Column(Text, primary_key=True)
    held_until: Named[datetime] = Column(Instant, index=True)


username_holds = Table("username_holds", metadata, _UsernameHolds)


class _Invites(TypedColumns):
    id: Named[UUID] = Column(Uuid, primary_key=True)
    issued_by: Named[UUID | None] = Column(Uuid)
    email: Named[str | None] = Column(Text)
    role: Named[str] = Column(Text)
    max_claims: Named[int]
    claims: Named[int]
    note: Named[str | None] = Column(Text)
    created_at: Named[datetime] = Column(Instant)
    expires_at: Named[datetime] = Column(Instant)
    revoked_at: Named[datetime | None] = Column(Instant)


invites = Table(
    "invites",
    metadata,
    _Invites,
    CheckConstraint("claims >= 0 AND claims <= max_claims", name="claims"),
    Index(None, "issued_by", "id"),
)


class _InviteClaims(TypedColumns):
    invite_id: Named[UUID] = Column(Uuid, ForeignKey("invites.id", ondelete="CASCADE"), primary_key=True)
    email_key: Named[str] = Column(Text, primary_key=True)
    username_key: Named[str] = Column(Text, primary_key=True)
    password_hash: Named[str] = Column(Text)
    claimed_at: Named[datetime] = Column(Instant, index=True)


invite_claims = Table("invite_claims", metadata, _InviteClaims)


class _Sessions(TypedColumns):
    id: Named[UUID] = Column(Uuid, primary_key=True)
    user_id: Named[UUID] = Column(Uuid, ForeignKey("users.id", ondelete="CASCADE"), index=True)
    key_hash: Named[bytes] = Column(LargeBinary, unique=True)
    created_at: Named[datetime] = Column(Instant)
    last_seen_at: Named[datetime] = Column(Instant)
    idle_expires_at: Named[datetime] = Column(Instant)
    expires_at: Named[datetime] = Column(Instant, index=True)
    user_agent: Named[str | None] = Column(Text)
    ip: Named[str | None] = Column(Text)


sessions = Table("sessions", metadata, _Sessions)


class _Tokens(TypedColumns):
    id: Named[UUID] = Column(Uuid, primary_key=True)
    purpose: Named[str] = Column(Text)
    user_id: Named[UUID] = Column(Uuid, ForeignKey("users.id", ondelete="CASCADE"))
    created_at: Named[datetime] = Column(Instant)
    expires_at: Named[datetime] = Column(Instant, index=True)
    email: Named[str | None] = Column(Text)
    used_at: Named[datetime | None] = Column(Instant)
    superseded_at: Named[datetime | None] = Column(Instant)


tokens = Table("tokens", metadata, _Tokens, Index(None, "user_id", "purpose", "created_at"))


class _Outbox(TypedColumns):
    id: Named[UUID] = Column(Uuid, primary_key=True)
    type: Named[str] = Column(Text)
    data: Named[bytes] = Column(LargeBinary)
    created_at: Named[datetime] = Column(Instant)
    attempts: Named[int]
    next_at: Named[datetime] = Column(Instant)
    lease_until: Named[datetime | None] = Column(Instant)
    published_at: Named[datetime | None] = Column(Instant)


_unpublished, _published = text("published_at IS NULL"), text("published_at IS NOT NULL")
outbox = Table(
    "outbox",
    metadata,
    _Outbox,
    Index("ix_outbox_due", "next_at", postgresql_where=_unpublished),
    Index("ix_outbox_over", "published_at", postgresql_where=_published),
)


class _Inbox(TypedColumns):
    consumer: Named[str] = Column(Text, primary_key=True)
    message_id: Named[UUID] = Column(Uuid, primary_key=True)
    done_at: Named[datetime] = Column(Instant, index=True)


inbox = Table("inbox", metadata, _Inbox)


class _Mails(TypedColumns):
    id: Named[UUID] = Column(Uuid, primary_key=True)
    kind: Named[str] = Column(Text)
    recipient: Named[str] = Column(Text)
    recipient_key: Named[str] = Column(Text, index=True)
    link_id: Named[UUID | None] = Column(Uuid)
    link_expires_at: Named[datetime | None] = Column(Instant)
    username: Named[str | None] = Column(Text)
    invited_by: Named[str | None] = Column(Text)
    state: Named[str] = Column(Text)
    reason: Named[str | None] = Column(Text)
    attempts: Named[int]
    created_at: Named[datetime] = Column(Instant)
    next_at: Named[datetime] = Column(Instant)
    lease_until: Named[datetime | None] = Column(Instant)
    sent_at: Named[datetime | None] = Column(Instant)


UNSENT, FINISHED = text("state IN ('queued', 'sending')"), text("state IN ('sent', 'failed')")
"""Conditions of partial indexes; a query finds the index where it says the same, and not with bound values."""
mails = Table(
    "mails",
    metadata,
    _Mails,
    Index("ix_mails_due", "next_at", postgresql_where=UNSENT),
    Index("ix_mails_over", "created_at", postgresql_where=FINISHED),
)


class _MailQuotas(TypedColumns):
    address_hash: Named[bytes] = Column(LargeBinary, primary_key=True)
    kind: Named[str] = Column(Text, primary_key=True)
    day_began_at: Named[datetime] = Column(Instant)
    mails: Named[int]
    last_at: Named[datetime] = Column(Instant, index=True)


mail_quotas = Table("mail_quotas", metadata, _MailQuotas)
