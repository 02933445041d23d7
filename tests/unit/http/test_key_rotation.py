"""Changing the secret: what the old one made is good while the old one is listed, and nothing afterwards."""

from dataclasses import dataclass

import httpx
import msgspec
import pytest

from entrypoints.http.app import create_app
from entrypoints.settings import Settings
from tests.asgi import running
from tests.unit.http.people import ANN, BOB, CREDENTIALS, a_member, log_in, mailed

OLD, NEW = "o" * 32, "n" * 32
NAME = "__Host-session"
PASSWORD = "another horse battery"


@dataclass(frozen=True)
class Made:
    """What people have in their browsers and mailboxes."""

    cookie: str
    invite: str
    confirmation: str
    reset: str

    async def opens(self, client: httpx.AsyncClient) -> dict[str, int]:
        """What each of them is answered; those that are good are used by it."""
        client.cookies.clear()
        session = await client.get("/api/session", headers={"cookie": f"{NAME}={self.cookie}"})
        posts = {
            "/api/invites/verify": {"invite": self.invite},
            "/api/confirm_account": {"confirmation": self.confirmation},
            "/api/reset_password": {"reset": self.reset, "password": PASSWORD},
        }
        answers = {path: (await client.post(path, json=body)).status_code for path, body in posts.items()}
        return {"/api/session": session.status_code, **answers}


@pytest.fixture
async def made(settings: Settings, said: list[str]) -> Made:
    """Made under the old secret, all of it unused."""
    async with running(under(settings, said, OLD)) as client:
        await a_member(client, said[0].rsplit("=", 1)[1], said)
        await log_in(client)
        invites = [(await client.post("/api/invites", json={})).json()["invite"] for _ in range(2)]
        await client.post("/api/users", json={"invite": invites[0], **BOB})
        await client.post("/api/forgot_password", json={"email": ANN["email"]})
        return Made(
            cookie=client.cookies[NAME],
            invite=invites[1],
            confirmation=await mailed(BOB["email"], "confirmation", said),
            reset=await mailed(ANN["email"], "reset", said),
        )


def under(settings: Settings, said: list[str], *secrets: str) -> object:
    return create_app(msgspec.structs.replace(settings, secret_keys=secrets), said.append)


async def test_what_an_older_secret_made_opens_while_it_is_listed(
    settings: Settings, said: list[str], made: Made
) -> None:
    async with running(under(settings, said, NEW, OLD)) as client:
        assert set((await made.opens(client)).values()) == {200}


async def test_what_a_dropped_secret_made_opens_nothing(settings: Settings, said: list[str], made: Made) -> None:
    async with running(under(settings, said, NEW)) as client:
        assert await made.opens(client) == {
            "/api/session": 401,
            "/api/invites/verify": 404,
            "/api/confirm_account": 404,
            "/api/reset_password": 404,
        }
        assert (await client.post("/api/login", json=CREDENTIALS)).status_code == 200


async def test_what_is_made_meanwhile_outlives_the_older_secret(
    settings: Settings, said: list[str], made: Made
) -> None:
    async with running(under(settings, said, NEW, OLD)) as client:
        await log_in(client)
        cookie = client.cookies[NAME]
        listed = (await client.get("/api/invites")).json()
        (invite,) = [found["invite"] for found in listed if found["invite"]]
    assert invite != made.invite, "the same invite under the newer secret: lists and mails show it from now on"
    async with running(under(settings, said, NEW)) as client:
        assert (await client.get("/api/session", headers={"cookie": f"{NAME}={cookie}"})).status_code == 200
        assert (await client.post("/api/invites/verify", json={"invite": invite})).status_code == 200
