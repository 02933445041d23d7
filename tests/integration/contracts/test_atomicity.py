"""Signing up happens whole or not at all, on SQLite and on Postgres."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, func, select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.sql import tables
from application.ports import Unavailable
from domain.email_address import EmailAddress
from domain.errors import InviteInvalid
from domain.invite import InviteTerms
from domain.username import Username
from entrypoints.container import Container, opened
from entrypoints.settings import read_settings
from tests.unit.people import ANN, Person, an_invite, sign_up, sign_up_patiently

TABLES = (tables.users, tables.invite_claims, tables.username_holds, tables.tokens, tables.outbox)


@pytest.fixture
async def container(database_url: str, engine: AsyncEngine, tmp_path: Path) -> AsyncIterator[Container]:
    """The service on an empty database, with hashing as cheap as it gets."""
    settings = read_settings(
        {
            "BOTTOMLINE_DATABASE_URL": database_url,
            "BOTTOMLINE_SECRET_KEYS": "s" * 32,
            "BOTTOMLINE_DATA_DIR": str(tmp_path),
            "BOTTOMLINE_ARGON2_TIME": "1",
            "BOTTOMLINE_ARGON2_MEMORY_KIB": "8",
            "BOTTOMLINE_RATE_LIMITS": "off",
        }
    )
    async with opened(settings, announce=lambda _: None) as opened_container:
        yield opened_container


async def counts(container: Container) -> dict[str, int]:
    async with container.engine().connect() as connection:
        found = {
            table.name: int(await connection.scalar(select(func.count()).select_from(table)) or 0) for table in TABLES
        }
        found["claims"] = int(await connection.scalar(text("SELECT coalesce(sum(claims), 0) FROM invites")))
    return found


@contextmanager
def fault_before_statement(engine: AsyncEngine, number: int) -> Iterator[list[str]]:
    """Break the connection before the nth statement; what was run before is listed."""
    seen: list[str] = []

    def strike(_conn: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if len(seen) == number:
            raise OperationalError(statement, {}, OSError("the wire was cut"))
        seen.append(statement)

    event.listen(engine.sync_engine, "before_cursor_execute", strike)
    try:
        yield seen
    finally:
        event.remove(engine.sync_engine, "before_cursor_execute", strike)


@contextmanager
def fault_at_commit(engine: AsyncEngine) -> Iterator[None]:
    def strike(_conn: Any) -> None:
        raise OperationalError("COMMIT", {}, OSError("the wire was cut"))

    event.listen(engine.sync_engine, "commit", strike)
    try:
        yield
    finally:
        event.remove(engine.sync_engine, "commit", strike)


async def test_a_fault_between_any_two_statements_leaves_nothing(container: Container) -> None:
    invite = await an_invite(container)
    before = await counts(container)
    statements = 0
    while True:
        try:
            with fault_before_statement(container.engine(), statements):
                await sign_up(container, ANN, invite)
            break
        except (Unavailable, OperationalError):
            assert await counts(container) == before, f"after {statements} statements"
            statements += 1
    assert statements >= 8, "reading the invite, and then the transaction's claim, count, hold, user, token, events"
    after = await counts(container)
    assert {name: after[name] - before[name] for name in after} == {
        "users": 1,
        "invite_claims": 1,
        "username_holds": 1,
        "tokens": 1,
        "outbox": 3,
        "claims": 1,
    }


async def test_a_fault_at_the_commit_leaves_nothing_and_the_same_sign_up_again_succeeds(container: Container) -> None:
    invite = await an_invite(container)
    before = await counts(container)
    with fault_at_commit(container.engine()), pytest.raises(Unavailable):
        await sign_up(container, ANN, invite)
    assert await counts(container) == before
    await sign_up(container, ANN, invite)
    assert (await counts(container))["users"] == 1


async def test_of_200_claims_of_one_invite_at_once_one_makes_an_account(container: Container) -> None:
    invite = await an_invite(container)
    people = [Person(EmailAddress(f"p{n}@example.org"), Username(f"person{n}")) for n in range(200)]
    claims = (sign_up_patiently(container, person, invite) for person in people)
    answers = await asyncio.gather(*claims, return_exceptions=True)
    assert answers.count(None) == 1
    assert sum(isinstance(answer, InviteInvalid) for answer in answers) == 199
    assert (await counts(container))["users"] == 1


async def test_of_200_claims_by_two_processes_worth_of_use_cases_one_makes_an_account(
    container: Container,
) -> None:
    """Two containers share nothing but the database: only its conditional statement keeps them apart."""
    invite = await an_invite(container)
    async with opened(container.settings(), announce=lambda _: None) as other:
        people = [Person(EmailAddress(f"p{n}@example.org"), Username(f"person{n}")) for n in range(200)]
        answers = await asyncio.gather(
            *(sign_up_patiently((container, other)[n % 2], person, invite) for n, person in enumerate(people)),
            return_exceptions=True,
        )
    assert answers.count(None) == 1
    assert sum(isinstance(answer, InviteInvalid) for answer in answers) == 199
    assert (await counts(container))["users"] == 1


async def test_the_same_sign_up_many_times_at_once_makes_one_account_and_all_are_answered_alike(
    container: Container,
) -> None:
    invite = await an_invite(container, InviteTerms(max_claims=5))
    async with opened(container.settings(), announce=lambda _: None) as other:
        await asyncio.gather(*(sign_up_patiently((container, other)[n % 2], ANN, invite) for n in range(50)))
    after = await counts(container)
    assert (after["users"], after["claims"], after["invite_claims"]) == (1, 1, 1)
