"""Two who sign up with one name: one wins, whatever Redis remembers."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from redis.asyncio import Redis
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.memory.usernames import MemoryUsernames
from domain.email_address import EmailAddress
from domain.errors import UsernameTaken
from domain.username import Username
from entrypoints.container import Container, opened
from entrypoints.settings import read_settings
from tests.integration.conftest import empty
from tests.integration.servers import Servers
from tests.unit.people import CLIENT, Person, an_invite, sign_up, user_of

ROUNDS, RIVALS = 10, 6


@pytest.fixture
async def redis(servers: Servers) -> AsyncIterator[Redis]:
    async with Redis.from_url(servers.redis) as client:
        await client.flushall()
        yield client


@pytest.fixture(params=["with reservations", "with none"])
async def processes(
    request: pytest.FixtureRequest, engine: AsyncEngine, servers: Servers, redis: Redis, tmp_path: Path
) -> AsyncIterator[list[Container]]:
    """Two processes' worth of use cases on one database: with Redis between them, or with nothing but the database."""
    await empty(engine)
    settings = read_settings(
        {
            "BOTTOMLINE_DATABASE_URL": engine.url.set(drivername=engine.url.get_backend_name()).render_as_string(
                hide_password=False
            ),
            "BOTTOMLINE_REDIS_URL": servers.redis,
            "BOTTOMLINE_SECRET_KEYS": "s" * 32,
            "BOTTOMLINE_DATA_DIR": str(tmp_path),
            "BOTTOMLINE_ARGON2_TIME": "1",
            "BOTTOMLINE_ARGON2_MEMORY_KIB": "8",
            "BOTTOMLINE_RATE_LIMITS": "off",
        }
    )
    swap = {} if request.param == "with reservations" else {"usernames": MemoryUsernames(size=0)}
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(opened(settings, announce=lambda _: None, swap=swap)) for _ in range(2)]


async def test_of_rivals_for_a_name_one_wins_though_redis_is_emptied_midway(
    processes: list[Container], redis: Redis
) -> None:
    over = asyncio.Event()

    async def empty_redis() -> None:
        while not over.is_set():
            await redis.flushall()
            await asyncio.sleep(0.001)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(empty_redis())
        try:
            for number in range(ROUNDS):
                await race(processes, f"rival{number}")
        finally:
            over.set()


async def race(processes: list[Container], name: str) -> None:
    people = [
        Person(EmailAddress(f"{name}-{rival}@example.org"), Username(name if rival % 2 else name.upper()))
        for rival in range(RIVALS)
    ]
    invites = [await an_invite(processes[0]) for _ in people]
    answers = await asyncio.gather(
        *(
            sign_up(processes[rival % 2], person, invite)
            for rival, (person, invite) in enumerate(zip(people, invites, strict=True))
        ),
        return_exceptions=True,
    )
    assert [type(answer) for answer in answers if answer is not None] == [UsernameTaken] * (RIVALS - 1)
    accounts = [await user_of(processes[0], person) for person in people]
    assert [answer is None for answer in answers] == [account is not None for account in accounts]


async def test_the_same_sign_up_at_once_in_two_processes_is_not_its_own_rival(processes: list[Container]) -> None:
    for number in range(ROUNDS):
        person = Person(EmailAddress(f"ann{number}@example.org"), Username(f"ann{number}"))
        invite = await an_invite(processes[0])
        await asyncio.gather(*(sign_up(processes[turn % 2], person, invite) for turn in range(RIVALS)))


async def test_a_name_that_was_refused_is_free_for_others(processes: list[Container]) -> None:
    """Rivals for one invite reserve a name each; those who find it spent leave their names behind."""
    invite = await an_invite(processes[0])
    people = [Person(EmailAddress(f"p{n}@example.org"), Username(f"person{n}")) for n in range(RIVALS)]
    answers = await asyncio.gather(
        *(sign_up(processes[n % 2], person, invite) for n, person in enumerate(people)), return_exceptions=True
    )
    for person, answer in zip(people, answers, strict=True):
        checked = await processes[0].check_username()(raw=person.username.name, client=CLIENT)
        assert checked.reason == (None if answer else "username_taken")
