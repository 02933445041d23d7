"""Limits over HTTP: how often an endpoint may be tried, and what too many tries are told."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, cast

import httpx
import msgspec
import pytest

from domain import limits
from domain.limits import Limit
from entrypoints.http.app import create_app
from entrypoints.settings import Settings
from tests.asgi import running
from tests.unit.http.people import ANN, BOB, a_member, another_browser, log_in

Try = Callable[[httpx.AsyncClient, int], Awaitable[httpx.Response]]
WRONG = {"password": "not the password at all"}


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return msgspec.structs.replace(settings, rate_limits=True)


@pytest.fixture
async def elsewhere(settings: Settings, said: list[str]) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    """Clients at two addresses."""
    app = create_app(settings, said.append)
    async with running(app) as here:
        transport = httpx.ASGITransport(cast("Any", app), raise_app_exceptions=False, client=("203.0.113.7", 4711))
        async with httpx.AsyncClient(transport=transport, base_url=here.base_url) as there:
            yield here, there


def posting(path: str, **body: str) -> Try:
    """Try number n to POST, where `{n}` in a value is its number."""

    async def attempt(client: httpx.AsyncClient, number: int) -> httpx.Response:
        return await client.post(path, json={name: text.format(n=number) for name, text in body.items()})

    return attempt


PASSWORD = "another horse battery"
SIGN_UP = posting("/api/users", invite="none", email="p{n}@example.org", username="person{n}", password=PASSWORD)

FOR_ANYBODY: list[tuple[Limit, int, Try]] = [
    (limits.LOG_IN_BY_ACCOUNT_AND_ADDRESS, 401, posting("/api/login", email=ANN["email"], **WRONG)),
    (limits.LOG_IN_BY_ADDRESS, 401, posting("/api/login", email="p{n}@example.org", **WRONG)),
    (limits.BAD_INVITES_BY_ADDRESS, 404, SIGN_UP),
    (limits.BAD_INVITES_BY_ADDRESS, 404, posting("/api/invites/verify", invite="none")),
    (limits.CONFIRM_BY_ADDRESS, 404, posting("/api/confirm_account", confirmation="none")),
    (limits.CONFIRM_BY_ADDRESS, 404, posting("/api/confirm_email", confirmation="none")),
    (limits.CONFIRM_BY_ADDRESS, 404, posting("/api/undo_change_email", undo="none")),
    (limits.RESET_BY_ADDRESS, 404, posting("/api/reset_password", reset="none", password=PASSWORD)),
    (limits.MAIL_REQUESTS_BY_ADDRESS, 202, posting("/api/forgot_password", email="p{n}@example.org")),
    (limits.MAIL_REQUESTS_BY_ADDRESS, 202, posting("/api/resend_confirmation", email="p{n}@example.org")),
]


@pytest.mark.parametrize(("limit", "status", "attempt"), FOR_ANYBODY)
async def test_an_endpoint_may_be_tried_so_often_and_then_says_when_to_come_again(
    client: httpx.AsyncClient, limit: Limit, status: int, attempt: Try
) -> None:
    answers = [await attempt(client, number) for number in range(limit.tries + 1)]
    assert {answer.status_code for answer in answers[:-1]} == {status}
    refused = answers[-1]
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_requests")
    assert 1 <= int(refused.headers["retry-after"]) <= limit.interval.total_seconds() + 1


async def test_exactly_so_many_bad_invites_are_told_apart_when_all_come_at_once(client: httpx.AsyncClient) -> None:
    answers = await asyncio.gather(*(SIGN_UP(client, number) for number in range(18)))
    assert sorted(answer.status_code for answer in answers) == [404] * 10 + [429] * 8


async def test_a_good_invite_from_elsewhere_still_works(
    elsewhere: tuple[httpx.AsyncClient, httpx.AsyncClient], said: list[str]
) -> None:
    here, there = elsewhere
    for number in range(12):
        await SIGN_UP(here, number)
    invite = said[0].split("#invite=")[1]
    assert (await here.post("/api/invites/verify", json={"invite": invite})).status_code == 429
    assert (await there.post("/api/invites/verify", json={"invite": invite})).status_code == 200


async def test_good_invites_are_verified_as_often_as_one_likes(client: httpx.AsyncClient, first_invite: str) -> None:
    for _ in range(3 * limits.BAD_INVITES_BY_ADDRESS.tries):
        assert (await client.post("/api/invites/verify", json={"invite": first_invite})).status_code == 200


async def test_an_owner_gets_in_from_elsewhere_however_often_others_guess(
    elsewhere: tuple[httpx.AsyncClient, httpx.AsyncClient], said: list[str]
) -> None:
    """Throttled, never locked."""
    here, there = elsewhere
    await a_member(there, said[0].split("#invite=")[1], said)
    answers = [await here.post("/api/login", json={"email": ANN["email"], **WRONG}) for _ in range(100)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429] * 90
    assert (await log_in(there))["status"] == "logged_in"
    assert (await here.post("/api/forgot_password", json={"email": ANN["email"]})).status_code == 202


async def test_one_password_on_a_thousand_accounts_trips_the_limit_whatever_succeeds(
    elsewhere: tuple[httpx.AsyncClient, httpx.AsyncClient], said: list[str]
) -> None:
    here, there = elsewhere
    await a_member(there, said[0].split("#invite=")[1], said)
    passed = 0
    for number in range(1000):
        email = ANN["email"] if number == 15 else f"p{number}@example.org"
        answer = await here.post("/api/login", json={"email": email, "password": ANN["password"]})
        here.cookies.clear()
        passed += answer.status_code != 429
    assert limits.LOG_IN_BY_ADDRESS.tries <= passed <= limits.LOG_IN_BY_ADDRESS.tries + 15


async def test_a_stolen_session_cannot_guess_the_password(
    client: httpx.AsyncClient, first_invite: str, said: list[str]
) -> None:
    await a_member(client, first_invite, said)
    await log_in(client)
    statuses = []
    for number in range(4):
        answers = [
            await client.post("/api/change_email", json={"email": f"p{number}@example.org", **WRONG}),
            await client.post("/api/change_password", json={"current_password": "wrong", "password": PASSWORD}),
            await client.request("DELETE", "/api/user", json=WRONG),
        ]
        statuses += [answer.status_code for answer in answers]
    assert statuses == [400] * 10 + [429] * 2
    assert (await client.request("DELETE", "/api/user", json={"password": ANN["password"]})).status_code == 429
    assert (await client.get("/api/session")).status_code == 200


async def test_a_user_issues_so_many_invites_an_hour(
    client: httpx.AsyncClient, first_invite: str, said: list[str]
) -> None:
    await a_member(client, first_invite, said)
    await log_in(client)
    answers = [await client.post("/api/invites", json={}) for _ in range(limits.INVITES_BY_USER.tries + 1)]
    assert [answer.status_code for answer in answers] == [201] * limits.INVITES_BY_USER.tries + [429]
    async with another_browser(client) as other:
        await a_member(other, answers[0].json()["invite"], said, BOB)
        await log_in(other, BOB)
        assert (await other.post("/api/invites", json={})).status_code == 201


async def test_sign_ups_are_counted_with_good_invites_too(
    client: httpx.AsyncClient, first_invite: str, said: list[str]
) -> None:
    await a_member(client, first_invite, said)
    await log_in(client)
    invite = (await client.post("/api/invites", json={"max_claims": 100})).json()["invite"]
    statuses = []
    for number in range(limits.SIGN_UP_BY_ADDRESS.tries + 5):
        body = {"invite": invite, "email": f"p{number}@example.org", "username": f"person{number}"}
        statuses.append((await client.post("/api/users", json={**body, "password": PASSWORD})).status_code)
    assert statuses[: limits.SIGN_UP_BY_ADDRESS.tries - 1] == [202] * (limits.SIGN_UP_BY_ADDRESS.tries - 1)
    assert statuses[-1] == 429
