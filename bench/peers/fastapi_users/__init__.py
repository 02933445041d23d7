"""FastAPI with fastapi-users: a cookie whose token Redis knows, users by SQLAlchemy and asyncpg, served by uvicorn."""

import httpx

from bench.peers.peer import PASSWORD, Ask, Peer, Runtime

UVICORN = "venv/bin/uvicorn --loop uvloop --http httptools --no-access-log --port $PORT app:app"


async def _sign_up(client: httpx.AsyncClient, n: int) -> None:
    person = {"email": f"person{n}@example.org", "password": PASSWORD}
    (await client.post("/auth/register", json=person)).raise_for_status()


async def _log_in(_: httpx.AsyncClient) -> Ask:
    return Ask(
        path="/auth/login",
        method="POST",
        headers={"content-type": "application/x-www-form-urlencoded"},
        body=f"username=person%d@example.org&password={PASSWORD.replace(' ', '+')}",
    )


PEER = Peer(
    name="fastapi_users",
    label="FastAPI + fastapi-users",
    runtime=Runtime.PYTHON,
    prepare=(("venv/bin/python", "prepare.py"),),
    serve=("sh", "-c", f"exec {UVICORN}"),
    session="/users/me",
    sign_up=_sign_up,
    log_in=_log_in,
)
