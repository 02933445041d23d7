"""A hundred at once: one wins, and what is left is whole. Nobody gets a 500, or waits longer than three seconds."""

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any

import asyncpg
import httpx
import pytest

from adapters.crypto.tokens import HmacTokenSigner
from domain.token import Purpose
from tests.integration.journeys.test_journey import ANN, an_operator
from tests.integration.journeys.worlds import World
from tests.integration.processes import Browser

PASSWORD = "correct horse battery"
Request = Callable[[], Coroutine[Any, Any, httpx.Response]]


@pytest.fixture
async def world(servers_world: AbstractAsyncContextManager[World]) -> AsyncIterator[World]:
    async with servers_world as running_world:
        yield running_world


@pytest.fixture
async def record(world: World) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(world.settings["BOTTOMLINE_DATABASE_URL"])
    yield connection
    await connection.close()


@pytest.fixture
async def crowd(world: World) -> AsyncIterator[httpx.AsyncClient]:
    """A client with a connection for each request."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    async with httpx.AsyncClient(base_url=world.web.url, timeout=10, limits=limits) as client:
        yield client


async def at_once(requests: Iterable[Request]) -> list[httpx.Response]:
    """The answers, in the order of the requests; each in time, and none a 500. Who is told to come again does so."""

    async def timed(request: Request) -> httpx.Response:
        before = time.monotonic()
        answer = await request()
        assert time.monotonic() - before < 3.5, "three seconds, and some for a busy machine"
        return answer

    async def decided(request: Request) -> httpx.Response:
        while (answer := await timed(request)).status_code == 503:  # noqa: ASYNC110  as it is told to
            await asyncio.sleep(int(answer.headers["retry-after"]))
        return answer

    async with asyncio.timeout(60):
        answers = await asyncio.gather(*map(decided, requests))
    assert not [answer.text for answer in answers if answer.status_code == 500]
    return answers


def outcomes(answers: Iterable[httpx.Response]) -> Counter[int]:
    return Counter(answer.status_code for answer in answers)


async def tokens(world: World, record: asyncpg.Connection, purpose: Purpose) -> list[str]:
    """The tokens of a purpose, those too whose mail was one too many for its address."""
    signer = HmacTokenSigner([world.settings["BOTTOMLINE_SECRET_KEYS"]])
    rows = await record.fetch("SELECT id FROM tokens WHERE purpose = $1 ORDER BY id", purpose.value)
    return [signer.sign(purpose, row["id"]) for row in rows]


def a_member(number: int) -> dict[str, str]:
    return {"email": f"p{number}@example.org", "username": f"person{number}", "password": PASSWORD}


async def members(
    world: World, record: asyncpg.Connection, crowd: httpx.AsyncClient, number: int
) -> list[dict[str, str]]:
    invite = await world.an_invite(number)
    people = [a_member(one) for one in range(number)]
    await at_once(partial(crowd.post, "/api/users", json={"invite": invite, **person}) for person in people)
    confirmations = await tokens(world, record, Purpose.CONFIRMATION)
    confirmed = await at_once(
        partial(crowd.post, "/api/confirm_account", json={"confirmation": one}) for one in confirmations
    )
    assert outcomes(confirmed) == {200: number}
    return people


async def test_the_very_same_sign_up_makes_one_account_and_one_mail(
    world: World, record: asyncpg.Connection, crowd: httpx.AsyncClient
) -> None:
    body = {"invite": await world.an_invite(200), **ANN}
    assert outcomes(await at_once(partial(crowd.post, "/api/users", json=body) for _ in range(100))) == {202: 100}
    assert await record.fetchval("SELECT claims FROM invites") == 1
    assert await record.fetchval("SELECT count(*) FROM users") == 1
    await world.mailed(ANN["email"], "confirmation")
    await asyncio.sleep(1)
    assert len(world.mails(ANN["email"])) == 1


async def test_a_username_goes_to_one_and_costs_the_others_no_claim(
    world: World, record: asyncpg.Connection, crowd: httpx.AsyncClient
) -> None:
    invite = await world.an_invite(200)
    people = [{**a_member(number), "username": "wanted"} for number in range(100)]
    answers = await at_once(partial(crowd.post, "/api/users", json={"invite": invite, **person}) for person in people)
    assert outcomes(answers) == {202: 1, 400: 99}
    assert await record.fetchval("SELECT claims FROM invites") == 1
    assert await record.fetchval("SELECT count(*) FROM users") == 1


async def test_of_rival_sign_ups_with_one_address_one_is_confirmed_and_once(
    world: World, record: asyncpg.Connection, crowd: httpx.AsyncClient
) -> None:
    for number in range(10):
        body = {**a_member(number), "invite": await world.an_invite(1), "email": ANN["email"]}
        assert (await crowd.post("/api/users", json=body)).status_code == 202
    confirmations = 10 * await tokens(world, record, Purpose.CONFIRMATION)
    assert len(set(confirmations)) == 10
    answers = await at_once(
        partial(crowd.post, "/api/confirm_account", json={"confirmation": one}) for one in confirmations
    )
    assert outcomes(answers) == {200: 1, 404: 99}
    assert await record.fetch("SELECT confirmed_at IS NULL AS waits FROM users") == [(False,)]


async def test_a_reset_sets_one_password(world: World, record: asyncpg.Connection, crowd: httpx.AsyncClient) -> None:
    (person,) = await members(world, record, crowd, 1)
    await crowd.post("/api/forgot_password", json={"email": person["email"]})
    reset = await world.mailed(person["email"], "reset")
    bodies = [{"reset": reset, "password": f"another horse battery {number}"} for number in range(100)]
    answers = await at_once(partial(crowd.post, "/api/reset_password", json=body) for body in bodies)
    assert outcomes(answers) == {200: 1, 404: 99}
    tries = [{"email": person["email"], "password": body["password"]} for body in bodies]
    logged_in = await at_once(partial(crowd.post, "/api/login", json=body) for body in tries)
    assert [one.status_code for one in logged_in] == [{200: 200, 404: 401}[answer.status_code] for answer in answers], (
        "the one that was told so"
    )


async def test_an_address_that_many_change_to_is_one_accounts(
    world: World, record: asyncpg.Connection, crowd: httpx.AsyncClient
) -> None:
    for person in await members(world, record, crowd, 10):
        async with world.web.browser() as browser:
            await browser.post("/api/login", json={"email": person["email"], "password": PASSWORD})
            body = {"email": "wanted@example.org", "password": PASSWORD}
            assert (await browser.post("/api/change_email", json=body)).status_code == 202
    confirmations = 10 * await tokens(world, record, Purpose.EMAIL_CHANGE)
    assert len(set(confirmations)) == 10
    answers = await at_once(
        partial(crowd.post, "/api/confirm_email", json={"confirmation": one}) for one in confirmations
    )
    assert outcomes(answers) == {200: 1, 404: 99}
    assert await record.fetchval("SELECT count(*) FROM users WHERE email = 'wanted@example.org'") == 1
    assert await record.fetchval("SELECT count(*) FROM users WHERE confirmed_at IS NOT NULL") == 10


async def test_who_is_deleted_while_logging_in_is_logged_in_nowhere(
    world: World, record: asyncpg.Connection, crowd: httpx.AsyncClient
) -> None:
    async with world.web.browser() as ann:
        await an_operator(world, ann)
        credentials = {"email": ANN["email"], "password": ANN["password"]}

        log_in = partial(crowd.post, "/api/login", json=credentials)
        delete = partial(ann.request, "DELETE", "/api/user", json={"password": ANN["password"]})
        answers = await at_once(delete if number % 20 == 10 else log_in for number in range(100))
    deletions, log_ins = answers[10::20], [answer for number, answer in enumerate(answers) if number % 20 != 10]
    assert outcomes(deletions)[204] == 1
    assert set(outcomes(deletions)) <= {204, 400, 401}
    assert set(outcomes(log_ins)) <= {200, 401}
    for answer in log_ins:
        if answer.status_code == 200:
            assert await is_logged_out(world, answer)
    assert await record.fetchval("SELECT count(*) FROM users") == 0
    assert await record.fetchval("SELECT count(*) FROM sessions") == 0


async def is_logged_out(world: World, answer: httpx.Response) -> bool:
    async with Browser(world.web.url) as browser:
        browser.cookie = answer.headers["set-cookie"].split(";")[0]
        return (await browser.get("/api/session")).status_code == 401
