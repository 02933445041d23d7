"""Relaying events and sending mails."""

import asyncio
import random
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from dependency_injector.providers import Object
from sqlalchemy import text

from adapters.cloudevents.codec import decode
from application.delivery.backoff import backoff
from application.delivery.queue_mail import CONSUMER, QueueMail
from application.delivery.relay_outbox import LEASE
from application.ports import MailDeferred, MailRefused, MailUnanswered, Message, Unavailable, Work
from domain.events import ConfirmationRequested, PasswordResetRequested
from domain.invite import InviteTerms
from domain.mail import Mail
from domain.token import Purpose
from domain.user import User
from entrypoints.container import Container
from entrypoints.delivery import delivering
from tests.hand_clock import HandClock
from tests.unit.people import (
    ANN,
    BOB,
    CLIENT,
    Person,
    a_member,
    an_invite,
    confirm,
    deliver_everything,
    sign_up,
    user_of,
)


class MoodyMailer:
    """Takes mails, or not, as the test wants; keeps what it took."""

    def __init__(self) -> None:
        self.mood: Exception | None = None
        self.taken: list[Mail] = []

    async def send(self, mail: Mail) -> None:
        if self.mood is not None:
            raise self.mood
        self.taken.append(mail)


@asynccontextmanager
async def no_record() -> AsyncIterator[Work]:
    """A database that is away."""
    raise Unavailable
    yield


class SeenGauges:
    """Notes how long events are said to wait, in seconds."""

    def __init__(self) -> None:
        self.seen: list[float | None] = []

    def events_waiting(self, oldest: timedelta | None) -> None:
        self.seen.append(None if oldest is None else oldest.total_seconds())


class MoodyPublisher:
    """Confirms the first `confirms` messages of a batch."""

    def __init__(self) -> None:
        self.confirms = 0
        self.seen: list[UUID] = []

    async def publish(self, messages: Sequence[Message]) -> Collection[UUID]:
        self.seen += [message.id for message in messages]
        return {message.id for message in messages[: self.confirms]}


async def test_what_the_publisher_does_not_confirm_comes_again(container: Container, clock: HandClock) -> None:
    await sign_up(container, ANN, await an_invite(container))
    publisher = MoodyPublisher()
    relay = replace(container.relay_outbox(), publisher=publisher)
    assert await relay() == 4
    assert await relay() == 0, "it waits before it tries again"
    clock.advance(timedelta(minutes=5))
    publisher.confirms = 3
    assert await relay() == 4
    publisher.confirms = 0
    clock.advance(timedelta(minutes=5))
    assert await relay() == 1
    publisher.confirms = 1
    clock.advance(timedelta(minutes=5))
    assert await relay() == 1
    clock.advance(timedelta(days=1))
    assert await relay() == 0
    assert len(set(publisher.seen)) == 4


async def test_what_a_dead_relay_had_taken_is_free_after_its_lease(container: Container, clock: HandClock) -> None:
    await an_invite(container)
    async with container.begin()() as work:
        now = clock.now()
        assert len(await work.outbox.lease(100, at=now, until=now + LEASE)) == 1
    assert await container.relay_outbox()() == 0
    clock.advance(LEASE)
    assert await container.relay_outbox()() == 1


async def test_the_only_process_takes_over_from_a_dead_one_at_once(container: Container, clock: HandClock) -> None:
    await sign_up(container, ANN, await an_invite(container))
    await container.relay_outbox()()
    await container.issue_invite()(terms=invite_for(BOB), by=None)
    async with container.begin()() as work:
        now = clock.now()
        assert len(await work.outbox.lease(100, at=now, until=now + LEASE)) == 1
        assert len(await work.mails.lease(100, at=now, until=now + LEASE)) == 1
    assert await container.relay_outbox()() + await container.deliver_mails()() == 0
    await container.take_over()()
    assert await container.relay_outbox()() == 1
    assert await container.deliver_mails()() == 2
    await container.take_over()()
    assert await container.relay_outbox()() + await container.deliver_mails()() == 0, "what is done stays done"


async def test_an_event_that_comes_twice_makes_one_mail(container: Container, clock: HandClock) -> None:
    await sign_up(container, ANN, await an_invite(container))
    user = await user_of(container, ANN)
    assert user is not None
    async with container.engine().connect() as connection:
        row = (await connection.execute(text("SELECT id FROM tokens"))).one()
    event = ConfirmationRequested(user.id, UUID(row.id), clock.now())
    message = Message(UUID(int=7), event.type, b"", clock.now())
    queue = QueueMail(container.begin(), clock, container.ids())
    for _ in range(3):
        await queue(message, event)
    async with container.engine().connect() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM mails")) == 1


