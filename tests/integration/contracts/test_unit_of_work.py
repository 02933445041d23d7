"""What every database promises: one suite, run on SQLite and on Postgres."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Dialect

from adapters.sql import tables
from adapters.sql.engine import open_engine
from adapters.sql.unit_of_work import SqlBegin, SqlRead
from application.ports import Unavailable
from domain.email_address import EmailAddress
from domain.errors import InviteUnknown, UsernameTaken
from domain.events import UserConfirmed
from domain.invite import Invite, InviteTerms, Issued
from domain.mail import Mail, MailKind, MailState
from domain.session import Session, SessionLife
from domain.token import Purpose, Token
from domain.user import User
from domain.username import Username
from tests.integration.contracts.record import IDS, LATER, NOW, Record, a_claim, a_session, a_token, a_user, an_invite


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


async def test_a_hash_is_renewed_only_where_it_is_still_the_one_that_was_verified(record: Record) -> None:
    user = a_user()
    async with record.begin() as work:
        await work.users.add(user)
        await work.users.add(a_user("bob"))
        old = user.password_hash or ""
        assert await work.users.rehash(user.id, old=old, new="$new")
        assert not await work.users.rehash(user.id, old=old, new="$late")
        assert not await work.users.rehash(IDS.new(), old=old, new="$nobody")
    async with record.read() as work:
        assert await work.users.get(user.id) == replace(user, password_hash="$new")
        bob = await work.users.by_email(EmailAddress("bob@example.org"))
        assert bob is not None
        assert bob.password_hash == user.password_hash


async def test_an_address_has_one_account_whatever_the_case(record: Record) -> None:
    ann, twin = a_user(), replace(a_user("other"), email=EmailAddress("ANN@example.org"))
    async with record.begin() as work:
        assert await work.users.add(ann)
        assert await work.users.confirm(ann.id, NOW)
        assert not await work.users.add(twin)
    assert await record.count(tables.users) == 1


async def test_a_name_has_one_account(record: Record) -> None:
    twin = replace(a_user("other"), username=Username("ANN"))
    async with record.begin() as work:
        await work.users.add(a_user())
    with pytest.raises(UsernameTaken):
        async with record.begin() as work:
            await work.users.add(twin)


async def test_of_many_sign_ups_with_one_address_one_is_confirmed_and_the_others_go(record: Record) -> None:
    everybody = [replace(a_user(f"ann{number}"), email=EmailAddress("ann@example.org")) for number in range(20)]
    async with record.begin() as work:
        for user in everybody:
            assert await work.users.add(user)
        assert await work.users.by_email(EmailAddress("ann@example.org")) == everybody[-1]

    async def confirm(user: User) -> bool:
        async with record.begin() as work:
            return await work.users.confirm(user.id, NOW)

    assert sorted(await asyncio.gather(*map(confirm, everybody))) == [False] * 19 + [True]
    assert await record.count(tables.users) == 1


async def test_an_address_moves_to_an_account_unless_another_has_it(record: Record) -> None:
    ann, bob, waiting = a_user("ann"), a_user("bob"), replace(a_user("eve"), email=EmailAddress("new@example.org"))
    async with record.begin() as work:
        for user in (ann, bob, waiting):
            await work.users.add(user)
        for user in (ann, bob):
            await work.users.confirm(user.id, NOW)
        moved = replace(ann, email=EmailAddress("New@example.org"), password_hash=None, confirmed_at=NOW)
        assert await work.users.update(moved)
        assert await work.users.get(ann.id) == moved
        assert await work.users.get(waiting.id) is None, "a sign-up with the address that waited"
        assert await work.users.get(bob.id) == replace(bob, confirmed_at=NOW)
        assert not await work.users.update(replace(bob, email=EmailAddress("new@example.org")))
        assert not await work.users.update(a_user("nobody"))


async def test_of_many_accounts_that_move_to_one_address_one_gets_there(record: Record) -> None:
    everybody = [a_user(f"user{number}") for number in range(8)]
    waiting = replace(a_user("waiting"), email=EmailAddress("new@example.org"))
    async with record.begin() as work:
        for user in everybody:
            await work.users.add(user)
            await work.users.confirm(user.id, NOW)
        await work.users.add(waiting)

    async def move(user: User) -> bool:
        async with record.begin() as work:
            await work.users.lock(user.id)
            return await work.users.update(replace(user, email=EmailAddress("new@example.org")))

    async def confirm(user: User) -> bool:
        async with record.begin() as work:
            return await work.users.confirm(user.id, NOW)

    answers = await asyncio.gather(confirm(waiting), *map(move, everybody), return_exceptions=True)
    assert answers.count(True) == 1
    assert all(answer is False or isinstance(answer, Unavailable) for answer in answers if answer is not True)


async def test_a_locked_account_waits_for_whoever_locked_it(record: Record) -> None:
    user = a_user()
    async with record.begin() as work:
        await work.users.add(user)
    seen: list[str | None] = []

    async def change() -> None:
        async with record.begin() as work:
            locked = await work.users.lock(user.id)
            assert locked is not None
            seen.append(locked.password_hash)
            await asyncio.sleep(0.05)
            await work.users.update(replace(locked, password_hash=f"{locked.password_hash}!"))

    await asyncio.gather(change(), change(), change())
    assert seen == [user.password_hash, f"{user.password_hash}!", f"{user.password_hash}!!"]


async def test_a_session_is_started_for_the_right_hash_beside_few_others(record: Record) -> None:
    user = a_user()
    async with record.begin() as work:
        await work.users.add(user)

    async def start(session: Session, password_hash: str | None, beside: int = 1) -> bool:
        async with record.read() as work:
            return await work.sessions.start(session, password_hash=password_hash, beside=beside)

    sessions = [a_session(user) for _ in range(4)]
    assert not await start(sessions[0], "$another")
    assert not await start(sessions[0], None)
    assert not await start(a_session(a_user("nobody")), user.password_hash)
    assert [await start(session, user.password_hash) for session in sessions] == [True, True, False, False]
    async with record.read() as work:
        assert set(await work.sessions.of_user(user.id)) == set(sessions[:2])
        found = await work.sessions.get(sessions[0].key_hash)
        assert found is not None
        assert found.session == sessions[0]


async def test_a_session_waits_for_whoever_changes_the_password_and_is_not_started_then(record: Record) -> None:
    user = a_user()
    async with record.begin() as work:
        await work.users.add(user)
        await work.users.confirm(user.id, NOW)
    locked = asyncio.Event()

    async def change() -> None:
        async with record.begin() as work:
            found = await work.users.lock(user.id)
            assert found is not None
            locked.set()
            await asyncio.sleep(0.1)
            await work.sessions.delete_all(user.id)
            await work.users.update(replace(found, password_hash="$new"))

    async def start() -> bool:
        await locked.wait()
        async with record.read() as work:
            return await work.sessions.start(a_session(user), password_hash=user.password_hash, beside=9)

    _, is_started = await asyncio.gather(change(), start())
    assert not is_started
    assert await record.count(tables.sessions) == 0


async def test_a_deleted_account_takes_its_tokens_and_sessions_along(record: Record) -> None:
    user, other = a_user(), a_user("other")
    async with record.begin() as work:
        for each in (user, other):
            await work.users.add(each)
            await work.sessions.add(a_session(each))
            await work.tokens.add(a_token(each))
        await work.users.delete(user.id)
        assert await work.users.get(user.id) is None
        assert await work.users.get(other.id) == other
        assert len(await work.sessions.of_user(other.id)) == 1
    assert [await record.count(table) for table in (tables.users, tables.sessions, tables.tokens)] == [1, 1, 1]


async def test_a_name_is_held_on_for_the_account_that_lets_it_go(record: Record) -> None:
    name = Username("ann")
    async with record.begin() as work:
        await work.username_holds.extend(name, LATER)
        await work.username_holds.extend(name, LATER + timedelta(days=1))
    with pytest.raises(UsernameTaken):
        async with record.begin() as work:
            await work.username_holds.hold(name, until=LATER + timedelta(days=9), at=LATER)
    async with record.begin() as work:
        await work.username_holds.hold(name, until=LATER + timedelta(days=9), at=LATER + timedelta(days=1))


async def test_open_invites_go_with_their_issuer_and_used_ones_stay(record: Record) -> None:
    mine = [an_invite(InviteTerms(max_claims=claims)) for claims in (1, 2, 3)]
    mine = [replace(invite, issued_by=mine[0].issued_by) for invite in mine]
    theirs = an_invite()
    async with record.begin() as work:
        for invite in (*mine, theirs):
            await work.invites.add(invite)
        await work.invites.claim(mine[0].id, NOW)
        await work.claims.add(a_claim(mine[1].id, "ann"))
        assert mine[0].issued_by is not None
        await work.invites.delete_open(mine[0].issued_by, NOW)
        assert [found.invite.id for found in await work.invites.issued(limit=9)] == [theirs.id, mine[0].id]
    with pytest.raises(InviteUnknown):
        async with record.begin() as work:
            await work.claims.add(a_claim(mine[2].id, "bob"))


async def test_one_claim_of_an_address_can_be_forgotten(record: Record) -> None:
    ann, invites = EmailAddress("ANN@example.org"), [an_invite(), an_invite()]
    claims = [replace(a_claim(invite.id, "ann"), username=Username(name)) for invite in invites for name in "xy"]
    async with record.begin() as work:
        for invite in invites:
            await work.invites.add(invite)
        for claim in claims:
            await work.claims.add(claim)
        await work.claims.forget(invites[0].id, ann, Username("X"))
        kept = [await work.claims.get(claim.invite_id, claim.email, claim.username) for claim in claims]
        assert kept == [None, *claims[1:]]


async def test_what_an_address_was_mailed_can_be_forgotten(record: Record) -> None:
    ann, bob = EmailAddress("ann@example.org"), EmailAddress("bob@example.org")
    async with record.begin() as work:
        for email in (ann, bob):
            await work.mails.add(Mail(IDS.new(), MailKind.RESET, email, NOW))
        await work.mails.forget(EmailAddress("ANN@example.org"))
        assert [mail.to for mail in await work.mails.lease(10, at=NOW, until=LATER)] == [bob]


async def test_an_address_is_sent_one_mail_of_a_kind_a_minute_and_five_a_day(record: Record) -> None:
    ann = EmailAddress("ann@example.org")

    async def take(at: timedelta, kind: MailKind = MailKind.RESET, email: EmailAddress = ann) -> bool:
        async with record.begin() as work:
            return await work.mail_quotas.take(email, kind, NOW + at)

    minutes = [timedelta(minutes=minute) for minute in range(10)]
    assert await take(minutes[0])
    assert not await take(minutes[0] + timedelta(seconds=59))
    assert not await take(minutes[0] + timedelta(seconds=59), email=EmailAddress("ANN@example.org"))
    assert await take(minutes[0], MailKind.CONFIRMATION)
    assert await take(minutes[0], email=EmailAddress("bob@example.org"))
    assert [await take(at) for at in minutes[1:]] == [True] * 4 + [False] * 5
    assert not await take(timedelta(hours=23, minutes=59))
    assert await take(timedelta(days=1))
    assert not await take(timedelta(days=1, seconds=30))
    assert await take(timedelta(days=1, minutes=1))


async def test_of_many_mails_at_once_one_is_within_the_quota(record: Record) -> None:
    async def take() -> bool:
        async with record.begin() as work:
            return await work.mail_quotas.take(EmailAddress("ann@example.org"), MailKind.RESET, NOW)

    assert sorted(await asyncio.gather(*(take() for _ in range(20)))) == [False] * 19 + [True]


async def test_tokens_are_voided_by_user_purpose_and_age(record: Record) -> None:
    user, other = a_user(), a_user("other")
    undo = [replace(a_token(user, at), purpose=Purpose.EMAIL_UNDO, email=user.email) for at in (NOW, LATER)]
    reset, confirmation, others = replace(a_token(user), purpose=Purpose.RESET), a_token(user), a_token(other)
    async with record.begin() as work:
        await work.users.add(user)
        await work.users.add(other)
        for token in (*undo, reset, confirmation, others):
            await work.tokens.add(token)
        await work.tokens.void(user.id, Purpose.RESET, Purpose.CONFIRMATION, at=LATER)
        await work.tokens.void(user.id, Purpose.EMAIL_UNDO, at=LATER, since=NOW + timedelta(seconds=1))
        assert await work.tokens.get(undo[0].id) == undo[0], "each change can be undone by itself"
        assert await work.tokens.get(undo[1].id) == replace(undo[1], superseded_at=LATER)
        assert await work.tokens.get(reset.id) == replace(reset, superseded_at=LATER)
        assert await work.tokens.get(confirmation.id) == replace(confirmation, superseded_at=LATER)
        assert await work.tokens.get(others.id) == others


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
        await work.users.add(replace(a_user(), confirmed_at=NOW))
    with pytest.raises(UsernameTaken):
        async with record.begin() as work:
            await work.username_holds.hold(Username("ann"), until=LATER, at=LATER + timedelta(days=1))


async def test_a_sign_up_that_waits_longer_than_its_name_is_held_gives_way(record: Record) -> None:
    waiting = a_user()
    async with record.begin() as work:
        await work.username_holds.hold(waiting.username, until=LATER, at=NOW)
        await work.users.add(waiting)
    with pytest.raises(UsernameTaken):
        async with record.begin() as work:
            await work.username_holds.hold(waiting.username, until=LATER, at=LATER - timedelta(seconds=1))
    async with record.begin() as work:
        assert await work.users.get(waiting.id) == waiting
        await work.username_holds.hold(waiting.username, until=LATER + timedelta(days=1), at=LATER)
        assert await work.users.get(waiting.id) is None


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
        assert [found.invite for found in await work.invites.issued(UUID(int=1), limit=9)] == mine[::-1]
        assert [found.invite for found in await work.invites.issued(limit=9)] == [other, *mine[::-1]]


@pytest.mark.parametrize("by", [None, UUID(int=1)])
async def test_pages_of_invites_have_no_gap_and_no_repeat_while_new_ones_are_issued(
    record: Record, by: UUID | None
) -> None:
    async def issue() -> list[Invite]:
        fresh = [replace(an_invite(), issued_by=UUID(int=number)) for number in (1, 2)]
        async with record.begin() as work:
            for invite in fresh:
                await work.invites.add(invite)
        return [invite for invite in fresh if by in {None, invite.issued_by}]

    meant = [invite for _ in range(6) for invite in await issue()]
    pages: list[list[Invite]] = []
    before: UUID | None = None
    async with record.read() as work:
        while page := [found.invite for found in await work.invites.issued(by, before=before, limit=4)]:
            pages.append(page)
            before = page[-1].id
            await issue()
    assert {len(page) for page in pages[:-1]} == {4}
    assert [invite for page in pages for invite in page] == meant[::-1]


async def test_older_invites_are_listed_from_any_id_whether_or_not_there_is_such_an_invite(record: Record) -> None:
    older, gone, newer = an_invite(), an_invite(), an_invite()
    async with record.begin() as work:
        for invite in (older, newer):
            await work.invites.add(invite)
        assert [found.invite for found in await work.invites.issued(before=gone.id, limit=9)] == [older]
        assert await work.invites.issued(before=UUID(int=0), limit=9) == []


async def test_the_accounts_that_an_issuers_open_invites_are_good_for_are_counted(record: Record) -> None:
    mine = [replace(an_invite(InviteTerms(max_claims=3)), issued_by=UUID(int=1)) for _ in range(3)]
    over = replace(an_invite(InviteTerms(max_claims=50)), issued_by=UUID(int=1), expires_at=NOW)
    async with record.begin() as work:
        for invite in (*mine, over, an_invite()):
            await work.invites.add(invite)
        await work.invites.claim(mine[0].id, NOW)
        await work.invites.revoke(mine[1].id, NOW)
        assert await work.invites.open_claims(UUID(int=1), NOW) == 2 + 3
        assert await work.invites.open_claims(UUID(int=1), mine[0].expires_at) == 0
        assert await work.invites.open_claims(UUID(int=2), NOW) == 0


async def test_an_invite_is_listed_with_its_issuers_name_while_there_is_such_a_user(record: Record) -> None:
    ann, bob = a_user("ann"), a_user("bob")
    of_ann, of_bob = (replace(an_invite(), issued_by=user.id) for user in (ann, bob))
    of_nobody, of_the_command_line = an_invite(), replace(an_invite(), issued_by=None)
    async with record.begin() as work:
        for user in (ann, bob):
            await work.users.add(user)
        for invite in (of_ann, of_bob, of_nobody, of_the_command_line):
            await work.invites.add(invite)
        assert await work.invites.issued(limit=9) == [
            Issued(of_the_command_line, None),
            Issued(of_nobody, None),
            Issued(of_bob, bob.username),
            Issued(of_ann, ann.username),
        ]
        assert await work.invites.issued(ann.id, limit=9) == [Issued(of_ann, ann.username)]
        await work.users.delete(ann.id)
        assert await work.invites.issued(ann.id, limit=9) == [Issued(of_ann, None)]


async def test_an_address_and_a_name_claim_an_invite_once(record: Record) -> None:
    invite = an_invite()
    claim = a_claim(invite.id, "ann")
    async with record.begin() as work:
        await work.invites.add(invite)
        assert await work.claims.add(claim)
        twin = replace(claim, email=EmailAddress("ANN@example.org"), username=Username("Ann"), password_hash="other")
        assert not await work.claims.add(twin)
        assert await work.claims.get(invite.id, claim.email, claim.username) == claim
        assert await work.claims.get(invite.id, claim.email, Username("bob")) is None
        assert await work.claims.get(invite.id, EmailAddress("bob@example.org"), claim.username) is None
        assert await work.claims.add(replace(claim, username=Username("bob")))


async def test_a_name_is_out_of_reach_while_an_account_has_it_or_a_live_hold_names_it(record: Record) -> None:
    held = Username("bob")
    async with record.begin() as work:
        await work.users.add(replace(a_user("ann"), confirmed_at=NOW))
        await work.username_holds.hold(held, until=LATER, at=NOW)
        await work.users.add(a_user("bob"))
    async with record.read() as work:
        assert await work.username_holds.has(Username("ANN"), LATER)
        assert await work.username_holds.has(Username("BOB"), NOW)
        assert not await work.username_holds.has(held, LATER)
        assert not await work.username_holds.has(Username("eve"), NOW)


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

    async def consume() -> Token | None:
        async with record.begin() as work:
            return await work.tokens.consume(token.id, Purpose.CONFIRMATION, NOW)

    answers = await asyncio.gather(*(consume() for _ in range(100)))
    assert answers.count(replace(token, used_at=NOW)) == 1
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
        assert await work.tokens.consume(new.id, Purpose.CONFIRMATION, LATER) == replace(new, used_at=LATER)


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


async def test_mails_are_listed_and_those_that_are_not_sent_are_tried_again(record: Record) -> None:
    states = [MailState.QUEUED, MailState.SENDING, MailState.SENT, MailState.FAILED, MailState.FAILED]
    mails = [Mail(IDS.new(), MailKind.FAREWELL, EmailAddress(f"p{n}@example.org"), NOW) for n in range(len(states))]
    async with record.begin() as work:
        for mail in mails:
            await work.mails.add(mail)
        leased = {mail.id: mail for mail in await work.mails.lease(10, at=NOW, until=LATER)}
        await work.mails.postpone(leased[mails[0].id], LATER, "busy")
        await work.mails.mark_sent(mails[2].id, NOW)
        for mail in mails[3:]:
            await work.mails.mark_failed(leased[mail.id], "no such mailbox")
        assert [mail.state for mail in await work.mails.newest(10, None)] == states[::-1]
        assert [mail.id for mail in await work.mails.newest(2, None)] == [mails[4].id, mails[3].id]
        failed = await work.mails.newest(10, MailState.FAILED)
        assert {(mail.reason, mail.attempts) for mail in failed} == {("no such mailbox", 1)}
    async with record.begin() as work:
        outcomes = [await work.mails.requeue(mail.id, NOW) for mail in mails[:4]]
        assert outcomes == [1, 0, 0, 1], "what is sent or being sent is not sent again"
        assert await work.mails.requeue(uuid4(), NOW) == 0
        assert await work.mails.requeue(None, NOW) == 1
        due = await work.mails.lease(10, at=NOW, until=LATER)
        assert {mail.id for mail in due} == {mails[0].id, mails[3].id, mails[4].id}
        assert {mail.attempts for mail in due} == {1}


async def test_whoever_had_a_mail_before_changes_nothing_about_it_any_more(record: Record) -> None:
    """A worker that was frozen for longer than its lease wakes up when another has sent the mail."""
    mail = Mail(IDS.new(), MailKind.FAREWELL, EmailAddress("ann@example.org"), NOW)
    async with record.begin() as work:
        await work.mails.add(mail)
        (first,) = await work.mails.lease(1, at=NOW, until=LATER)
        (second,) = await work.mails.lease(1, at=LATER, until=LATER + timedelta(days=1))
        await work.mails.postpone(first, NOW, "451 later")
        await work.mails.mark_failed(first, "550 no")
        assert await work.mails.lease(1, at=LATER, until=LATER + timedelta(days=1)) == [], "it is the second's"
        await work.mails.mark_sent(second.id, LATER)
        await work.mails.postpone(second, NOW, "451 later")
        await work.mails.mark_failed(second, "550 no")
        (found,) = await work.mails.newest(1, None)
    assert (found.state, found.attempts, found.reason) == (MailState.SENT, 2, None)


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
        assert sorted(leased, key=lambda mail: mail.id) == [
            replace(mail, attempts=1, state=MailState.SENDING) for mail in mails
        ]
        assert await work.mails.lease(10, at=NOW, until=LATER) == []
        await work.mails.mark_sent(mails[0].id, NOW)
        await work.mails.mark_failed(replace(mails[1], attempts=1), "550 no")
        await work.mails.postpone(replace(mails[2], attempts=1), LATER, "451 later")
        (again,) = await work.mails.lease(10, at=LATER + timedelta(days=1), until=LATER + timedelta(days=2))
    assert again == replace(mails[2], attempts=2, state=MailState.SENDING, reason="451 later")


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


async def test_a_connection_that_is_lost_as_it_is_set_up_is_unavailable(record: Record) -> None:
    if record.engine.dialect.name != "postgresql":
        pytest.skip("a file has no connection to lose")
    await record.engine.dispose()
    fresh = open_engine(record.engine.url.render_as_string(hide_password=False))

    @event.listens_for(fresh.sync_engine, "do_connect")
    def lose(dialect: Dialect, _: object, args: Any, kwargs: Any) -> Any:
        connection = dialect.connect(*args, **kwargs)
        connection.driver_connection.terminate()
        return connection

    try:
        for enter in (SqlBegin(fresh, IDS, record.wakers), SqlRead(fresh, IDS, record.wakers)):
            with pytest.raises(Unavailable):
                async with enter() as work:
                    await work.users.any()
    finally:
        await fresh.dispose()
