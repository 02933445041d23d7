"""Who is measured, started and with people in it."""

import asyncio
import os
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import asyncpg
import httpx
from tests.integration.processes import Browser
from tests.integration.servers import Servers

from adapters.argon2.password_hasher import Argon2Cost
from bench.cores import on_servers_core
from bench.installation import installed
from bench.load import USERS
from bench.peers.better_auth import PEER as BETTER_AUTH
from bench.peers.django_allauth import PEER as DJANGO_ALLAUTH
from bench.peers.express import PEER as EXPRESS
from bench.peers.fastapi_users import PEER as FASTAPI_USERS
from bench.peers.peer import PASSWORD, Ask, Peer

PEERS = (EXPRESS, FASTAPI_USERS, DJANGO_ALLAUTH, BETTER_AUTH)
US = "Bottomline"
COST = Argon2Cost()
CHEAP = Argon2Cost(time=1, memory=8)
SECRET = "a secret of at least thirty-two characters"
JSON = {"content-type": "application/json"}
CLAIMS, INVITES = 10_000, 16


@dataclass(frozen=True)
class Contender:
    """One that runs: how it is asked, and its process."""

    label: str
    url: str
    pid: int
    session: Ask
    """Tells who is logged in, with the cookie of somebody who is."""
    log_in: Ask
    redis: str
    database: str
    invites: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


@asynccontextmanager
async def peer(one: Peer, servers: Servers, folder: Path, number: int, cost: Argon2Cost) -> AsyncIterator[Contender]:
    """A peer on a database of its own, with people who can log in."""
    one.install()
    redis = with_path(servers.redis, str(number))
    environment = {
        **os.environ,
        "PYTHONUNBUFFERED": "1",
        **one.environment,
        "DATABASE_URL": await database(servers.postgres),
        "REDIS_URL": redis,
        "SECRET": SECRET,
        "ARGON2_TIME": str(cost.time),
        "ARGON2_MEMORY_KIB": str(cost.memory),
        "PORT": str(free_port()),
    }
    url = f"http://127.0.0.1:{environment['PORT']}"
    for command in one.prepare:
        said(command, one.folder, environment)
    with served(one.serve, one.folder, environment, folder / one.name) as pid:
        await answers(url)
        async with httpx.AsyncClient(base_url=url, timeout=30) as client:
            for nth in range(1, USERS + 1):
                await one.sign_up(client, nth)
        async with httpx.AsyncClient(base_url=url, timeout=30) as client:
            ask = await one.log_in(client)
            answer = await client.request(
                ask.method, ask.path, content=ask.body.replace("%d", "1"), headers=dict(ask.headers)
            )
            answer.raise_for_status()
            cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        session = Ask(one.session, headers={"Cookie": cookie})
        yield Contender(one.label, url, pid, session, ask, redis, environment["DATABASE_URL"])


@asynccontextmanager
async def bottomline(servers: Servers, folder: Path, number: int, cost: Argon2Cost) -> AsyncIterator[Contender]:
    """The same people in Bottomline: its web process as `bottomline serve` runs it on real servers."""
    redis = with_path(servers.redis, str(number))
    environment = {
        **os.environ,
        "BOTTOMLINE_DATABASE_URL": await database(servers.postgres),
        "BOTTOMLINE_REDIS_URL": redis,
        "BOTTOMLINE_RABBITMQ_URL": servers.rabbitmq,
        "BOTTOMLINE_SMTP_URL": "smtp://127.0.0.1:1",
        "BOTTOMLINE_SECRET_KEYS": SECRET,
        "BOTTOMLINE_ARGON2_TIME": str(cost.time),
        "BOTTOMLINE_ARGON2_MEMORY_KIB": str(cost.memory),
        "BOTTOMLINE_RATE_LIMITS": "off",
        "BOTTOMLINE_PORT": str(free_port()),
    }
    executable = installed()
    url = f"http://localhost:{environment['BOTTOMLINE_PORT']}"
    said([executable, "migrate"], folder, environment)
    with served([executable, "serve"], folder, environment, folder / f"bottomline-{number}") as pid:
        await answers(url)
        create = [executable, "invite", "create", "--max-claims", str(CLAIMS)]
        invites = [said(create, folder, environment).rpartition("=")[2] for _ in range(INVITES)]
        async with Browser(url) as browser:
            for nth in range(1, USERS + 1):
                answer = await browser.post("/api/users", json=person(nth) | {"invite": invites[0]})
                answer.raise_for_status()
            await confirm_all(environment["BOTTOMLINE_DATABASE_URL"])
            who = {"email": "person1@example.org", "password": PASSWORD}
            (await browser.post("/api/login", json=who)).raise_for_status()
            session = Ask("/api/session", headers={"Cookie": str(browser.cookie)})
        body = f'{{"email":"person%d@example.org","password":"{PASSWORD}"}}'
        log_in = Ask("/api/login", "POST", JSON, body)
        database_url = environment["BOTTOMLINE_DATABASE_URL"]
        yield Contender(US, url, pid, session, log_in, redis, database_url, invites, environment)


@asynccontextmanager
async def another(one: Contender, folder: Path) -> AsyncIterator[Contender]:
    """One more web process of the same Bottomline: it has signed nobody up."""
    environment = {**one.environment, "BOTTOMLINE_PORT": str(free_port())}
    url = f"http://localhost:{environment['BOTTOMLINE_PORT']}"
    with served([installed(), "serve"], folder, environment, folder / "another") as pid:
        await answers(url)
        yield replace(one, url=url, pid=pid)


def said(command: Sequence[str], folder: Path, environment: Mapping[str, str]) -> str:
    """What a command printed, once it has ended well."""
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stdout}{done.stderr}")
    return done.stdout.strip()


@contextmanager
def served(command: Sequence[str], folder: Path, environment: Mapping[str, str], log: Path) -> Iterator[int]:
    """A server on its core until the block ends; its process's id."""
    with log.open("w") as out:
        process = subprocess.Popen(
            on_servers_core(command), cwd=folder, env=environment, stdout=out, stderr=subprocess.STDOUT
        )
    try:
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


async def answers(url: str) -> None:
    """Wait until a server answers anything at all."""
    async with asyncio.timeout(60), httpx.AsyncClient() as client:
        while True:
            try:
                await client.get(url)
            except httpx.TransportError:
                await asyncio.sleep(0.05)
            else:
                return


async def database(postgres: str) -> str:
    """A new, empty database; its URL."""
    name = f"bench_{uuid4().hex}"
    connection = await asyncpg.connect(postgres)
    await connection.execute(f"CREATE DATABASE {name}")
    await connection.close()
    return with_path(postgres, name)


async def confirm_all(postgres: str) -> None:
    """Confirm every account, as if everybody had followed the link in their mail."""
    connection = await asyncpg.connect(postgres)
    await connection.execute("UPDATE users SET confirmed_at = created_at")
    await connection.close()


def with_path(url: str, path: str) -> str:
    """The same server, another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{path}"))


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def person(number: int) -> dict[str, str]:
    name = f"person{number}"
    return {"email": f"{name}@example.org", "username": name, "password": PASSWORD}
