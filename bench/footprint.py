"""What it keeps: memory of Redis for each session, and of the web process."""

import asyncio
import tempfile
from pathlib import Path

from redis.asyncio import Redis
from tests.integration.servers import Servers, running

from bench.charts import Bar
from bench.contenders import CHEAP, COST, Contender, another, bottomline, peer
from bench.embedded import QUIET, resident
from bench.load import USERS, load
from bench.peers.express import PEER as EXPRESS
from bench.results import Chart, Group, Row

SESSIONS = 5_000
FEWER, MORE, MOST = 100_000, 1_000_000, 2_000_000
SLICE = 2.0


def measure() -> Group:
    """Bottomline beside Express, and Bottomline by itself."""
    with running() as servers, tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_measure(servers, Path(folder)))


async def _measure(servers: Servers, folder: Path) -> Group:
    async with bottomline(servers, folder, 0, CHEAP) as one:
        ours = await bytes_a_session(one)
    async with peer(EXPRESS, servers, folder, 1, CHEAP) as one:
        theirs = await bytes_a_session(one)
    async with bottomline(servers, folder, 2, COST) as one, another(one, folder) as other:
        at_first = resident(other.pid)
        await load(other.url, other.log_in, seconds=SLICE, connections=4)
        await asyncio.sleep(QUIET)
        fewer = await resident_after(other, FEWER)
        await asyncio.gather(load(other.url, other.session, seconds=SLICE), forget(one.redis))
        more = await resident_after(other, MORE - FEWER)
        most = await resident_after(other, MOST - MORE)
        signed_up = resident(one.pid)
    return Group(
        [
            Row(f"Redis for one of {SESSIONS:,} sessions, {EXPRESS.label}", f"{theirs:.0f} bytes"),
            Row(
                "Redis for one of Bottomline's",
                f"{ours:.0f} bytes, {ours / theirs:.2f} of it",
                "at most 0.5",
                ours <= theirs / 2,
            ),
            Row("resident memory of a web process, at its first answer", f"{at_first:.0f} MB"),
            Row(f"after log-ins and {FEWER:,} session checks", f"{fewer:.0f} MB", "at most 100 MB", fewer <= 100),
            Row(f"after {MORE:,}", f"{more:.0f} MB"),
            Row(f"after {MOST:,}", f"{most:.0f} MB", "flat: at most 1 % more", most <= 1.01 * more),
            Row(f"of one that has signed {USERS} people up, at rest", f"{signed_up:.0f} MB"),
        ],
        Chart(
            "Redis memory for one session",
            "bytes, less is better",
            [Bar("Bottomline", ours, is_ours=True), Bar(EXPRESS.label, theirs)],
        ),
    )


async def bytes_a_session(one: Contender) -> float:
    """What Redis has grown by, for each of so many log-ins, once their connections stand."""
    async with Redis.from_url(one.redis) as redis:
        await load(one.url, one.log_in, seconds=SLICE, connections=16)
        await redis.flushdb()
        before = await used(redis)
        while await redis.dbsize() < SESSIONS:
            await load(one.url, one.log_in, seconds=SLICE, connections=16)
        while await redis.dbsize() > SESSIONS:  # the tables of Redis grow in steps: as many for each contender
            await redis.delete(await redis.randomkey() or b"")
        return (await used(redis) - before) / SESSIONS


async def forget(url: str) -> None:
    """Empty Redis in the midst of a load: all read the session from the database at once, as after each minute."""
    await asyncio.sleep(SLICE / 2)
    async with Redis.from_url(url) as redis:
        await redis.flushdb()


async def used(redis: Redis) -> float:
    """Bytes that Redis uses, without the buffers of its clients."""
    memory = await redis.info("memory")
    return float(memory["used_memory"] - memory["mem_clients_normal"])


async def resident_after(one: Contender, requests: int) -> float:
    """Megabytes of the web process after so many checks of a session."""
    answered = 0
    while answered < requests:
        answered += (await load(one.url, one.session, seconds=SLICE)).requests
    return resident(one.pid)
