"""The outbox, the inbox, and the mails between them."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, bindparam, delete, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from adapters.cloudevents.codec import encode
from adapters.sql.tables import UNSENT, inbox, mails, outbox
from adapters.sql.types import AnyRow
from application.ports import Ids, Message
from domain.email_address import EmailAddress
from domain.events import Event
from domain.mail import Mail, MailKind, MailState

_add_event = insert(outbox)
_due_events = (
    select(outbox.c.id)
    .where(
        outbox.c.published_at.is_(None),
        outbox.c.next_at <= bindparam("now"),
        or_(outbox.c.lease_until.is_(None), outbox.c.lease_until <= bindparam("now")),
    )
    .order_by(outbox.c.next_at, outbox.c.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_lease_events = (
    update(outbox)
    .where(outbox.c.id.in_(_due_events.scalar_subquery()))
    .values(lease_until=bindparam("until"), attempts=outbox.c.attempts + 1)
    .returning(outbox.c.id, outbox.c.type, outbox.c.data, outbox.c.created_at, outbox.c.attempts)
)
_published = (
    update(outbox)
    .where(outbox.c.id.in_(bindparam("ids", expanding=True)))
    .values(published_at=bindparam("at"), lease_until=None)
)
_postpone_event = (
    update(outbox).where(outbox.c.id == bindparam("message")).values(next_at=bindparam("until"), lease_until=None)
)
_free_events = (
    update(outbox).where(outbox.c.published_at.is_(None), outbox.c.lease_until.is_not(None)).values(lease_until=None)
)


_oldest_event = select(func.min(outbox.c.created_at)).where(outbox.c.published_at.is_(None))


class SqlOutbox:
    """Events that wait for the broker. `added` is called when there are new ones; they count once committed."""

    def __init__(self, connection: AsyncConnection, ids: Ids, added: Callable[[], None]) -> None:
        self._connection = connection
        self._ids = ids
        self._added = added

    async def add(self, *events: Event, at: datetime) -> None:
        """Add events; they are published if and only if the transaction commits."""
        rows = [
            {
                "id": self._ids.new(),
                "type": event.type,
                "data": encode(event),
                "created_at": at,
                "attempts": 0,
                "next_at": at,
            }
            for event in events
        ]
        await self._connection.execute(_add_event, rows)
        self._added()

    async def lease(self, limit: int, *, at: datetime, until: datetime) -> Sequence[Message]:
        """Take up to `limit` due messages; nobody else gets them before `until`. Oldest first."""
        rows = await self._connection.execute(_lease_events, {"most": limit, "now": at, "until": until})
        messages = [Message(row.id, row.type, row.data, row.created_at, row.attempts) for row in rows]
        return sorted(messages, key=lambda message: message.id)

    async def mark_published(self, ids: Collection[UUID], at: datetime) -> None:
        """The broker has confirmed these."""
        if ids:
            await self._connection.execute(_published, {"ids": list(ids), "at": at})

    async def oldest(self) -> datetime | None:
        """When the oldest event that is not published was added, if there is any."""
        oldest: datetime | None = await self._connection.scalar(_oldest_event)
        return oldest

    async def postpone(self, id: UUID, until: datetime) -> None:
        """Try this one again later."""
        await self._connection.execute(_postpone_event, {"message": id, "until": until})

    async def free_leases(self) -> None:
        """End every lease: whoever held one is gone."""
        await self._connection.execute(_free_events)


_add_done = (
    postgresql.insert(inbox)
    .on_conflict_do_nothing(index_elements=["consumer", "message_id"])
    .returning(inbox.c.message_id)
)


class SqlInbox:
    """What each consumer has done; the primary key settles races."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, consumer: str, message_id: UUID, at: datetime) -> bool:
        """Note a message as done; False where it was done before."""
        values = {"consumer": consumer, "message_id": message_id, "done_at": at}
        return (await self._connection.execute(_add_done, values)).first() is not None


