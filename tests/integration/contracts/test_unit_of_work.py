"""What every database promises: one suite, run on SQLite and on Postgres."""

import asyncio
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.memory.signal import MemorySignal
from adapters.sql import tables
from adapters.sql.engine import open_engine
from adapters.sql.unit_of_work import SqlBegin, SqlRead, SqlWork, Wakers
from adapters.system.randomness import Uuid7Ids
from application.ports import Unavailable
from domain.email_address import EmailAddress
from domain.errors import UsernameTaken
from domain.events import UserConfirmed
from domain.invite import Claim, Invite, InviteTerms
from domain.mail import Mail, MailKind
from domain.session import Session, SessionKey, SessionLife
from domain.token import Purpose, Token
from domain.user import Role, User
from domain.username import Username

NOW = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
IDS = Uuid7Ids()


class Record:
    """A database to work on, and the signals it gives."""

    def __init__(self, engine: AsyncEngine) -> None:
        self.engine = engine
        self.outbox_signal, self.mails_signal = MemorySignal(), MemorySignal()
        self.wakers = Wakers(self.outbox_signal, self.mails_signal)
        self._begin, self._read = SqlBegin(engine, IDS, self.wakers), SqlRead(engine, IDS, self.wakers)

    def begin(self) -> AbstractAsyncContextManager[SqlWork]:
        return self._begin()

    def read(self) -> AbstractAsyncContextManager[SqlWork]:
        return self._read()

    async def count(self, table: Any) -> int:
        async with self.engine.connect() as connection:
            return int(await connection.scalar(select(func.count()).select_from(table)) or 0)


@pytest.fixture
async def record(engine: AsyncEngine) -> Record:
    return Record(engine)


def an_invite(terms: InviteTerms | None = None) -> Invite:
    return Invite.issue(terms or InviteTerms(note="é 🦉"), id=IDS.new(), by=uuid4(), at=NOW)


def a_user(name: str = "ann", at: datetime = NOW) -> User:
    email, username = EmailAddress(f"{name}@example.org"), Username(name)
    return User(IDS.new(), email, username, "$argon2id$…", Role.MEMBER, uuid4(), at)


def a_session(user: User) -> Session:
    return Session.start(
        id=IDS.new(),
        user_id=user.id,
        key=SessionKey(uuid4().bytes * 2),
        at=NOW,
        life=SessionLife(),
        user_agent="Mozilla/5.0 é",
        ip="::1",
    )


def a_token(user: User, at: datetime = NOW) -> Token:
    return Token(IDS.new(), Purpose.CONFIRMATION, user.id, at, at + timedelta(days=1))


class Boom(Exception):
    """A fault of the test's own."""


async def test_a_clean_exit_commits(record: Record) -> None:
    invite = an_invite()
    async with record.begin() as work:
        await work.invites.add(invite)
    async with record.read() as work:
        assert await work.invites.get(invite.id) == invite


async def test_an_exception_rolls_back(record: Record) -> None:
    with pytest.raises(Boom):
        async with record.begin() as work:
            await work.invites.add(an_invite())
            raise Boom
    assert await record.count(tables.invites) == 0


async def test_a_cancelled_transaction_rolls_back(record: Record) -> None:
    begun = asyncio.Event()

    async def hang() -> None:
        async with record.begin() as work:
            await work.invites.add(an_invite())
            begun.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(hang())
    await begun.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    async with record.begin() as work:
        await work.invites.add(an_invite())
    assert await record.count(tables.invites) == 1


async def test_nothing_is_seen_before_the_commit(record: Record) -> None:
    invite = an_invite()
    async with record.begin() as work:
        await work.invites.add(invite)
        async with record.read() as other:
            assert await other.invites.get(invite.id) is None


