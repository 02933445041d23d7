"""The database dies, hangs, resets and fills up: 503 in time, nothing half done, and the same request again is safe."""

import asyncio
import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from tests.integration.conftest import emptied
from tests.integration.faults.proxy import COMMITTED, INSERTED
from tests.integration.faults.stage import Guest, Stage, guests, until_signed_up
from tests.integration.journeys.worlds import World
from tests.integration.processes import Browser
from tests.integration.servers import ServersMissing
from tests.integration.servers.local_postgres import LocalPostgres
from tests.integration.servers.local_server import nobody
from tests.integration.servers.programs import require
from tests.integration.smtp_sink import SmtpSink


@pytest.fixture
async def empty_postgres(own_postgres: LocalPostgres) -> str:
    return await emptied(own_postgres.url)


@pytest.fixture
async def ann(world: World) -> AsyncIterator[Browser]:
    async with world.web.browser() as browser:
        yield browser


async def accounts(url: str) -> dict[str, int]:
    """How many accounts each address has; each has spent its invite, and left its events."""
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch("SELECT email_key, count(*) AS n FROM users GROUP BY email_key")
        spent = await connection.fetchval("SELECT sum(claims) FROM invites")
        created = await connection.fetchval("SELECT count(*) FROM outbox WHERE type = 'user.created'")
    finally:
        await connection.close()
    assert len(rows) == (spent or 0) == created, "an account, a spent invite and its events, or none of them"
    return {row["email_key"]: row["n"] for row in rows}


async def test_a_commit_whose_answer_is_lost_is_503_and_the_same_again_is_202(
    stage: Stage, world: World, ann: Browser, own_postgres: LocalPostgres
) -> None:
    people = await guests(world, *(f"ann{number}" for number in range(5)))
    for guest in people:
        stage.database.swallow(COMMITTED)
        answer = await guest.sign_up(ann)
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
        assert guest.email in await accounts(own_postgres.url), "it was done, and nobody knew"
        assert (await guest.sign_up(ann)).status_code == 202
    assert len(stage.database.swallowed) == 5
    assert set((await accounts(own_postgres.url)).values()) == {1}
    await stage.mails_arrive(people)


async def test_every_request_whose_commit_was_swallowed_can_be_made_again(
    stage: Stage, world: World, ann: Browser
) -> None:
    (guest,) = await guests(world, "ann")
    assert (await guest.sign_up(ann)).status_code == 202
    confirmation = await world.mailed(guest.email, "confirmation")
    credentials = {"email": guest.email, "password": guest.person["password"]}
    steps = [
        (COMMITTED, "POST", "/api/confirm_account", {"confirmation": confirmation}, {503}, {404}),  # it was used
        (INSERTED, "POST", "/api/login", credentials, {503}, {200}),
        (COMMITTED, "POST", "/api/forgot_password", {"email": guest.email}, {503}, {202}),
        (COMMITTED, "DELETE", "/api/user", {"password": guest.person["password"]}, {204, 503}, {204, 401}),
    ]
    for kept, method, path, body, first, again in steps:
        stage.database.swallow(kept)
        assert (await guest.ask(ann, method, path, body)).status_code in first, path
        await stage.database.forward()
        assert (await guest.ask(ann, method, path, body)).status_code in again, path
    assert (await guest.ask(ann, "POST", "/api/login", credentials)).status_code == 401


async def test_it_is_killed_in_the_middle_of_sign_ups_and_all_of_them_get_in_afterwards(
    stage: Stage, world: World, ann: Browser, own_postgres: LocalPostgres
) -> None:
    people = await guests(world, *(f"ann{number}" for number in range(30)))

    async def kill_soon() -> None:
        await asyncio.sleep(0.05)
        await asyncio.to_thread(own_postgres.kill)

    await asyncio.gather(kill_soon(), *(guest.sign_up(ann) for guest in people))
    statuses = {guest.answers[0].status_code for guest in people}
    assert 503 in statuses, "it was killed too late to be in the middle"
    assert statuses <= {202, 503}
    answered = {guest.email for guest in people if guest.answers[0].status_code == 202}
    await asyncio.to_thread(own_postgres.start)
    assert answered <= set(await accounts(own_postgres.url)), "what was answered 202 is there"
    await until_signed_up(ann, *people)
    assert await accounts(own_postgres.url) == {guest.email: 1 for guest in people}
    await stage.mails_arrive(people)


