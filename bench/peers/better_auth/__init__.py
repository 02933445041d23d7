"""better-auth, its sessions in secondary storage alone.

Its cookie cache stays off, as it is by default: with it a revoked session lives on until the cache's age. Node itself
serves the handler, which is a little faster than within Express.
"""

import json

import httpx

from bench.peers.peer import PASSWORD, Ask, Peer, Runtime


async def sign_up(client: httpx.AsyncClient, number: int) -> None:
    person = f"person{number}"
    body = {"email": f"{person}@example.org", "name": person, "password": PASSWORD}
    headers = {"origin": _origin(client)}
    (await client.post("/api/auth/sign-up/email", json=body, headers=headers)).raise_for_status()


async def log_in(client: httpx.AsyncClient) -> Ask:
    body = json.dumps({"email": "person%d@example.org", "password": PASSWORD})
    headers = {"content-type": "application/json", "origin": _origin(client)}
    return Ask("/api/auth/sign-in/email", "POST", headers, body)


def _origin(client: httpx.AsyncClient) -> str:
    """What a browser says; it is refused without, as soon as the client holds a cookie."""
    return str(client.base_url).rstrip("/")


PEER = Peer(
    name="better_auth",
    label="better-auth",
    runtime=Runtime.NODE,
    prepare=[["node", "prepare.js"]],
    serve=["node", "server.js"],
    environment={"NODE_ENV": "production"},
    session="/api/auth/get-session",
    sign_up=sign_up,
    log_in=log_in,
)