_add_mail = insert(mails)
_due_mails = (
    select(mails.c.id)
    .where(
        UNSENT,
        mails.c.next_at <= bindparam("now"),
        or_(mails.c.lease_until.is_(None), mails.c.lease_until <= bindparam("now")),
    )
    .order_by(mails.c.next_at, mails.c.id)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_lease_mails = (
    update(mails)
    .where(mails.c.id.in_(_due_mails.scalar_subquery()))
    .values(state=MailState.SENDING.value, lease_until=bindparam("until"), attempts=mails.c.attempts + 1)
    .returning(*mails.c)
)
_mark = update(mails).where(mails.c.id == bindparam("mail"))
_sent = _mark.values(state=MailState.SENT.value, sent_at=bindparam("at"), lease_until=None, reason=None)
_mine = _mark.where(mails.c.state == MailState.SENDING.value, mails.c.attempts == bindparam("attempt"))
"""Each lease counts as an attempt, so its number tells whether the lease is still the one that was given out."""
_postpone_mail = _mine.values(
    state=MailState.QUEUED.value, next_at=bindparam("until"), lease_until=None, reason=bindparam("why")
)
_failed = _mine.values(state=MailState.FAILED.value, lease_until=None, reason=bindparam("why"))
_newest = select(mails).order_by(mails.c.id.desc()).limit(bindparam("most"))
_requeue = update(mails).values(state=MailState.QUEUED.value, next_at=bindparam("at"), attempts=0, lease_until=None)
_free_mails = update(mails).where(mails.c.state == MailState.SENDING.value).values(lease_until=None)
_forget = delete(mails).where(mails.c.recipient_key == bindparam("to"))


class SqlMails:
    """Mails to send and sent. `added` is called when there are new ones; they count once committed."""

    def __init__(self, connection: AsyncConnection, added: Callable[[], None]) -> None:
        self._connection = connection
        self._added = added

    async def add(self, mail: Mail) -> None:
        """Queue a mail."""
        values = {
            "id": mail.id,
            "kind": mail.kind.value,
            "recipient": mail.to.address,
            "recipient_key": mail.to.key,
            "link_id": mail.link_id,
            "link_expires_at": mail.link_expires_at,
            "username": mail.username,
            "invited_by": mail.invited_by,
            "state": MailState.QUEUED.value,
            "attempts": mail.attempts,
            "created_at": mail.created_at,
            "next_at": mail.created_at,
        }
        await self._connection.execute(_add_mail, values)
        self._added()

    async def lease(self, limit: int, *, at: datetime, until: datetime) -> Sequence[Mail]:
        """Take up to `limit` due mails, as `sending`; nobody else gets them before `until`."""
        rows = await self._connection.execute(_lease_mails, {"most": limit, "now": at, "until": until})
        return [_to_mail(row) for row in rows]

    async def mark_sent(self, id: UUID, at: datetime) -> None:
        """The mail server has taken it."""
        await self._connection.execute(_sent, {"mail": id, "at": at})

    async def postpone(self, mail: Mail, until: datetime, reason: str) -> None:
        """Queue it again for later, unless it is not ours any more."""
        values = {"mail": mail.id, "attempt": mail.attempts, "until": until, "why": reason}
        await self._connection.execute(_postpone_mail, values)

    async def mark_failed(self, mail: Mail, reason: str) -> None:
        """It will not be sent, unless it is not ours any more."""
        await self._connection.execute(_failed, {"mail": mail.id, "attempt": mail.attempts, "why": reason})

    async def newest(self, limit: int, state: MailState | None) -> Sequence[Mail]:
        """The newest mails, newest first; in one state, or in any."""
        statement = _newest if state is None else _newest.where(mails.c.state == state.value)
        return [_to_mail(row) for row in await self._connection.execute(statement, {"most": limit})]

    async def requeue(self, id: UUID | None, at: datetime) -> int:
        """Have this mail sent now if it has failed or waits, or every one that has failed; how many."""
        failed, waits = mails.c.state == MailState.FAILED.value, mails.c.state == MailState.QUEUED.value
        which = failed if id is None else and_(mails.c.id == id, or_(failed, waits))
        self._added()
        return (await self._connection.execute(_requeue.where(which), {"at": at})).rowcount

    async def free_leases(self) -> None:
        """End every lease: whoever held one is gone."""
        await self._connection.execute(_free_mails)

    async def forget(self, to: EmailAddress) -> None:
        """Forget all mails to an address, those that wait to be sent too."""
        await self._connection.execute(_forget, {"to": to.key})


def _to_mail(row: AnyRow) -> Mail:
    return Mail(
        id=row.id,
        kind=MailKind(row.kind),
        to=EmailAddress(row.recipient),
        created_at=row.created_at,
        link_id=row.link_id,
        link_expires_at=row.link_expires_at,
        username=row.username,
        invited_by=row.invited_by,
        attempts=row.attempts,
        state=MailState(row.state),
        reason=row.reason,
    )
