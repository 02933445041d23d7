"""What is answered when something needed is away."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest

from adapters.argon2.password_hasher import Argon2Cost, Argon2PasswordHasher
from application.ports import Unavailable
from domain.errors import TooManyRequests
from domain.password import Password
from entrypoints.http import shell
from entrypoints.http.app import create_app
from entrypoints.settings import Settings
from tests.asgi import running


class Away:
    """A record that does not answer."""

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[Any]:
        raise Unavailable("no answer")
        yield


def unavailable(answer: httpx.Response) -> None:
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert answer.headers["retry-after"] == "1"
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_without_its_database_it_lives_but_is_not_ready(settings: Settings, said: list[str]) -> None:
    async with running(create_app(settings, said.append, swap={"read": Away()})) as client:
        unavailable(await client.get("/ready"))
        unavailable(await client.post("/api/login", json={"email": "ann@example.org", "password": "x"}))
        assert (await client.get("/live")).status_code == 200


class Broken:
    """A record that fails in a way that nobody has thought of, with words that are nobody's business."""

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[Any]:
        raise RuntimeError("SELECT canary FROM users")
        yield


@pytest.mark.parametrize("debug", ["0", "1"])
async def test_no_fault_is_told_in_its_own_words(
    settings: Settings, said: list[str], monkeypatch: pytest.MonkeyPatch, debug: str
) -> None:
    """Nor with what the framework calls debugging, which is not for operators to switch on by mistake."""
    monkeypatch.setenv("LITESTAR_DEBUG", debug)
    async with running(create_app(settings, said.append, swap={"read": Broken()})) as client:
        answer = await client.post("/api/login", json={"email": "ann@example.org", "password": "x"})
        assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
        assert not any(word in str(answer.headers) + answer.text for word in ("canary", "RuntimeError", "Traceback"))
        assert (await client.get("/live")).status_code == 200, "and the process goes on"


class Spent:
    """A record behind a limit that is reached."""

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[Any]:
        raise TooManyRequests(timedelta(seconds=29, microseconds=1))
        yield


async def test_whoever_asks_too_often_is_told_when_to_come_again(settings: Settings, said: list[str]) -> None:
    async with running(create_app(settings, said.append, swap={"read": Spent()})) as client:
        answer = await client.post("/api/login", json={"email": "ann@example.org", "password": "x"})
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_requests")
    assert answer.headers["retry-after"] == "30"
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"].endswith("Try again in 30 seconds.")


async def test_a_start_without_limits_is_a_warning(
    settings: Settings, said: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    for has_limits in (True, False):
        caplog.clear()
        async with running(create_app(msgspec.structs.replace(settings, rate_limits=has_limits), said.append)):
            assert ("BOTTOMLINE_RATE_LIMITS is off" in caplog.text) is not has_limits


async def test_a_request_that_takes_too_long_is_answered_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shell, "DEADLINE", 0.05)

    async def hanging(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.Event().wait()

    app: Any = shell.Shell(hanging, public_url="http://localhost")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        unavailable(await client.get("/anything"))


async def test_an_unknown_user_costs_a_hash_too() -> None:
    hasher = Argon2PasswordHasher(Argon2Cost(1, 8))
    assert not await hasher.verify(Password("anything"), None)
    assert hasher._hasher.check_needs_rehash(hasher._nobody) is False, "the same parameters as any other hash"
    hasher.close()
