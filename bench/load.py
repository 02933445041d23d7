"""Load on a server: wrk, so many connections that each send their next request when the last one is answered."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile

import msgspec

from bench.peers.peer import Ask

SCRIPT = Path(__file__).with_name("load.lua")
CONNECTIONS = 64
TRIES = 3
USERS = 100
"""How many people take turns at logging in."""


@dataclass(frozen=True)
class Load:
    """What came of it: answers, seconds from a request to its answer, and how many failed."""

    requests: int
    seconds: float
    p50: float
    p99: float
    lost: int
    refused: int

    @property
    def rate(self) -> float:
        """Good answers a second."""
        return (self.requests - self.refused) / self.seconds


class Failed(Exception):
    """The load met errors, so it measured something else."""


async def load(
    url: str,
    ask: Ask,
    *,
    seconds: float,
    connections: int = CONNECTIONS,
    users: int = USERS,
    after: int = 0,
    may_refuse: bool = False,
) -> Load:
    """Load a server with one request. Raises Failed; `after` is the number of the user before the first.

    Where answers are errors, it is tried again: the disk of a shared machine stands still for a second now and then.
    """
    for _ in range(TRIES):
        found = await _load(url, ask, seconds=seconds, connections=connections, users=users, after=after)
        if not found.lost and (may_refuse or not found.refused):
            return found
        after += found.requests + connections
    raise Failed(f"{url}{ask.path}: errors in each of {TRIES} rounds")


async def _load(url: str, ask: Ask, *, seconds: float, connections: int, users: int, after: int) -> Load:
    headers = [word for name, value in ask.headers.items() for word in ("-H", f"{name}: {value}")]
    with NamedTemporaryFile("w") as cookies:
        cookies.write("\n".join(ask.cookies))
        cookies.flush()
        process = await asyncio.create_subprocess_exec(
            *("wrk", "--threads", "1", "--connections", str(connections), "--duration", f"{seconds:.0f}s"),
            *("--timeout", "10s", *headers, "--script", str(SCRIPT), url),
            *("--", ask.method, ask.path, ask.body, str(users), str(after), cookies.name),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        said, _ = await process.communicate()
    found = said.decode().rpartition("\nmeasured ")[2]
    if process.returncode or not found.startswith("{"):
        raise Failed(said.decode())
    return msgspec.json.decode(found, type=Load)
