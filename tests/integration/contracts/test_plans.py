"""What is looked for all the time is found by an index."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias, cast
from uuid import UUID

import asyncpg
import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from adapters.memory.signal import MemorySignal
from adapters.sql.engine import open_engine
from adapters.sql.tables import metadata
from adapters.sql.unit_of_work import SqlWork, Wakers
from application.invites.list_invites import PAGE
from domain.events import UserConfirmed
from domain.mail import Mail, MailKind, MailState
from domain.retention import Leftover
from domain.token import Purpose
from domain.user import User
from domain.username import Username
from tests.integration.contracts.record import IDS, LATER, NOW, a_claim, a_session, a_token, a_user, an_invite
from tests.integration.databases import migrated_database
from tests.integration.population import ROWS, Population, key_of
from tests.integration.servers import Servers

WAKERS = Wakers(MemorySignal(), MemorySignal())
SEARCHES: dict[str, Callable[[SqlWork], Awaitable[Any]]] = {
    "ix_outbox_due": lambda work: work.outbox.lease(1, at=NOW, until=NOW),
    "ix_mails_due": lambda work: work.mails.lease(1, at=NOW, until=NOW),
    "ix_outbox_over": lambda work: work.leftovers.delete(Leftover.EVENT, before=NOW, most=1),
    "ix_inbox_done_at": lambda work: work.leftovers.delete(Leftover.MESSAGE, before=NOW, most=1),
    "ix_mails_over": lambda work: work.leftovers.delete(Leftover.MAIL, before=NOW, most=1),
    "ix_tokens_expires_at": lambda work: work.leftovers.delete(Leftover.TOKEN, before=NOW, most=1),
    "ix_sessions_expires_at": lambda work: work.leftovers.delete(Leftover.SESSION, before=NOW, most=1),
    "ix_username_holds_held_until": lambda work: work.leftovers.delete(Leftover.HOLD, before=NOW, most=1),
    "ix_invite_claims_claimed_at": lambda work: work.leftovers.delete(Leftover.CLAIM, before=NOW, most=1),
    "ix_mail_quotas_last_at": lambda work: work.leftovers.delete(Leftover.QUOTA, before=NOW, most=1),
}


@pytest.mark.parametrize("index", SEARCHES)
async def test_what_a_loop_looks_for_is_found_by_its_index(engine: AsyncEngine, index: str) -> None:
    """A condition of a partial index counts only where the statement has it in the same words, not as bound values."""
    assert f" {index} " in await plan_of(engine, SEARCHES[index])


async def test_a_users_invites_and_their_issuer_are_found_by_indexes(engine: AsyncEngine) -> None:
    plan = await plan_of(engine, lambda work: work.invites.issued(UUID(int=1), limit=FEW))
    assert " ix_invites_issued_by_id " in plan
    assert (" pk_users " if engine.dialect.name == "postgresql" else " sqlite_autoindex_users_1 ") in plan


async def plan_of(engine: AsyncEngine, search: Callable[[SqlWork], Awaitable[Any]]) -> str:
    """How the database goes about a search that is one statement, whatever its values."""
    ((statement, values),) = await sent(engine, search)
    async with engine.connect() as connection:
        explain = f"EXPLAIN QUERY PLAN {statement}"
        if engine.dialect.name == "postgresql":  # which would look at the values of a plain EXPLAIN
            await connection.execute(text("SET LOCAL enable_seqscan = off"))  # a few rows it would just read
            await connection.execute(text("SET LOCAL plan_cache_mode = force_generic_plan"))
            await connection.exec_driver_sql(f"PREPARE sent AS {statement}")
            explain, values = f"EXPLAIN EXECUTE sent({', '.join('NULL' for _ in values)})", ()
        plan = await connection.exec_driver_sql(explain, values)
        return " ".join(" ".join(map(str, row)) + " " for row in plan)


async def sent(engine: AsyncEngine, use: Callable[[SqlWork], Awaitable[Any]]) -> Sequence[tuple[str, tuple[Any, ...]]]:
    """The statements that are sent, with their values; nothing of it is kept."""
    said: list[tuple[str, tuple[Any, ...]]] = []

    def hear(*heard: Any) -> None:
        *_, statement, values, _context, is_many = heard
        said.append((statement, values[0] if is_many else values))

    async with engine.connect() as connection:
        await connection.begin()
        event.listen(connection.sync_connection, "before_cursor_execute", hear)
        await use(SqlWork(connection, IDS, WAKERS))
        await connection.rollback()
    return said


# Every statement, on a database that has grown


PEOPLE = 20_000
DEAR = 200.0
"""What a statement may cost by the planner's count: a row by an index is at most 9; each table from end to end 300."""
SETTLED = 6
"""After five executions Postgres decides whether a statement's plan is to be made anew for its values each time."""
FEW = 10
"""A batch is a small part of a table that has grown."""
Use: TypeAlias = Callable[[SqlWork, User], Awaitable[Any]]
USES: dict[str, Use] = {
    "users.add": lambda work, _: work.users.add(a_user("new")),
    "users.get": lambda work, user: work.users.get(user.id),
    "users.by_email": lambda work, user: work.users.by_email(user.email),
    "users.lock": lambda work, user: work.users.lock(user.id),
    "users.confirm": lambda work, user: work.users.confirm(user.id, NOW),
    "users.update": lambda work, user: work.users.update(user),
    "users.delete": lambda work, user: work.users.delete(user.id),
    "users.rehash": lambda work, user: work.users.rehash(user.id, old=user.password_hash or "", new="new"),
    "users.any": lambda work, _: work.users.any(),
    "username_holds.hold": lambda work, _: work.username_holds.hold(Username("new"), until=LATER, at=NOW),
    "username_holds.extend": lambda work, user: work.username_holds.extend(user.username, LATER),
    "username_holds.has": lambda work, user: work.username_holds.has(user.username, NOW),
    "invites.add": lambda work, _: work.invites.add(an_invite()),
    "invites.get": lambda work, user: work.invites.get(user.invite_id),
    "invites.issued": lambda work, user: work.invites.issued(user.id, limit=PAGE + 1),
    "invites.issued by anybody": lambda work, _: work.invites.issued(limit=PAGE + 1),
    "invites.issued before another": lambda work, user: work.invites.issued(before=user.invite_id, limit=PAGE + 1),
    "invites.open_claims": lambda work, user: work.invites.open_claims(user.id, NOW),
    "invites.claim": lambda work, user: work.invites.claim(user.invite_id, NOW),
    "invites.revoke": lambda work, user: work.invites.revoke(user.invite_id, NOW),
    "invites.delete_open": lambda work, user: work.invites.delete_open(user.id, NOW),
    "claims.add": lambda work, user: work.claims.add(a_claim(user.invite_id, "new")),
    "claims.get": lambda work, user: work.claims.get(user.invite_id, user.email, user.username),
    "claims.forget": lambda work, user: work.claims.forget(user.invite_id, user.email, user.username),
    "sessions.add": lambda work, user: work.sessions.add(a_session(user)),
    "sessions.start": lambda work, user: work.sessions.start(
        a_session(user), password_hash=user.password_hash, beside=FEW
    ),
    "sessions.get": lambda work, _: work.sessions.get(key_of(1).hash),
    "sessions.update": lambda work, user: work.sessions.update(a_session(user)),
    "sessions.delete": lambda work, _: work.sessions.delete(key_of(1).hash),
    "sessions.delete_all": lambda work, user: work.sessions.delete_all(user.id),
    "sessions.of_user": lambda work, user: work.sessions.of_user(user.id),
    "tokens.add": lambda work, user: work.tokens.add(a_token(user)),
    "tokens.get": lambda work, _: work.tokens.get(IDS.new()),
    "tokens.newest": lambda work, user: work.tokens.newest(user.id, Purpose.CONFIRMATION),
    "tokens.consume": lambda work, _: work.tokens.consume(IDS.new(), Purpose.CONFIRMATION, NOW),
    "tokens.void": lambda work, user: work.tokens.void(user.id, Purpose.RESET, Purpose.EMAIL_UNDO, at=NOW),
    "outbox.add": lambda work, user: work.outbox.add(UserConfirmed(user.id), at=NOW),
    "outbox.lease": lambda work, _: work.outbox.lease(FEW, at=NOW, until=LATER),
    "outbox.mark_published": lambda work, _: work.outbox.mark_published([IDS.new() for _ in range(FEW)], NOW),
    "outbox.oldest": lambda work, _: work.outbox.oldest(),
    "outbox.postpone": lambda work, _: work.outbox.postpone(IDS.new(), LATER),
    "outbox.free_leases": lambda work, _: work.outbox.free_leases(),
    "inbox.add": lambda work, _: work.inbox.add("mails", IDS.new(), NOW),
    "mails.add": lambda work, user: work.mails.add(a_mail(user)),
    "mails.lease": lambda work, _: work.mails.lease(FEW, at=NOW, until=LATER),
    "mails.mark_sent": lambda work, _: work.mails.mark_sent(IDS.new(), NOW),
    "mails.postpone": lambda work, user: work.mails.postpone(a_mail(user), LATER, "why"),
    "mails.mark_failed": lambda work, user: work.mails.mark_failed(a_mail(user), "why"),
    "mails.newest": lambda work, _: work.mails.newest(FEW, None),
    "mails.newest that failed": lambda work, _: work.mails.newest(FEW, MailState.FAILED),
    "mails.requeue": lambda work, _: work.mails.requeue(IDS.new(), NOW),
    "mails.requeue all": lambda work, _: work.mails.requeue(None, NOW),
    "mails.free_leases": lambda work, _: work.mails.free_leases(),
    "mails.forget": lambda work, user: work.mails.forget(user.email),
    "mail_quotas.take": lambda work, user: work.mail_quotas.take(user.email, MailKind.RESET, NOW),
    **{
        f"leftovers.delete {kind.name}": partial(
            lambda kind, work, _: work.leftovers.delete(kind, before=NOW, most=FEW), kind
        )
        for kind in Leftover
    },
}
EXCEPTIONS: dict[str, tuple[set[str], str]] = {
    "users.any": ({"users"}, "stops at the first account it meets"),
    "outbox.oldest": ({"ix_outbox_due"}, "the index has only what waits"),
    "outbox.free_leases": ({"ix_outbox_due"}, "the index has only what waits"),
    "mails.free_leases": ({"ix_mails_due"}, "the index has only what waits"),
    "mails.newest": ({"pk_mails"}, "as many as are asked for, from the end of the index"),
    "mails.newest that failed": ({"mails", "pk_mails", "dear"}, "for an operator at the command line"),
    "mails.requeue all": ({"mails", "dear"}, "for an operator at the command line"),
}
"""What is read from end to end after all, and why it may be."""