@pytest.mark.parametrize(("how", "times"), [("frozen", 2), ("a black hole", 1)])
async def test_while_it_hangs_every_request_is_503_in_time_and_afterwards_the_pool_is_whole(
    stage: Stage, world: World, own_postgres: LocalPostgres, how: str, times: int
) -> None:
    async with world.web.browser() as ann:
        people = await guests(world, *(f"ann{number}" for number in range(30)))
        await until_signed_up(ann, people[0])
        own_postgres.freeze() if how == "frozen" else stage.database.blackhole()
        for _ in range(times):
            answers = await asyncio.gather(*(guest.sign_up(ann) for guest in people))
            assert {answer.status_code for answer in answers} == {503}
            assert (await people[0].ask(ann, "GET", "/ready")).status_code == 503
            assert (await people[0].ask(ann, "GET", "/live")).status_code == 200
        own_postgres.thaw()
        await stage.database.forward()
        await until_signed_up(ann, *people, within=5)
        assert await accounts(own_postgres.url) == {guest.email: 1 for guest in people}
        await stage.mails_arrive(people)


async def test_resets_cost_at_most_one_request_for_each_connection(
    stage: Stage, world: World, ann: Browser, own_postgres: LocalPostgres
) -> None:
    people = await guests(world, *(f"ann{number}" for number in range(20)))
    await until_signed_up(ann, *people[:10])
    connections = stage.database.connections
    assert connections > 1
    await stage.database.reset()
    answers = [await guest.sign_up(ann) for guest in people[10:]]
    assert [answer.status_code for answer in answers].count(503) <= connections
    assert answers[-1].status_code == 202
    await until_signed_up(ann, *people)
    assert await accounts(own_postgres.url) == {guest.email: 1 for guest in people}


async def test_an_answer_that_is_cut_in_the_middle_is_503_and_the_same_again_is_202(
    stage: Stage, world: World, ann: Browser, own_postgres: LocalPostgres
) -> None:
    people = await guests(world, *(f"ann{number}" for number in range(12)))
    await until_signed_up(ann, people[0])
    for size, guest in enumerate(people):
        stage.database.cut_after(size * 150)
        assert (await guest.sign_up(ann)).status_code in {202, 503}
        await stage.database.forward()
        await until_signed_up(ann, guest)
    assert await accounts(own_postgres.url) == {guest.email: 1 for guest in people}


class SmallPostgres(LocalPostgres):
    """On a disk of its own that can be filled."""

    def __init__(self) -> None:
        super().__init__()
        self.disk = self.folder / "disk"
        self.disk.mkdir()
        self._data = self.disk / "data"

    def fill(self) -> None:
        with (self.disk / "ballast").open("wb", buffering=0) as ballast:
            try:
                while ballast.write(bytes(65_536)):
                    pass
            except OSError:
                pass

    def empty(self) -> None:
        (self.disk / "ballast").unlink()


@pytest.fixture
def small_postgres() -> Iterator[SmallPostgres]:
    """A Postgres on 120 MB. Mounting a disk takes rights that not everybody has; where there are none, it is said."""
    try:
        require(["postgres"])
    except ServersMissing as missing:
        pytest.skip(str(missing))
    postgres = SmallPostgres()
    mount = ["mount", "-t", "tmpfs", "-o", "size=120m,mode=700", "bottomline", str(postgres.disk)]
    if shutil.which("mount") is None or subprocess.run(mount, check=False, capture_output=True).returncode:  # noqa: S603
        postgres.close()
        pytest.skip("a disk cannot be mounted here")
    try:
        _own(postgres.disk)
        postgres.start()
        yield postgres
    finally:
        postgres.kill()
        subprocess.run(["umount", str(postgres.disk)], check=True)  # noqa: S603, S607
        postgres.close()


def _own(path: Path) -> None:
    if account := nobody():
        shutil.chown(path, account["user"], account["group"])


async def test_on_a_full_disk_sign_ups_are_503_and_none_is_half_done(
    tmp_path: Path, small_postgres: SmallPostgres, redis_url: str, rabbitmq_url: str, smtp_sink: SmtpSink
) -> None:
    url = await emptied(small_postgres.url)
    async with (
        Stage(tmp_path, url, redis_url, rabbitmq_url, smtp_sink) as stage,
        stage.running() as world,
        world.web.browser() as ann,
    ):
        people = await guests(world, *(f"ann{number}" for number in range(150)))
        small_postgres.fill()
        refused: list[Guest] = []
        for guest in people:
            if (await guest.sign_up(ann)).status_code == 503:
                refused.append(guest)
            if len(refused) == 5:
                break
        assert len(refused) == 5, "the disk was not full"
        assert (await people[0].ask(ann, "GET", "/live")).status_code == 200
        small_postgres.empty()
        asked = [guest for guest in people if guest.answers]
        await until_signed_up(ann, *asked)
        assert await accounts(url) == {guest.email: 1 for guest in asked}
        await stage.mails_arrive(asked)
