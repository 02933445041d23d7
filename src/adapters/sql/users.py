"""Accounts and the names that are held for them."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Update, bindparam, delete, exists, func, not_, or_, select, update
from sqlalchemy.dialects.postgresql import insert  # SQLite compiles its ON CONFLICT all the same
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.tables import username_holds, users
from adapters.sql.types import AnyRow, Instant
from domain.email_address import EmailAddress
from domain.errors import UsernameTaken
from domain.user import Role, User
from domain.username import Username

_is_confirmed = users.c.confirmed_at.is_not(None)
_is_known = exists().where(users.c.email_key == bindparam("email_key"), _is_confirmed)
_add = (
    insert(users)
    .from_select(
        [column.name for column in users.c],
        select(*(bindparam(column.name, type_=column.type) for column in users.c)).where(not_(_is_known)),
    )
    .returning(users.c.id)
)
_get = select(users).where(users.c.id == bindparam("id"))
_lock = _get.with_for_update(key_share=True)
_by_email = (
    select(users)
    .where(users.c.email_key == bindparam("email_key"))
    .order_by(_is_confirmed.desc(), users.c.id.desc())
    .limit(1)
)
_any = select(exists().select_from(users))
_address_of = select(users.c.email_key).where(users.c.id == bindparam("user")).scalar_subquery()
_lock_address = select(users.c.id).where(users.c.email_key == _address_of).order_by(users.c.id).with_for_update()
_rival = users.alias()
_confirm = (
    update(users)
    .where(
        users.c.id == bindparam("user"),
        not_(
            exists().where(
                _rival.c.email_key == users.c.email_key, _rival.c.confirmed_at.is_not(None), _rival.c.id != users.c.id
            )
        ),
    )
    .values(confirmed_at=func.coalesce(users.c.confirmed_at, bindparam("at", type_=Instant)))
    .returning(users.c.email_key)
)
_drop_unconfirmed = delete(users).where(
    users.c.email_key == bindparam("address"), users.c.confirmed_at.is_(None), users.c.id != bindparam("user")
)
_update = (
    update(users)
    .where(
        users.c.id == bindparam("user"),
        not_(
            exists().where(
                _rival.c.email_key == bindparam("address"),
                _rival.c.confirmed_at.is_not(None),
                _rival.c.id != bindparam("user"),
            )
        ),
    )
    .values(email=bindparam("as_written"), email_key=bindparam("address"), password_hash=bindparam("hash"))
    .returning(users.c.email_key)
)
_rehash = (
    update(users)
    .where(users.c.id == bindparam("user"), users.c.password_hash == bindparam("old"))
    .values(password_hash=bindparam("new"))
    .returning(users.c.id)
)
_delete = delete(users).where(users.c.id == bindparam("user"))


class SqlUsers:
    """All accounts; unique indexes settle who has an address or a name."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, user: User) -> bool:
        """Add an account; False where the address has a confirmed one. Raises UsernameTaken."""
        values = {
            "id": user.id,
            "email": user.email.address,
            "email_key": user.email.key,
            "username": user.username.name,
            "username_key": user.username.key,
            "password_hash": user.password_hash,
            "role": user.role.value,
            "invite_id": user.invite_id,
            "created_at": user.created_at,
            "confirmed_at": user.confirmed_at,
        }
        try:
            return (await self._connection.execute(_add, values)).first() is not None
        except IntegrityError as error:
            if "username_key" in str(error.orig):
                raise UsernameTaken from error
            raise

    async def get(self, id: UUID) -> User | None:
        """The account of this id."""
        row = (await self._connection.execute(_get, {"id": id})).first()
        return _to_user(row) if row else None

    async def by_email(self, email: EmailAddress) -> User | None:
        """The confirmed account of this address; else the sign-up that waits since last."""
        row = (await self._connection.execute(_by_email, {"email_key": email.key})).first()
        return _to_user(row) if row else None

    async def lock(self, id: UUID) -> User | None:
        """The account of this id, locked until the transaction ends."""
        row = (await self._connection.execute(_lock, {"id": id})).first()
        return _to_user(row) if row else None

    async def confirm(self, id: UUID, at: datetime) -> bool:
        """Note that the address is the user's; the first time stays. All of the address are locked first, in order."""
        await self._connection.execute(_lock_address, {"user": id})
        return await self._settle(_confirm, {"user": id, "at": at})

    async def update(self, user: User) -> bool:
        """Write address and password hash; False where another account has that address."""
        values = {
            "user": user.id,
            "as_written": user.email.address,
            "address": user.email.key,
            "hash": user.password_hash,
        }
        return await self._settle(_update, values)

    async def _settle(self, statement: Update, values: dict[str, Any]) -> bool:
        """Write who an address belongs to, and drop the sign-ups with it that wait; False where it is another's."""
        try:
            address = await self._connection.scalar(statement, values)
        except IntegrityError as error:
            if any(name in str(error.orig) for name in ("uq_users_confirmed", "users.email_key")):
                return False
            raise
        if address is not None:
            await self._connection.execute(_drop_unconfirmed, {"address": address, "user": values["user"]})
        return address is not None

    async def delete(self, id: UUID) -> None:
        """Delete the account; its tokens and sessions go with it."""
        await self._connection.execute(_delete, {"user": id})

    async def rehash(self, id: UUID, *, old: str, new: str) -> bool:
        """Put a new hash in the place of the old one; False where that is not there any more."""
        return (await self._connection.execute(_rehash, {"user": id, "old": old, "new": new})).first() is not None

    async def any(self) -> bool:
        """Whether there is any account at all."""
        return bool(await self._connection.scalar(_any))


