"""Invites and their claims."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, bindparam, delete, func, insert, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.tables import invite_claims, invites, users
from adapters.sql.types import AnyRow, Instant
from domain.email_address import EmailAddress
from domain.errors import InviteUnknown
from domain.invite import Claim, Invite, Issued
from domain.user import Role
from domain.username import HOLD, Username

_add = insert(invites)
_get = select(invites).where(invites.c.id == bindparam("id"))
_GREATEST = UUID(int=2**128 - 1)
"""The Max UUID (RFC 9562, 5.10): every id is below it, so the first page is read as every other is, by the index."""
_of_all = (
    select(invites, users.c.username.label("issuer"))
    .outerjoin(users, users.c.id == invites.c.issued_by)
    .where(invites.c.id < bindparam("before"))
    .order_by(invites.c.id.desc())
    .limit(bindparam("most"))
)
_of_issuer = _of_all.where(invites.c.issued_by == bindparam("issued_by"))
_is_open = (
    invites.c.claims < invites.c.max_claims,
    invites.c.revoked_at.is_(None),
    invites.c.expires_at > bindparam("at"),
)
_open_claims = select(func.coalesce(func.sum(invites.c.max_claims - invites.c.claims), 0)).where(
    invites.c.issued_by == bindparam("by"), *_is_open
)
_open = update(invites).where(invites.c.id == bindparam("invite"), *_is_open).returning(invites.c.id)
_delete_open = delete(invites).where(invites.c.issued_by == bindparam("by"), *_is_open)
_claim = _open.values(claims=invites.c.claims + 1)
_revoke = _open.values(revoked_at=bindparam("at"))


class SqlInvites:
    """All invites; one conditional statement settles who gets the last claim."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, invite: Invite) -> None:
        """Add a fresh invite."""
        values = {
            "id": invite.id,
            "issued_by": invite.issued_by,
            "email": invite.email.address if invite.email else None,
            "role": invite.role.value,
            "max_claims": invite.max_claims,
            "claims": invite.claims,
            "note": invite.note,
            "created_at": invite.created_at,
            "expires_at": invite.expires_at,
            "revoked_at": invite.revoked_at,
        }
        await self._connection.execute(_add, values)

    async def get(self, id: UUID) -> Invite | None:
        """The invite of this id."""
        row = (await self._connection.execute(_get, {"id": id})).first()
        return _to_invite(row) if row else None

    async def issued(self, by: UUID | None = None, *, before: UUID | None = None, limit: int) -> Sequence[Issued]:
        """Up to `limit` invites of one issuer, or everybody's, newest first: those of ids below `before`, if given."""
        statement, issuer = (_of_all, {}) if by is None else (_of_issuer, {"issued_by": by})
        rows = await self._connection.execute(statement, {"before": before or _GREATEST, "most": limit, **issuer})
        return [Issued(_to_invite(row), Username(row.issuer) if row.issuer else None) for row in rows]

    async def open_claims(self, by: UUID, at: datetime) -> int:
        """For how many more accounts the issuer's open invites are good."""
        return int(await self._connection.scalar(_open_claims, {"by": by, "at": at}) or 0)

    async def claim(self, id: UUID, at: datetime) -> bool:
        """Count a claim; False where the invite is not open at that time."""
        return (await self._connection.execute(_claim, {"invite": id, "at": at})).first() is not None

    async def revoke(self, id: UUID, at: datetime) -> bool:
        """Take an invite back; False where it was not open."""
        return (await self._connection.execute(_revoke, {"invite": id, "at": at})).first() is not None

    async def delete_open(self, by: UUID, at: datetime) -> None:
        """Delete the issuer's open invites."""
        await self._connection.execute(_delete_open, {"by": by, "at": at})


def _to_invite(row: AnyRow) -> Invite:
    return Invite(
        id=row.id,
        issued_by=row.issued_by,
        email=EmailAddress(row.email) if row.email else None,
        role=Role(row.role),
        max_claims=row.max_claims,
        claims=row.claims,
        note=row.note,
        created_at=row.created_at,
        expires_at=row.expires_at,
        revoked_at=row.revoked_at,
    )


_new_claim = postgresql.insert(invite_claims).values(
    {column.name: bindparam(column.name, type_=column.type) for column in invite_claims.c}
)
_add_claim = _new_claim.on_conflict_do_update(
    index_elements=["invite_id", "email_key", "username_key"],
    set_={"password_hash": _new_claim.excluded.password_hash, "claimed_at": _new_claim.excluded.claimed_at},
    where=invite_claims.c.claimed_at <= bindparam("stale_at", type_=Instant),
).returning(invite_claims.c.invite_id)
_is_claim = and_(
    invite_claims.c.invite_id == bindparam("invite_id"),
    invite_claims.c.email_key == bindparam("email_key"),
    invite_claims.c.username_key == bindparam("username_key"),
)
_get_claim = select(invite_claims).where(_is_claim)
_forget_claim = delete(invite_claims).where(_is_claim)


class SqlClaims:
    """Who has signed up with which invite; the primary key settles races.

    A claim whose username is not held any more gives way to a newer one.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, claim: Claim) -> bool:
        """Note a claim; False where address and name have used the invite already. Raises InviteUnknown."""
        values = {
            **_named(claim.invite_id, claim.email, claim.username),
            "password_hash": claim.password_hash,
            "claimed_at": claim.at,
            "stale_at": claim.at - HOLD,
        }
        try:
            return (await self._connection.execute(_add_claim, values)).first() is not None
        except IntegrityError as error:  # of the foreign key: the invite was deleted with its issuer
            raise InviteUnknown from error

    async def get(self, invite_id: UUID, email: EmailAddress, username: Username) -> Claim | None:
        """The claim of this invite by this address and name."""
        row = (await self._connection.execute(_get_claim, _named(invite_id, email, username))).first()
        return Claim(invite_id, email, username, row.password_hash, row.claimed_at) if row else None

    async def forget(self, invite_id: UUID, email: EmailAddress, username: Username) -> None:
        """Forget the claim of this invite by this address and name; it stays counted."""
        await self._connection.execute(_forget_claim, _named(invite_id, email, username))


def _named(invite_id: UUID, email: EmailAddress, username: Username) -> dict[str, Any]:
    return {"invite_id": invite_id, "email_key": email.key, "username_key": username.key}
