"""How many mails strangers may cause one address to be sent."""

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import bindparam, case, or_
from sqlalchemy.dialects.postgresql import insert  # SQLite compiles its ON CONFLICT all the same
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.sql.tables import mail_quotas
from adapters.sql.types import Instant
from domain.email_address import EmailAddress
from domain.mail import PAUSE, PER_DAY, MailKind

_now, _a_day_ago = bindparam("now", type_=Instant), bindparam("a_day_ago", type_=Instant)
_first = insert(mail_quotas).values(
    address_hash=bindparam("address"), kind=bindparam("what"), day_began_at=_now, mails=1, last_at=_now
)
_is_new_day = mail_quotas.c.day_began_at <= _a_day_ago
_take = _first.on_conflict_do_update(
    index_elements=["address_hash", "kind"],
    set_={
        "day_began_at": case((_is_new_day, _now), else_=mail_quotas.c.day_began_at),
        "mails": case((_is_new_day, 1), else_=mail_quotas.c.mails + 1),
        "last_at": _now,
    },
    where=(mail_quotas.c.last_at <= bindparam("a_pause_ago", type_=Instant))
    & or_(_is_new_day, mail_quotas.c.mails < PER_DAY),
).returning(mail_quotas.c.mails)


class SqlMailQuotas:
    """Counted in the database, so that neither a lost Redis nor many workers let more through.

    Addresses stand here as hashes: who asked for mail to whom is nobody's to read.
    """

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def take(self, to: EmailAddress, kind: MailKind, at: datetime) -> bool:
        """Count a mail in one conditional statement; False where it would be one too many."""
        values = {
            "address": hashlib.sha256(to.key.encode()).digest(),
            "what": kind.value,
            "now": at,
            "a_day_ago": at - timedelta(days=1),
            "a_pause_ago": at - PAUSE,
        }
        return (await self._connection.execute(_take, values)).first() is not None