def a_mail(user: User) -> Mail:
    return Mail(IDS.new(), MailKind.RESET, user.email, NOW)


@dataclass(frozen=True)
class Grown:
    """A Postgres full of people, and one of them."""

    engine: AsyncEngine
    connection: Any
    user: User

    async def plans(self, statement: str, values: Sequence[Any]) -> Sequence[dict[str, Any]]:
        """How Postgres goes about a statement at first, and once it has settled on a plan."""
        await self.connection.execute(f"PREPARE sent AS {statement}")
        execute = f"EXECUTE sent({', '.join(map(_literal, values))})" if values else "EXECUTE sent"
        try:
            said = [await self.connection.fetchval(f"EXPLAIN (FORMAT JSON) {execute}") for _ in range(SETTLED)]
        finally:
            await self.connection.execute("DEALLOCATE sent")
        return [json.loads(plan)[0]["Plan"] for plan in (said[0], said[-1])]


def _literal(value: Any) -> str:
    if value is None:
        return "NULL"
    return f"'\\x{value.hex()}'" if isinstance(value, bytes) else f"'{value}'"


def faults(plan: dict[str, Any]) -> set[str]:
    """The tables and indexes that a plan reads from end to end; and that it is dear, which tells of a wrong index."""
    return {*_read_whole(plan), *(["dear"] if plan["Total Cost"] > DEAR else [])}


