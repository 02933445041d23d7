"""The session cookie: one of ours, whole and alone, or no session."""

from dataclasses import dataclass

import httpx
import msgspec
import pytest

from entrypoints.http.app import create_app
from entrypoints.settings import Settings
from tests.asgi import running
from tests.unit.http.people import CREDENTIALS, a_member, log_in

NAME = "__Host-session"


@dataclass
class Session:
    """A client with a session, and the cookie's value."""

    client: httpx.AsyncClient
    value: str

    async def with_cookies(self, header: str) -> int:
        self.client.cookies.clear()
        headers = httpx.Headers({"cookie": header}, encoding="latin-1")
        return (await self.client.get("/api/session", headers=headers)).status_code


@pytest.fixture
async def session(client: httpx.AsyncClient, first_invite: str, said: list[str]) -> Session:
    await a_member(client, first_invite, said)
    await log_in(client)
    return Session(client, client.cookies[NAME])


async def test_the_cookie_is_for_this_host_alone_and_out_of_scripts_reach(
    client: httpx.AsyncClient, first_invite: str, said: list[str]
) -> None:
    await a_member(client, first_invite, said)
    (header,) = (await client.post("/api/login", json=CREDENTIALS)).headers.get_list("set-cookie")
    name, *attributes = header.split("; ")
    assert name.startswith(f"{NAME}=")
    assert {attribute.lower() for attribute in attributes} == {
        "httponly",
        "secure",
        "samesite=strict",
        "path=/",
        "max-age=1209600",
    }


async def test_the_cookie_opens_the_session(session: Session) -> None:
    assert await session.with_cookies(f"{NAME}={session.value}") == 200
    assert await session.with_cookies(f"theme=dark; {NAME}={session.value}; x") == 200


async def test_what_is_not_our_cookie_opens_nothing(session: Session) -> None:
    for value in ("", "x", session.value[:-1], session.value + "A", session.value[::-1], "A" * 82, '"', "%00", "\xe9"):
        assert await session.with_cookies(f"{NAME}={value}") == 401, value
    assert await session.with_cookies(f"session={session.value}") == 401


async def test_two_cookies_of_the_name_open_nothing_in_either_order(session: Session) -> None:
    mine, planted = f"{NAME}={session.value}", f"{NAME}={'A' * 82}"
    assert await session.with_cookies(f"{mine}; {planted}") == 401
    assert await session.with_cookies(f"{planted}; {mine}") == 401
    assert await session.with_cookies(f"{mine}; {mine}") == 401


async def test_a_planted_cookie_is_never_adopted(session: Session) -> None:
    client = session.client
    await client.post("/api/logout")
    for planted in (session.value, "A" * 82):
        client.cookies.clear()
        answer = await client.post("/api/login", json=CREDENTIALS, headers={"cookie": f"{NAME}={planted}"})
        assert answer.json()["status"] == "logged_in"
        assert client.cookies[NAME] != planted


async def test_a_copy_of_the_cookie_is_dead_after_log_out(session: Session) -> None:
    assert (await session.client.post("/api/logout")).status_code == 200
    assert await session.with_cookies(f"{NAME}={session.value}") == 401


async def test_anonymous_visitors_get_no_cookie(client: httpx.AsyncClient) -> None:
    for path in ("/", "/api/session", "/signup", "/live"):
        assert "set-cookie" not in (await client.get(path)).headers


async def test_plain_http_on_another_host_has_a_cookie_that_browsers_take(settings: Settings, said: list[str]) -> None:
    elsewhere = msgspec.structs.replace(settings, public_url="http://bottomline.lan")
    async with running(create_app(elsewhere, said.append), "http://bottomline.lan") as client:
        invite = said[0].rsplit("=", 1)[1]
        await a_member(client, invite, said)
        header = (await client.post("/api/login", json=CREDENTIALS)).headers["set-cookie"]
    assert header.startswith("session=")
    assert "secure" not in header.lower()


async def test_https_is_told_to_stay_https(settings: Settings, said: list[str]) -> None:
    secure = msgspec.structs.replace(settings, public_url="https://bottomline.example")
    async with running(create_app(secure, said.append), "https://bottomline.example") as client:
        assert "max-age=31536000" in (await client.get("/nothing")).headers["strict-transport-security"]


@pytest.mark.parametrize("space", ["\xa0", "\x85", "\x1c"])
async def test_what_passes_for_white_space_makes_another_name(
    client: httpx.AsyncClient, first_invite: str, said: list[str], space: str
) -> None:
    """Else a sibling host could plant a cookie past the promise of `__Host-`."""
    await a_member(client, first_invite, said)
    await log_in(client)
    cookie = client.cookies["__Host-session"]
    client.cookies.clear()
    planted = f"{space}__Host-session={cookie}".encode("latin-1")
    assert (await client.get("/api/session", headers={b"cookie": planted})).status_code == 401
    own = f"__Host-session={cookie}".encode()
    assert (await client.get("/api/session", headers={b"cookie": planted + b"; " + own})).status_code == 200


async def test_a_log_out_with_two_cookies_ends_both_sessions(
    client: httpx.AsyncClient, first_invite: str, said: list[str]
) -> None:
    await a_member(client, first_invite, said)
    cookies = []
    for _ in range(2):
        await log_in(client)
        cookies.append(f"__Host-session={client.cookies['__Host-session']}")
        client.cookies.clear()
    await client.post("/api/logout", headers={"cookie": "; ".join(cookies)})
    for cookie in cookies:
        assert (await client.get("/api/session", headers={"cookie": cookie})).status_code == 401
