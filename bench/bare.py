"""The least that a log-in and a sign-up can do: passwords hashed as fast as the core can, one row committed for each.

`python -m bench.bare TIME MEMORY_KIB SECONDS [DATABASE_URL]` prints how many a second.
"""

import asyncio
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import argon2
import asyncpg
import uvloop

from adapters.argon2.password_hasher import cores
from bench.peers.peer import PASSWORD

AT_ONCE = 16
TABLE = "CREATE TABLE IF NOT EXISTS bare (id bigserial PRIMARY KEY, password_hash text)"
INSERT = "INSERT INTO bare (password_hash) VALUES ($1)"


async def main(cost: tuple[int, int], seconds: float, database: str | None) -> float:
    """How many a second."""
    hasher = argon2.PasswordHasher(time_cost=cost[0], memory_cost=cost[1], parallelism=1)
    pool = await asyncpg.create_pool(database, min_size=5, max_size=5) if database else None
    if pool:
        await pool.execute(TABLE)
    threads, loop = ThreadPoolExecutor(cores()), asyncio.get_running_loop()
    done = 0
    began = time.perf_counter()

    async def again_and_again() -> None:
        nonlocal done
        while time.perf_counter() - began < seconds:
            hashed = await loop.run_in_executor(threads, hasher.hash, PASSWORD)
            if pool:
                await pool.execute(INSERT, hashed)
            done += 1

    await asyncio.gather(*(again_and_again() for _ in range(AT_ONCE)))
    return done / (time.perf_counter() - began)


if __name__ == "__main__":
    time_cost, memory, length, *url = sys.argv[1:]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(runner.run(main((int(time_cost), int(memory)), float(length), url[0] if url else None)))
