"""Accounts and the names that are held for them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, exists, func, not_, select, update
from sqlalchemy.dialects.postgresql import insert  # SQLite compiles its ON CONFLICT all the same
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.tables import username_holds, users
from adapters.sql.types import AnyRow, Instant
from domain.email_address import EmailAddress
from domain.errors import UsernameTaken
from domain.user import Role, User
from domain.username import Username

_add = insert(users).on_conflict_do_nothing(index_elements=["email_key"]).returning(users.c.id)
_get = select(users).where(users.c.id == bindparam("id"))
_by_email = select(users).where(users.c.email_key == bindparam("email_key"))
_any = select(exists().select_from(users))
_confirm = (
    update(users)
    .where(users.c.id == bindparam("user"))
    .values(confirmed_at=func.coalesce(users.c.confirmed_at, bindparam("at", type_=Instant)))
    .returning(users.c.id)
)


class SqlUsers:
    """All accounts; unique indexes settle who has an address or a name."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, user: User) -> bool:
        """Add an account; False where the address has one already. Raises UsernameTaken."""
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
        """The account of this address."""
        row = (await self._connection.execute(_by_email, {"email_key": email.key})).first()
        return _to_user(row) if row else None

    async def confirm(self, id: UUID, at: datetime) -> bool:
        """Note that the address is the user's; the first time stays."""
        return (await self._connection.execute(_confirm, {"user": id, "at": at})).first() is not None

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


class SqlUsernameHolds:
    """Names held so that nobody else takes them; the primary key settles races."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def hold(self, username: Username, *, until: datetime, at: datetime) -> None:
        """Hold a name that no account has and no live hold names. Raises UsernameTaken."""
        values = {"key": username.key, "until": until, "at": at}
        if (await self._connection.execute(_hold, values)).first() is None:
            raise UsernameTaken