@pytest.mark.parametrize("seed", range(5))
async def test_events_that_come_twice_and_in_any_order_make_the_same_mails(container: Container, seed: int) -> None:
    await sign_up(container, ANN, await an_invite(container))
    await container.issue_invite()(terms=invite_for(BOB), by=None)
    await container.request_password_reset()(email=ANN.email, client=CLIENT)
    async with container.begin()() as work:
        now = container.clock().now()
        messages = 2 * list(await work.outbox.lease(100, at=now, until=now + LEASE))
    random.Random(seed).shuffle(messages)
    queue = container.consumers()[CONSUMER]
    for message in messages:
        await queue.handle(message, decode(message.type, message.data))
    async with container.engine().connect() as connection:
        kinds = [kind for (kind,) in await connection.execute(text("SELECT kind FROM mails"))]
    assert sorted(kinds) == ["confirmation", "invite"], "and the reset of one who waits for the first is too soon"


async def test_a_mail_that_was_taken_is_never_sent_again(container: Container, clock: HandClock) -> None:
    mailer = MoodyMailer()
    deliver = replace(container.deliver_mails(), mailer=mailer)
    await sign_up(container, ANN, await an_invite(container))
    await container.relay_outbox()()
    await deliver()
    clock.advance(timedelta(minutes=10))
    await deliver()
    assert [mail.to for mail in mailer.taken] == [ANN.email]


async def test_a_deferred_mail_is_tried_for_a_day(container: Container, clock: HandClock) -> None:
    mailer = MoodyMailer()
    mailer.mood = MailDeferred("451 come back later")
    deliver = replace(container.deliver_mails(), mailer=mailer)
    await container.issue_invite()(terms=invite_for(BOB), by=None)
    await container.relay_outbox()()
    tries = 0
    for _ in range(23 * 12):
        tries += await deliver()
        clock.advance(timedelta(minutes=5))
    assert tries == 23 * 12, "at least every five minutes"
    mailer.mood = None
    await deliver()
    assert [mail.to for mail in mailer.taken] == [BOB.email]


async def test_a_mail_that_takes_long_holds_up_no_other(container: Container) -> None:
    begun, over = asyncio.Event(), asyncio.Event()

    class Slow(MoodyMailer):
        async def send(self, mail: Mail) -> None:
            if mail.to == ANN.email:
                begun.set()
                await over.wait()
            await super().send(mail)

    mailer = Slow()
    container.mailer.override(Object(mailer))
    async with asyncio.timeout(10), delivering(container, container.settings()):
        await container.issue_invite()(terms=invite_for(ANN), by=None)
        await begun.wait()
        await container.issue_invite()(terms=invite_for(BOB), by=None)
        while [mail.to for mail in mailer.taken] != [BOB.email]:  # noqa: ASYNC110  nobody tells us
            await asyncio.sleep(0.05)
        over.set()
    assert [mail.to for mail in mailer.taken] == [BOB.email, ANN.email]


async def test_a_mail_that_the_server_may_have_sent_is_tried_again_soon_once_and_then_seldom(
    container: Container, clock: HandClock
) -> None:
    tried = 0

    class Slow(MoodyMailer):
        async def send(self, mail: Mail) -> None:
            nonlocal tried
            tried += 1
            raise MailUnanswered("no answer to the content within 15 s")

    deliver = replace(container.deliver_mails(), mailer=Slow())
    await container.issue_invite()(terms=invite_for(BOB), by=None)
    await container.relay_outbox()()
    await deliver()
    clock.advance(timedelta(minutes=5))
    await deliver()
    assert tried == 2
    for _ in range(30 * 12):
        clock.advance(timedelta(minutes=5))
        await deliver()
    assert tried <= 7, "each may be a copy for its reader"
    ((state, reason),) = await mail_states(container)
    assert (state, reason) == ("failed", "given up after 24 hours: no answer to the content within 15 s")


async def test_one_mail_that_breaks_the_mailer_does_not_hold_up_the_others(
    container: Container, clock: HandClock
) -> None:
    class Brittle(MoodyMailer):
        async def send(self, mail: Mail) -> None:
            if mail.to == ANN.email:
                raise RuntimeError("a fault of ours")
            await super().send(mail)

    mailer = Brittle()
    for person in (ANN, BOB):
        await container.issue_invite()(terms=invite_for(person), by=None)
    await container.relay_outbox()()
    with pytest.raises(RuntimeError):
        await replace(container.deliver_mails(), mailer=mailer)()
    assert [mail.to for mail in mailer.taken] == [BOB.email]


