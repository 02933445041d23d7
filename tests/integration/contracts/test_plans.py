"""What is looked for all the time is found by an index."""

from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, text
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql.unit_of_work import SqlWork
from domain.retention import Leftover
from tests.integration.contracts.record import NOW, Record

SEARCHES: dict[str, Callable[[SqlWork], Awaitable[Any]]] = {
    "ix_outbox_due": lambda work: work.outbox.lease(1, at=NOW, until=NOW),
    "ix_mails_due": lambda work: work.mails.lease(1, at=NOW, until=NOW),
    "ix_outbox_over": lambda work: work.leftovers.delete(Leftover.EVENT, before=NOW, most=1),
    "ix_inbox_done_at": lambda work: work.leftovers.delete(Leftover.MESSAGE, before=NOW, most=1),
    "ix_mails_over": lambda work: work.leftovers.delete(Leftover.MAIL, before=NOW, most=1),
    "ix_tokens_expires_at": lambda work: work.leftovers.delete(Leftover.TOKEN, before=NOW, most=1),
    "ix_sessions_expires_at": lambda work: work.leftovers.delete(Leftover.SESSION, before=NOW, most=1),
    "ix_username_holds_held_until": lambda work: work.leftovers.delete(Leftover.HOLD, before=NOW, most=1),
    "ix_mail_quotas_last_at": lambda work: work.leftovers.delete(Leftover.QUOTA, before=NOW, most=1),
}


@pytest.mark.parametrize("index", SEARCHES)
async def test_what_a_loop_looks_for_is_found_by_its_index(engine: AsyncEngine, index: str) -> None:
    """A condition of a partial index counts only where the statement has it in the same words, not as bound values."""
    assert f" {index} " in await plan_of(engine, SEARCHES[index])


async def test_a_users_invites_and_their_issuer_are_found_by_indexes(engine: AsyncEngine) -> None:
    plan = await plan_of(engine, lambda work: work.invites.issued(UUID(int=1)))
    assert " ix_invites_issued_by_id " in plan
    assert (" pk_users " if engine.dialect.name == "postgresql" else " sqlite_autoindex_users_1 ") in plan


async def plan_of(engine: AsyncEngine, search: Callable[[SqlWork], Awaitable[Any]]) -> str:
    """How the database goes about a search that is one statement."""
    record = Record(engine)
    said: list[tuple[str, Any]] = []
    event.listen(engine.sync_engine, "before_cursor_execute", lambda *heard: said.append((heard[2], heard[3])))
    async with record.begin() as work:
        said.clear()
        await search(work)
        ((statement, values),) = said
    async with engine.connect() as connection:
        explain = "EXPLAIN QUERY PLAN"
        if engine.dialect.name == "postgresql":
            explain = "EXPLAIN"
            await connection.execute(text("SET LOCAL enable_seqscan = off"))  # a few rows it would just read
            await connection.execute(text("SET LOCAL plan_cache_mode = force_generic_plan"))
        plan = await connection.exec_driver_sql(f"{explain} {statement}", values)
        return " ".join(" ".join(map(str, row)) + " " for row in plan)