async def test_everything_comes_back_as_it_went_in(record: Record) -> None:
    user = a_user()
    session, token = a_session(user), a_token(user)
    async with record.begin() as work:
        assert await work.users.add(user)
        await work.sessions.add(session)
        await work.tokens.add(token)
    async with record.read() as work:
        assert await work.users.get(user.id) == user
        assert await work.users.by_email(EmailAddress("ANN@example.org")) == user
        assert await work.tokens.get(token.id) == token
        found = await work.sessions.get(session.key_hash)
        assert found is not None
        assert (found.session, found.user) == (session, user.profile)
        assert await work.sessions.get(bytes(32)) is None


async def test_an_address_has_one_account_whatever_the_case(record: Record) -> None:
    twin = replace(a_user("other"), email=EmailAddress("ANN@example.org"))
    async with record.begin() as work:
        assert await work.users.add(a_user())
        assert not await work.users.add(twin)
    assert await record.count(tables.users) == 1


async def test_a_name_has_one_account(record: Record) -> None:
    twin = replace(a_user("other"), username=Username("ANN"))
    async with record.begin() as work:
        await work.users.add(a_user())
    with pytest.raises(UsernameTaken):
        async with record.begin() as work:
            await work.users.add(twin)


async def test_of_many_who_sign_up_with_one_address_one_is_added(record: Record) -> None:
    async def add(number: int) -> bool:
        async with record.begin() as work:
            return await work.users.add(replace(a_user(f"ann{number}"), email=EmailAddress("ann@example.org")))

    assert sorted(await asyncio.gather(*map(add, range(20)))) == [False] * 19 + [True]


async def test_of_many_who_want_a_name_one_gets_it(record: Record) -> None:
    async def hold() -> None:
        async with record.begin() as work:
            await work.username_holds.hold(Username("ann"), until=LATER, at=NOW)

    answers = await asyncio.gather(*(hold() for _ in range(20)), return_exceptions=True)
    assert answers.count(None) == 1
    assert sum(isinstance(answer, UsernameTaken) for answer in answers) == 19


async def test_a_held_name_is_free_when_the_hold_is_over_unless_an_account_has_it(record: Record) -> None:
    async with record.begin() as work:
        await work.username_holds.hold(Username("ann"), until=LATER, at=NOW)
    with pytest.raises(UsernameTaken):
        async with record.begin() as work:
            await work.username_holds.hold(Username("Ann"), until=LATER, at=NOW)
    async with record.begin() as work:
        await work.username_holds.hold(Username("ann"), until=LATER + timedelta(hours=1), at=LATER)
        await work.users.add(a_user())
    with pytest.raises(UsernameTaken):
        async with record.begin() as work:
            await work.username_holds.hold(Username("ann"), until=LATER, at=LATER + timedelta(days=1))


@pytest.mark.parametrize("claims", [1, 7])
async def test_an_invite_is_claimed_as_often_as_it_allows_by_however_many_at_once(record: Record, claims: int) -> None:
    invite = an_invite(InviteTerms(max_claims=claims))
    async with record.begin() as work:
        await work.invites.add(invite)

    async def claim() -> bool:
        async with record.begin() as work:
            return await work.invites.claim(invite.id, NOW)

    answers = await asyncio.gather(*(claim() for _ in range(200)))
    assert sum(answers) == claims
    async with record.read() as work:
        found = await work.invites.get(invite.id)
    assert found == replace(invite, claims=claims)


async def test_an_invite_that_is_not_open_can_be_neither_claimed_nor_revoked(record: Record) -> None:
    expired, revoked = an_invite(), an_invite()
    async with record.begin() as work:
        await work.invites.add(expired)
        await work.invites.add(revoked)
        assert await work.invites.revoke(revoked.id, NOW)
        for invite, at in ((expired, expired.expires_at), (revoked, NOW)):
            assert not await work.invites.claim(invite.id, at)
            assert not await work.invites.revoke(invite.id, at)
        assert not await work.invites.claim(uuid4(), NOW)


async def test_invites_are_listed_newest_first_for_their_issuer_or_all(record: Record) -> None:
    mine = [replace(an_invite(), issued_by=UUID(int=1)) for _ in range(3)]
    other = an_invite()
    async with record.begin() as work:
        for invite in (*mine, other):
            await work.invites.add(invite)
    async with record.read() as work:
        assert await work.invites.issued(UUID(int=1)) == mine[::-1]
        assert await work.invites.issued() == [other, *mine[::-1]]


