"""What is over is forgotten in time, and nothing else is."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

import pytest
from sqlalchemy import Table
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.tables import (
    inbox,
    invite_claims,
    mail_quotas,
    mails,
    outbox,
    sessions,
    tokens,
    username_holds,
)
from application import housekeeping
from application.housekeeping import KeepHouse
from domain.email_address import EmailAddress
from domain.events import UserConfirmed
from domain.mail import Mail, MailKind
from domain.retention import KEPT, Leftover
from domain.session import SessionLife
from domain.username import Username
from tests.hand_clock import HandClock
from tests.integration.contracts.record import IDS, NOW, Record, a_claim, a_session, a_token, a_user, an_invite

TABLES: Mapping[Leftover, Table] = {
    Leftover.EVENT: outbox,
    Leftover.MESSAGE: inbox,
    Leftover.MAIL: mails,
    Leftover.TOKEN: tokens,
    Leftover.SESSION: sessions,
    Leftover.HOLD: username_holds,
    Leftover.CLAIM: invite_claims,
    Leftover.QUOTA: mail_quotas,
}


@pytest.fixture
def record(engine: AsyncEngine) -> Record:
    return Record(engine)


@pytest.fixture
def clock() -> HandClock:
    hand_clock = HandClock()
    hand_clock.advance(timedelta(seconds=1))
    assert timedelta(0) < hand_clock.now() - NOW < timedelta(seconds=1)
    return hand_clock


@pytest.fixture
def keep_house(record: Record, clock: HandClock) -> KeepHouse:
    return KeepHouse(record.begin, clock)


async def leave_one_of_each(record: Record, name: str = "ann") -> None:
    """One of each kind, beside a user and an invite, who are not over."""
    user, invite = a_user(name), an_invite()
    mail = Mail(IDS.new(), MailKind.PASSWORD_CHANGED, user.email, NOW)
    async with record.begin() as work:
        await work.users.add(user)
        await work.invites.add(invite)
        await work.claims.add(a_claim(invite.id, name))
        await work.sessions.add(a_session(user))
        await work.tokens.add(a_token(user))
        await work.outbox.add(UserConfirmed(user.id), at=NOW)
        (message, *_) = await work.outbox.lease(1, at=NOW, until=NOW)
        await work.outbox.mark_published([message.id], NOW)
        await work.inbox.add("mails", message.id, NOW)
        await work.mails.add(mail)
        await work.mails.mark_sent(mail.id, NOW)
        await work.mail_quotas.take(user.email, MailKind.RESET, NOW)
        await work.username_holds.hold(Username(f"{name}x"), until=NOW, at=NOW)


async def counts(record: Record) -> dict[Leftover, int]:
    return {kind: await record.count(table) for kind, table in TABLES.items()}


async def test_each_kind_is_kept_for_its_time_and_then_gone(
    record: Record, clock: HandClock, keep_house: KeepHouse
) -> None:
    await leave_one_of_each(record)
    assert set((await counts(record)).values()) == {1}
    gone: dict[Leftover, timedelta] = {}
    for day in range(100):
        await keep_house()
        for kind, left in (await counts(record)).items():
            if not left:
                gone.setdefault(kind, timedelta(days=day))
        clock.advance(timedelta(days=1))
    lasted = {Leftover.TOKEN: timedelta(days=1), Leftover.SESSION: SessionLife().absolute}
    assert gone == {kind: lasted.get(kind, timedelta(0)) + kept for kind, kept in KEPT.items()}


async def test_what_is_still_to_be_done_stays_however_old(
    record: Record, clock: HandClock, keep_house: KeepHouse
) -> None:
    async with record.begin() as work:
        await work.outbox.add(UserConfirmed(IDS.new()), at=NOW)
        await work.mails.add(Mail(IDS.new(), MailKind.FAREWELL, EmailAddress("ann@example.org"), NOW))
    clock.advance(timedelta(days=10_000))
    assert await keep_house() == 0
    assert (await record.count(outbox), await record.count(mails)) == (1, 1)


async def test_many_go_in_batches_the_oldest_first(
    record: Record, clock: HandClock, keep_house: KeepHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(housekeeping, "BATCH", 3)
    async with record.begin() as work:
        for number in range(7):
            await work.inbox.add("mails", IDS.new(), NOW + timedelta(seconds=number))
    clock.advance(KEPT[Leftover.MESSAGE] + timedelta(seconds=4))
    assert [await keep_house() for _ in range(3)] == [3, 2, 0]
    async with record.engine.connect() as connection:
        (kept,) = (await connection.execute(inbox.select().with_only_columns(inbox.c.done_at).limit(1))).scalars()
    assert kept >= NOW + timedelta(seconds=5)


async def test_several_may_keep_house_at_once(record: Record, clock: HandClock, keep_house: KeepHouse) -> None:
    for number in range(20):
        await leave_one_of_each(record, f"person{number}")
    clock.advance(timedelta(days=100))
    await asyncio.gather(*(keep_house() for _ in range(8)))
    while await keep_house():
        pass
    assert set((await counts(record)).values()) == {0}
