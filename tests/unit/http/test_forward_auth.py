"""What a proxy is told of a request that it holds."""

from typing import Any

import httpx
import pytest

from tests.return_to import ELSEWHERE, OURS
from tests.unit.http.people import ANN, a_member

PATH = "/api/forward_auth"
IDENTITY = ("x-user-id", "x-username", "x-user-role", "x-session-id")
PAGE_LOADS = [
    {"accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"},
    {"accept": "Text/HTML", "x-forwarded-method": "GET"},
    {"sec-fetch-mode": "navigate", "x-forwarded-method": "HEAD"},
]
NO_PAGE_LOADS = [
    {},
    {"accept": "application/json"},
    {"accept": "*/*", "sec-fetch-mode": "cors"},
    {"accept": "text/html", "x-forwarded-method": "POST"},
    {"sec-fetch-mode": "navigate", "x-forwarded-method": "DELETE"},
]


async def current(client: httpx.AsyncClient) -> dict[str, Any]:
    found: dict[str, Any] = (await client.get("/api/session")).json()
    return found


@pytest.fixture
async def member(client: httpx.AsyncClient, first_invite: str, said: list[str]) -> dict[str, Any]:
    """A session of somebody whose name is not ASCII."""
    await a_member(client, first_invite, said, {**ANN, "username": "bjørn"})
    await client.post("/api/login", json={"email": ANN["email"], "password": ANN["password"]})
    return await current(client)


async def test_who_is_logged_in_stands_in_headers(client: httpx.AsyncClient, member: dict[str, Any]) -> None:
    answer = await client.get(PATH)
    assert (answer.status_code, answer.content) == (200, b"")
    assert {name: answer.headers[name] for name in IDENTITY} == {
        "x-user-id": member["user"]["id"],
        "x-username": "bj%C3%B8rn",
        "x-user-role": "admin",
        "x-session-id": member["session"]["id"],
    }


async def test_what_the_held_request_is_makes_no_difference(client: httpx.AsyncClient, member: dict[str, Any]) -> None:
    """The proxy asks with the headers of another request: one that another site sends, or one with a body."""
    held = {
        "origin": "https://evil.example",
        "sec-fetch-site": "cross-site",
        "content-type": "text/plain",
        "content-length": "5",
        "x-forwarded-method": "POST",
        "x-forwarded-uri": "//evil.example",
        "x-forwarded-host": "evil.example",
        "x-username": "eve",
        "x-user-id": "1",
    }
    answer = await client.get(PATH, headers=held)
    assert (answer.status_code, answer.headers["x-username"]) == (200, "bj%C3%B8rn")


async def test_after_log_out_nobody_is_named(client: httpx.AsyncClient, member: dict[str, Any]) -> None:
    cookie = f"__Host-session={client.cookies['__Host-session']}"
    await client.post("/api/logout")
    answer = await client.get(PATH, headers={"cookie": cookie})
    assert (answer.status_code, answer.json()["code"]) == (401, "not_logged_in")
    assert not set(IDENTITY) & set(answer.headers)


@pytest.mark.parametrize("headers", NO_PAGE_LOADS)
async def test_a_client_without_a_session_is_told_so(client: httpx.AsyncClient, headers: dict[str, str]) -> None:
    answer = await client.get(PATH, headers={"x-forwarded-uri": "/posts", **headers})
    assert (answer.status_code, answer.json()["code"]) == (401, "not_logged_in")
    assert not set(IDENTITY) & set(answer.headers)


@pytest.mark.parametrize("headers", PAGE_LOADS)
async def test_a_page_load_without_a_session_is_led_to_the_log_in_page(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    answer = await client.get(PATH, headers={"x-forwarded-uri": "/posts?a=1&b=%20#", **headers})
    assert (answer.status_code, answer.content) == (302, b"")
    assert answer.headers["location"] == "http://localhost:8000/login?return_to=/posts%3Fa%3D1%26b%3D%2520%23"


@pytest.mark.parametrize("headers", PAGE_LOADS)
async def test_a_proxy_that_does_not_name_the_page_gets_no_redirect(
    client: httpx.AsyncClient, headers: dict[str, str]
) -> None:
    assert (await client.get(PATH, headers=headers)).status_code == 401


async def test_the_log_in_page_is_told_of_paths_of_ours_alone(client: httpx.AsyncClient) -> None:
    for target in OURS + ELSEWHERE:
        sent = [(b"x-forwarded-uri", target.encode()), (b"accept", b"text/html"), (b"host", b"evil.example")]
        answer = await client.get(PATH, headers=sent)
        location = httpx.URL(answer.headers["location"])
        assert str(location).startswith("http://localhost:8000/login"), target
        assert location.params.get("return_to") == (target if target in OURS else None), target


async def test_two_targets_are_none(client: httpx.AsyncClient) -> None:
    two = [("x-forwarded-uri", "/posts"), ("x-forwarded-uri", "//evil.example"), ("accept", "text/html")]
    assert (await client.get(PATH, headers=two)).headers["location"] == "http://localhost:8000/login"