async def test_an_address_claims_an_invite_once(record: Record) -> None:
    invite = an_invite()
    claim = Claim(invite.id, EmailAddress("ann@example.org"), NOW)
    async with record.begin() as work:
        await work.invites.add(invite)
        assert await work.claims.add(claim)
        assert not await work.claims.add(replace(claim, email=EmailAddress("ANN@example.org")))
        assert await work.claims.has(invite.id, EmailAddress("Ann@example.org"))
        assert not await work.claims.has(invite.id, EmailAddress("bob@example.org"))


async def test_confirming_keeps_the_first_time(record: Record) -> None:
    user = a_user()
    async with record.begin() as work:
        await work.users.add(user)
        assert await work.users.any() is not False
        assert await work.users.confirm(user.id, NOW)
        assert await work.users.confirm(user.id, LATER)
        assert not await work.users.confirm(uuid4(), NOW)
        found = await work.users.get(user.id)
    assert found == replace(user, confirmed_at=NOW)


async def test_of_many_who_use_a_token_one_succeeds(record: Record) -> None:
    user = a_user()
    token = a_token(user)
    async with record.begin() as work:
        await work.users.add(user)
        await work.tokens.add(token)

    async def consume() -> UUID | None:
        async with record.begin() as work:
            return await work.tokens.consume(token.id, Purpose.CONFIRMATION, NOW)

    answers = await asyncio.gather(*(consume() for _ in range(100)))
    assert answers.count(user.id) == 1
    assert answers.count(None) == 99


async def test_a_token_is_not_used_for_another_purpose_too_late_or_after_a_newer_one(record: Record) -> None:
    user = a_user()
    old, new = a_token(user), a_token(user, LATER)
    async with record.begin() as work:
        await work.users.add(user)
        await work.tokens.add(old)
        assert await work.tokens.consume(old.id, Purpose.INVITE, NOW) is None
        assert await work.tokens.consume(old.id, Purpose.CONFIRMATION, old.expires_at) is None
        await work.tokens.add(new)
        assert await work.tokens.newest(user.id, Purpose.CONFIRMATION) == new
        assert await work.tokens.consume(old.id, Purpose.CONFIRMATION, LATER) is None
        assert await work.tokens.consume(new.id, Purpose.CONFIRMATION, LATER) == user.id


async def test_ending_sessions_tells_which_they_were(record: Record) -> None:
    user = a_user()
    one, two = a_session(user), a_session(user)
    async with record.begin() as work:
        await work.users.add(user)
        await work.sessions.add(one)
        await work.sessions.add(two)
        assert await work.sessions.delete(one.key_hash) == one
        assert await work.sessions.delete(one.key_hash) is None
        assert await work.sessions.delete_all(user.id) == [two]
        assert await work.sessions.delete_all(user.id) == []


async def test_a_session_keeps_when_it_was_seen_and_an_ended_one_stays_ended(record: Record) -> None:
    user = a_user()
    session = a_session(user)
    seen = session.seen(LATER, SessionLife())
    async with record.begin() as work:
        await work.users.add(user)
        await work.sessions.update(seen)
        assert await work.sessions.get(session.key_hash) is None
        await work.sessions.add(session)
        await work.sessions.update(seen)
        found = await work.sessions.get(session.key_hash)
    assert found is not None
    assert found.session == seen


async def test_events_count_once_committed_and_wake_the_relay_then(record: Record) -> None:
    with pytest.raises(Boom):
        async with record.begin() as work:
            await work.outbox.add(UserConfirmed(uuid4()), at=NOW)
            raise Boom
    assert await record.count(tables.outbox) == 0
    assert not record.outbox_signal._event.is_set()
    async with record.begin() as work:
        await work.outbox.add(UserConfirmed(uuid4()), UserConfirmed(uuid4()), at=NOW)
    assert record.outbox_signal._event.is_set()
    assert await record.count(tables.outbox) == 2