async def test_a_mail_is_given_up_after_a_day_with_its_reason(container: Container, clock: HandClock) -> None:
    mailer = MoodyMailer()
    mailer.mood = MailDeferred("451 come back later")
    deliver = replace(container.deliver_mails(), mailer=mailer)
    await container.issue_invite()(terms=invite_for(BOB), by=None)
    await container.relay_outbox()()
    await deliver()
    clock.advance(timedelta(hours=25))
    await deliver()
    assert await mail_states(container) == [("failed", "given up after 24 hours: 451 come back later")]


async def test_a_refused_mail_fails_at_once_with_its_reason(container: Container) -> None:
    mailer = MoodyMailer()
    mailer.mood = MailRefused("550 no such user")
    await container.issue_invite()(terms=invite_for(BOB), by=None)
    await container.relay_outbox()()
    await replace(container.deliver_mails(), mailer=mailer)()
    assert await mail_states(container) == [("failed", "550 no such user")]


async def test_a_mail_whose_link_is_used_up_is_not_sent(container: Container, said: list[str]) -> None:
    await sign_up(container, ANN, await an_invite(container))
    await container.relay_outbox()()
    await confirm(container, ANN)
    await deliver_everything(container)
    assert said == []
    assert await mail_states(container) == [("failed", "its link cannot be used any more")]


async def test_every_mail_is_a_file_and_a_line_with_its_link(container: Container, said: list[str]) -> None:
    await sign_up(container, ANN, await an_invite(container))
    await deliver_everything(container)
    (line,) = said
    assert line.startswith("Mail to ann@example.org: Confirm your address for Bottomline http://localhost:8000/invite#")
    (file,) = (container.settings().data_dir / "mail").iterdir()
    assert line.rsplit(" ", 1)[1] in file.read_text()


async def test_events_that_nobody_takes_for_a_minute_are_said_so(
    container: Container, clock: HandClock, caplog: pytest.LogCaptureFixture
) -> None:
    async def said_after(step: timedelta) -> list[str]:
        caplog.clear()
        clock.advance(step)
        assert await container.watch_outbox()() == 0
        return [record.getMessage() for record in caplog.records if record.name.endswith("watch_outbox")]

    gauges = SeenGauges()
    container.gauges.override(Object(gauges))
    assert await said_after(timedelta(hours=1)) == [], "there is none"
    await sign_up(container, ANN, await an_invite(container))
    assert await said_after(timedelta(seconds=60)) == []
    assert await said_after(timedelta(seconds=1)) == ["events are not taken: the oldest has waited for 61 s"]
    await deliver_everything(container)
    assert await said_after(timedelta(hours=1)) == []
    assert gauges.seen == [0, 60, 61, 0]
    with pytest.raises(Unavailable):
        await replace(container.watch_outbox(), read=no_record)()
    assert gauges.seen[-1] is None


@pytest.mark.parametrize(
    ("attempts", "ceiling"), [(1, 1), (2, 2), (3, 4), (9, 256), (10, 300), (20, 300), (10_000, 300)]
)
def test_waits_double_to_five_minutes_with_full_jitter(attempts: int, ceiling: int) -> None:
    assert backoff(attempts, 0.5) == timedelta(seconds=ceiling / 2)
    assert backoff(attempts, 0.0) == timedelta(milliseconds=100)


def invite_for(person: Person) -> InviteTerms:
    return InviteTerms(email=person.email)


async def mail_states(container: Container) -> list[tuple[str, str]]:
    async with container.engine().connect() as connection:
        return [tuple(row) for row in await connection.execute(text("SELECT state, reason FROM mails"))]


async def test_a_reset_for_an_address_that_the_account_leaves_meanwhile_is_not_mailed(container: Container) -> None:
    """Else an account that was taken back could be opened by the mail to the thief's address."""
    user = await a_member(container, ANN)

    @asynccontextmanager
    async def begin() -> AsyncIterator[Work]:
        async with container.begin()() as work:
            lock = work.users.lock

            async def moved(id: UUID) -> User | None:
                found = await lock(id)
                return found.with_address(BOB.email) if found else None

            work.users.lock = moved  # type: ignore[method-assign]
            yield work

    event = PasswordResetRequested(user.email.address)
    queue = QueueMail(begin, container.clock(), container.ids())
    await queue(Message(UUID(int=7), event.type, b"", container.clock().now()), event)
    async with container.read()() as work:
        assert await work.tokens.newest(user.id, Purpose.RESET) is None
