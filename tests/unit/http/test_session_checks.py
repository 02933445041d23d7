"""Session checks are answered in front of the routes, and nobody can tell."""

from collections.abc import AsyncIterator

import httpx
import pytest

from adapters.memory.session_cache import MemorySessionCache, NoSessionCache
from application.ports import SessionCache
from entrypoints.http import session_checks
from entrypoints.http.app import create_app
from entrypoints.http.session_checks import ANSWERS, LONGEST, SessionChecks
from entrypoints.settings import Settings
from tests.asgi import running
from tests.unit.http.people import a_member, log_in


@pytest.fixture
async def cookies(settings: Settings, said: list[str]) -> AsyncIterator[httpx.Cookies]:
    """Of somebody who is logged in."""
    async with running(create_app(settings, said.append)) as client:
        await a_member(client, said[0].rsplit("=", 1)[1], said)
        await log_in(client)
        yield client.cookies


async def answers(
    settings: Settings, cookies: httpx.Cookies, cache: SessionCache, path: str, number: int = 2
) -> list[tuple[int, dict[str, str], bytes]]:
    """What one application answers, time after time, without what is another for each request."""
    found = []
    async with running(create_app(settings, lambda _: None, swap={"session_cache": cache})) as client:
        client.cookies = cookies
        for _ in range(number):
            answer = await client.get(path)
            assert len(answer.headers.pop("x-request-id")) == 16
            found.append((answer.status_code, dict(answer.headers), answer.content))
    return found


@pytest.mark.parametrize("path", [*ANSWERS, *(f"{path}?x=1" for path in ANSWERS)])
async def test_the_answer_is_the_same_whether_the_session_is_remembered_or_read(
    settings: Settings, cookies: httpx.Cookies, path: str
) -> None:
    read = await answers(settings, cookies, NoSessionCache(), path)
    first, remembered = await answers(settings, cookies, MemorySessionCache(), path)
    assert read == [first, remembered]
    assert remembered[0] == 200


@pytest.mark.parametrize("path", ANSWERS)
async def test_a_session_that_is_remembered_costs_the_record_nothing(
    settings: Settings, cookies: httpx.Cookies, path: str
) -> None:
    cache = MemorySessionCache()
    (fresh,) = await answers(settings, cookies, cache, path, number=1)
    away = {"session_cache": cache, "read": _no_record}
    async with running(create_app(settings, lambda _: None, swap=away)) as client:
        client.cookies = cookies
        answer = await client.get(path)
        assert (answer.status_code, answer.content) == (fresh[0], fresh[2])
        client.cookies.clear()
        assert (await client.get(path)).status_code == 401


def _no_record() -> None:
    raise AssertionError("nobody asks the record")


@pytest.mark.parametrize("path", ANSWERS)
async def test_what_is_no_reading_of_a_session_is_left_to_the_routes(
    settings: Settings, cookies: httpx.Cookies, path: str
) -> None:
    async with running(create_app(settings, lambda _: None)) as client:
        client.cookies = cookies
        await client.get(path)
        head = await client.head(path)
        assert (head.status_code, head.content) == (200, b"")
        assert (await client.options(path)).headers["allow"]
        assert (await client.post(path, json={})).status_code == 405
        client.cookies.set("__Host-session", "another", domain="localhost.local")
        await client.post("/api/logout")
        assert (await client.get(path)).status_code == 401


async def test_a_browser_that_is_known_is_told_what_is_so_now(settings: Settings, said: list[str]) -> None:
    """How its cookie opens is remembered, and what was said of its session; not whether that is still so."""
    async with running(create_app(settings, said.append)) as client:
        await a_member(client, said[0].rsplit("=", 1)[1], said)
        for _ in range(2):
            await log_in(client)
            answers = [(await client.get(path)).status_code for path in [*ANSWERS, *ANSWERS]]
            assert answers == [200] * 4
            kept = client.headers["cookie"] = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
            await client.post("/api/logout")
            client.cookies.clear()
            assert [(await client.get(path, headers={"cookie": kept})).status_code for path in ANSWERS] == [401, 401]
            del client.headers["cookie"]


async def test_whose_session_has_ended_keeps_nobody_out_of_mind(
    settings: Settings, cookies: httpx.Cookies, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_checks, "VISITORS", 2)
    (ours,) = (f"{name}={value}" for name, value in cookies.items())
    app = create_app(settings, lambda _: None)
    assert isinstance(app, SessionChecks)
    async with running(app) as client:
        await client.get("/api/session", headers={"cookie": ours})
        await client.get("/api/session", headers={"cookie": ours})
        ended = client.cookies
        await log_in(client)
        (other,) = (f"{name}={value}" for name, value in ended.items())
        await client.post("/api/logout")
        ended.clear()
        for number in range(5):
            line = {"cookie": f"a={number}; {other}"}
            assert (await client.get("/api/session", headers=line)).status_code == 401
        assert list(app._visitors) == [ours.encode()]


@pytest.mark.parametrize("path", ANSWERS)
async def test_a_key_may_come_among_many_cookies_and_in_several_lines(
    settings: Settings, cookies: httpx.Cookies, path: str
) -> None:
    (ours,) = (f"{name}={value}" for name, value in cookies.items())
    good = [
        [("cookie", ours)],
        [("cookie", f"a=1; {ours}; b=2")],
        [("cookie", "a=1"), ("cookie", ours)],
        [("cookie", f"a={'x' * LONGEST}; {ours}")],
    ]
    bad = [[("cookie", f"{ours}; {ours}")], [("cookie", ours), ("cookie", ours)], [("cookie", f"{ours}x")]]
    async with running(create_app(settings, lambda _: None)) as client:
        for lines in [*good, *good]:
            assert (await client.get(path, headers=lines)).status_code == 200
        for lines in [*bad, *bad]:
            assert (await client.get(path, headers=lines)).status_code == 401