async def test_relays_at_once_get_different_events_and_all_of_them(record: Record) -> None:
    async with record.begin() as work:
        await work.outbox.add(*(UserConfirmed(uuid4()) for _ in range(100)), at=NOW)

    async def lease() -> list[UUID]:
        async with record.begin() as work:
            return [message.id for message in await work.outbox.lease(10, at=NOW, until=LATER)]

    batches = await asyncio.gather(*(lease() for _ in range(10)))
    leased = [message_id for batch in batches for message_id in batch]
    assert len(leased) == len(set(leased))
    while more := await lease():
        leased += more
    assert len(leased) == len(set(leased)) == 100


async def test_an_event_is_leased_until_it_is_published_postponed_or_the_lease_is_over(record: Record) -> None:
    async with record.begin() as work:
        await work.outbox.add(UserConfirmed(uuid4()), at=NOW)
        (first,) = await work.outbox.lease(10, at=NOW, until=LATER)
        assert await work.outbox.lease(10, at=NOW, until=LATER) == []
        (again,) = await work.outbox.lease(10, at=LATER, until=LATER + timedelta(hours=1))
        assert again == replace(first, attempts=2)
        await work.outbox.postpone(first.id, LATER + timedelta(minutes=5))
        assert await work.outbox.lease(10, at=LATER, until=LATER) == []
        due = LATER + timedelta(minutes=5)
        assert len(await work.outbox.lease(10, at=due, until=due + timedelta(hours=1))) == 1
        await work.outbox.mark_published([first.id], due)
        assert await work.outbox.lease(10, at=due + timedelta(days=9), until=due + timedelta(days=10)) == []


async def test_a_message_is_done_once_for_each_consumer(record: Record) -> None:
    message_id = uuid4()

    async def done(consumer: str) -> bool:
        async with record.begin() as work:
            return await work.inbox.add(consumer, message_id, NOW)

    assert sum(await asyncio.gather(*(done("mails") for _ in range(20)))) == 1
    assert await done("others")


async def test_a_mail_is_leased_sent_postponed_or_failed(record: Record) -> None:
    mails = [
        Mail(IDS.new(), MailKind.CONFIRMATION, EmailAddress("ann@example.org"), NOW, uuid4(), LATER, "ann", None),
        Mail(IDS.new(), MailKind.INVITE, EmailAddress("bob@example.org"), NOW, uuid4(), LATER, None, "ann"),
        Mail(IDS.new(), MailKind.ACCOUNT_EXISTS, EmailAddress("eve@example.org"), NOW, username="eve"),
    ]
    async with record.begin() as work:
        for mail in mails:
            await work.mails.add(mail)
    assert record.mails_signal._event.is_set()
    async with record.begin() as work:
        leased = await work.mails.lease(10, at=NOW, until=LATER)
        assert sorted(leased, key=lambda mail: mail.id) == [replace(mail, attempts=1) for mail in mails]
        assert await work.mails.lease(10, at=NOW, until=LATER) == []
        await work.mails.mark_sent(mails[0].id, NOW)
        await work.mails.mark_failed(mails[1].id, "550 no")
        await work.mails.postpone(mails[2].id, LATER, "451 later")
        (again,) = await work.mails.lease(10, at=LATER + timedelta(days=1), until=LATER + timedelta(days=2))
    assert again == replace(mails[2], attempts=2)


async def test_a_database_that_is_not_there_is_unavailable(record: Record, tmp_path: Any) -> None:
    await record.engine.dispose()
    nowhere = record.engine.url.set(host="127.0.0.1", port=1) if record.engine.url.host else None
    url = nowhere.render_as_string(hide_password=False) if nowhere else f"sqlite:///{tmp_path}"
    broken = open_engine(url)
    try:
        for enter in (SqlBegin(broken, IDS, record.wakers), SqlRead(broken, IDS, record.wakers)):
            with pytest.raises(Unavailable):
                async with enter() as work:
                    await work.users.any()
    finally:
        await broken.dispose()