def _to_user(row: AnyRow) -> User:
    """The account in a row of `users`."""
    return User(
        id=row.id,
        email=EmailAddress(row.email),
        username=Username(row.username),
        password_hash=row.password_hash,
        role=Role(row.role),
        invite_id=row.invite_id,
        created_at=row.created_at,
        confirmed_at=row.confirmed_at,
    )


_is_held = exists().where(
    username_holds.c.username_key == bindparam("key"),
    username_holds.c.held_until > bindparam("at", type_=Instant),
)
_give_up = delete(users).where(users.c.username_key == bindparam("key"), users.c.confirmed_at.is_(None), not_(_is_held))
_held = insert(username_holds).from_select(
    ["username_key", "held_until"],
    select(bindparam("key", type_=users.c.username_key.type), bindparam("until", type_=Instant)).where(
        not_(exists().where(users.c.username_key == bindparam("key")))
    ),
)
_hold = _held.on_conflict_do_update(
    index_elements=["username_key"],
    set_={"held_until": _held.excluded.held_until},
    where=username_holds.c.held_until <= bindparam("at", type_=Instant),
).returning(username_holds.c.username_key)
_extended = insert(username_holds).values(username_key=bindparam("key"), held_until=bindparam("until"))
_extend = _extended.on_conflict_do_update(
    index_elements=["username_key"], set_={"held_until": _extended.excluded.held_until}
)
_has = select(or_(exists().where(users.c.username_key == bindparam("key"), _is_confirmed), _is_held))


class SqlUsernameHolds:
    """Names held so that nobody else takes them; the primary key settles races."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def hold(self, username: Username, *, until: datetime, at: datetime) -> None:
        """Hold a name that no account has and no live hold names. Raises UsernameTaken."""
        await self._connection.execute(_give_up, {"key": username.key, "at": at})
        values = {"key": username.key, "until": until, "at": at}
        if (await self._connection.execute(_hold, values)).first() is None:
            raise UsernameTaken

    async def extend(self, username: Username, until: datetime) -> None:
        """Hold a name on behalf of the account that is about to let it go."""
        await self._connection.execute(_extend, {"key": username.key, "until": until})

    async def has(self, username: Username, at: datetime) -> bool:
        """Whether a confirmed account has the name or a live hold names it."""
        return bool(await self._connection.scalar(_has, {"key": username.key, "at": at}))
