"""Log-ins are turned away at the door while more are under way than can be done in time."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import httpx
import pytest

from adapters.argon2.password_hasher import Argon2Cost, Argon2PasswordHasher
from entrypoints.http.app import create_app
from entrypoints.settings import Settings
from tests.asgi import running
from tests.unit.http.people import ANN, a_member, log_in

WRONG = {"email": ANN["email"], "password": "wrong"}


@pytest.fixture
async def client(settings: Settings, said: list[str]) -> AsyncIterator[httpx.AsyncClient]:
    """Of a service that has a hash at a time, and a flood of more than seventeen."""
    hasher = Argon2PasswordHasher(Argon2Cost(), threads=1, patience=1.0)
    async with running(create_app(settings, said.append, swap={"hasher": hasher})) as client:
        yield client
    hasher.close()


async def test_of_a_crowd_some_are_heard_and_the_rest_are_told_when_to_come_again(
    client: httpx.AsyncClient, said: list[str]
) -> None:
    await a_member(client, said[0].rsplit("=", 1)[1], said)
    crowd = await asyncio.gather(*(client.post("/api/login", json=WRONG) for _ in range(50)))
    assert Counter(answer.status_code for answer in crowd).keys() == {401, 503}
    for refused in (answer for answer in crowd if answer.status_code == 503):
        assert refused.json()["code"] == "overloaded"
        assert 1 <= int(refused.headers["retry-after"]) <= 30
        assert refused.headers["content-type"] == "application/problem+json"
        assert refused.headers["x-content-type-options"] == "nosniff"
        assert len(refused.headers["x-request-id"]) == 16
    assert (await log_in(client))["status"] == "logged_in", "they have all left"


async def test_who_is_turned_away_has_nothing_read_for_them(client: httpx.AsyncClient) -> None:
    crowd = [asyncio.create_task(client.post("/api/login", json=WRONG)) for _ in range(20)]
    await asyncio.sleep(0)

    async def say_nothing_readable(path: str) -> httpx.Response:
        return await client.post(path, content=b"{", headers={"content-type": "application/json"})

    first, other = await asyncio.gather(*map(say_nothing_readable, ("/api/login", "/api/forgot_password")))
    assert (first.status_code, other.status_code) == (503, 400)
    await asyncio.gather(*crowd)
    assert (await say_nothing_readable("/api/login")).status_code == 400