def _read_whole(plan: dict[str, Any]) -> Iterator[str]:
    if plan["Node Type"] == "Seq Scan":
        yield plan["Relation Name"]
    if plan["Node Type"] in {"Index Scan", "Index Only Scan", "Bitmap Index Scan"} and "Index Cond" not in plan:
        yield plan["Index Name"]
    for part in plan.get("Plans", ()):
        yield from _read_whole(part)


@pytest.fixture(scope="module")
async def grown(servers: Servers) -> AsyncIterator[Grown]:
    async with migrated_database(servers.postgres) as url:
        connection = await asyncpg.connect(url)
        population = Population(PEOPLE, PEOPLE, NOW, f"$argon2id$v=19$m=19456,t=2,p=1${'x' * 22}${'x' * 43}")
        for table in ROWS:
            await population.fill(connection, table)
        await connection.execute("ANALYZE")
        engine = open_engine(url, is_patient=True)
        async with engine.connect() as own:
            found = await SqlWork(own, IDS, WAKERS).sessions.get(key_of(PEOPLE // 2).hash)
            assert found is not None
            user = await SqlWork(own, IDS, WAKERS).users.get(found.user.id)
            assert user is not None
        yield Grown(engine, connection, user)
        await connection.close()
        await engine.dispose()


def test_every_way_to_use_the_record_is_tried() -> None:
    work = SqlWork(cast("AsyncConnection", None), IDS, WAKERS)
    parts = {name: type(part) for name, part in vars(work).items() if not name.startswith("_")}
    ways = {f"{name}.{way}" for name, part in parts.items() for way in vars(part) if not way.startswith("_")}
    assert {use.split()[0] for use in USES} == ways


def test_the_population_is_everywhere() -> None:
    assert set(ROWS) == set(metadata.tables)


def test_what_goes_with_its_parent_is_found_by_an_index() -> None:
    for table in metadata.tables.values():
        led = {index.columns[0] for index in table.indexes} | {next(iter(table.primary_key))}
        assert {key.parent for key in table.foreign_keys} <= led


@pytest.mark.parametrize("use", USES)
async def test_what_has_grown_is_searched_by_indexes(grown: Grown, use: str) -> None:
    statements = await sent(grown.engine, lambda work: USES[use](work, grown.user))
    assert statements
    found = [faults(plan) for statement in statements for plan in await grown.plans(*statement)]
    assert EXCEPTIONS.get(use, (set(),))[0] == set().union(*found)
