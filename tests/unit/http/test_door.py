"""Log-ins are turned away at the door while more are under way than can be done in time."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator

import httpx
import pytest

from adapters.argon2.password_hasher import Argon2Cost, Argon2PasswordHasher
from entrypoints.http import shell
from entrypoints.http.app import create_app
from entrypoints.http.bodies import LARGEST
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


async def test_those_who_send_nothing_keep_nobody_out(client: httpx.AsyncClient) -> None:
    spoken = asyncio.Event()

    async def begun(part: bytes) -> AsyncIterator[bytes]:
        yield part
        await spoken.wait()
        yield json.dumps(WRONG).encode()[len(part) :]

    headers = {"content-type": "application/json"}
    silent = [
        asyncio.create_task(client.post("/api/login", content=begun(part), headers=headers))
        for part in (b"", b"{") * 30
    ]
    await asyncio.sleep(0.1)
    answers = [(await client.post("/api/login", json=WRONG)).status_code for _ in range(3)]
    assert 401 in answers
    spoken.set()
    assert {answer.status_code for answer in await asyncio.gather(*silent)} >= {503}


async def test_whose_body_does_not_come_at_all_is_told_so(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never() -> AsyncIterator[bytes]:
        await asyncio.Event().wait()
        yield b""

    monkeypatch.setattr(shell, "BODY_WITHIN", 0.1)
    answer = await client.post("/api/login", content=never(), headers={"content-type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (408, "request_timeout")


async def test_a_body_that_is_too_large_is_not_read_to_its_end(client: httpx.AsyncClient) -> None:
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 1024
            yield b" " * 1024

    answer = await client.post("/api/login", content=endless(), headers={"content-type": "application/json"})
    assert answer.status_code == 413
    assert read <= LARGEST + 4096


async def test_a_refusal_at_the_door_is_logged_as_a_log_in(
    client: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO", "security"):
        await asyncio.gather(*(client.post("/api/login", json=WRONG) for _ in range(40)))
    lines = [record for record in caplog.records if record.name == "security"]
    assert {line.getMessage() for line in lines} == {"sessions.log_in"}
    assert "overloaded" in {line.__dict__["code"] for line in lines}


async def test_who_is_turned_away_has_nothing_read_for_them(client: httpx.AsyncClient) -> None:
    crowd = [asyncio.create_task(client.post("/api/login", json=WRONG)) for _ in range(20)]
    await asyncio.sleep(0)

    async def say_nothing_readable(path: str) -> httpx.Response:
        return await client.post(path, content=b"{", headers={"content-type": "application/json"})

    first, other = await asyncio.gather(*map(say_nothing_readable, ("/api/login", "/api/forgot_password")))
    assert (first.status_code, other.status_code) == (503, 400)
    await asyncio.gather(*crowd)
    assert (await say_nothing_readable("/api/login")).status_code == 400
