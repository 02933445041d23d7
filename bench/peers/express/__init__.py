"""Express 5 with express-session and connect-redis.

The store touches a session at every request, as it does by default: two Redis commands for a check. `disableTouch`
would leave one, and takes a tenth to a fifth off its CPU time.
"""

import json

import httpx

from bench.peers.peer import PASSWORD, Ask, Peer, Runtime


async def sign_up(client: httpx.AsyncClient, number: int) -> None:
    person = f"person{number}"
    body = {"email": f"{person}@example.org", "username": person, "password": PASSWORD}
    (await client.post("/users", json=body)).raise_for_status()


async def log_in(_: httpx.AsyncClient) -> Ask:
    body = json.dumps({"email": "person%d@example.org", "password": PASSWORD})
    return Ask("/login", "POST", {"content-type": "application/json"}, body)


PEER = Peer(
    name="express",
    label="Express + express-session + connect-redis",
    runtime=Runtime.NODE,
    prepare=[["node", "prepare.js"]],
    serve=["node", "server.js"],
    environment={"NODE_ENV": "production"},
    session="/session",
    sign_up=sign_up,
    log_in=log_in,
)
