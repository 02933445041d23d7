"""Growth: what people notice of it when ten thousand have become ten million."""

import asyncio
import http.client
import json
import os
import random
import secrets
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import cycle
from pathlib import Path
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import argon2
import asyncpg
import uvloop
from redis import Redis
from sqlalchemy import make_url
from tests.integration.journeys.worlds import World, settings_on_servers
from tests.integration.population import ANSWERING, ROWS, Population, address_of, key_of
from tests.integration.processes import QUICK, WebProcess
from tests.integration.servers import Servers, running
from tests.integration.servers.local_postgres import LocalPostgres

from adapters.crypto.cookies import AesGcmCookieSeal
from adapters.sql.engine import open_engine
from adapters.sql.migrate import migrate
from bench.results import ROUNDS, Chart, Group, Rounds, Row, percentile
from entrypoints.http.session_cookie import cookie_name

SIZES = 10_000, 1_000_000, 10_000_000
RECENT = 10
"""One in so many people has joined, or done anything that leaves a trace for a while, of late."""
SAMPLES, BATCH = 1_000, 20
WARM_UP = 200
GOAL = 1.3
PASSWORD = "horse battery tree"
SHARE = 0.6
"""Of the machine's memory, for Postgres to keep pages in."""
STATISTICS_ARE_TOLD = 11.0
"""Seconds after which an idle connection has told the server what it has read."""
_PATIENT_SETTINGS = {
    "maintenance_work_mem": "1GB",
    "work_mem": "256MB",
    "synchronous_commit": "off",
    "search_path": "public",
}
_CONSTRAINTS = """
    SELECT conrelid::regclass::text AS table, conname AS name, contype = 'f' AS is_foreign,
           format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname) AS drop,
           format('ALTER TABLE %s ADD CONSTRAINT %I ', conrelid::regclass, conname) || pg_get_constraintdef(oid) AS make
    FROM pg_constraint WHERE conrelid::regclass::text = ANY($1) AND contype IN ('p', 'u', 'f')
    ORDER BY is_foreign DESC, name
"""
_INDEXES = """
    SELECT indrelid::regclass::text AS table, indexrelid::regclass::text AS name, false AS is_foreign,
           format('DROP INDEX %s', indexrelid::regclass) AS drop, pg_get_indexdef(indexrelid) AS make
    FROM pg_index WHERE indrelid::regclass::text = ANY($1)
      AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid) ORDER BY name
"""
_SCANS = "SELECT relname, seq_scan FROM pg_stat_user_tables WHERE relname = ANY($1)"
PERCENTS, JUDGED = (50, 95, 99), 99
Found: TypeAlias = Mapping[tuple[str, int, int], Rounds]
"""Milliseconds by what was done, how many users there are, and percentile."""


def measure() -> Group:
    """Cheap hashing, which hides nothing; one request at a time; servers of this run's own."""
    with running() as servers, RoomyPostgres() as postgres, tempfile.TemporaryDirectory() as folder:
        return uvloop.run(_measure(servers, postgres.url, Path(folder)))


class RoomyPostgres(LocalPostgres):
    """A Postgres that has most of the machine's memory, as whoever has ten million users would give it."""

    def command(self) -> list[str]:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        settings = {"shared_buffers": f"{int(SHARE * memory / 2**20)}MB", "max_wal_size": "16GB"}
        return [*super().command(), *(part for key, value in settings.items() for part in ("-c", f"{key}={value}"))]


async def _measure(servers: Servers, server: str, folder: Path) -> Group:
    rows, databases = list[Row](), dict[int, str]()
    for size in SIZES:
        databases[size] = await a_database(server, f"grown_{size}")
        began = time.perf_counter()
        await populate(databases[size], size)
        seconds = time.perf_counter() - began
        rows.append(Row(f"{_short(size)} users on disk", await _on_disk(databases[size], seconds)))
    for postgres in reversed(databases.values()):
        await remember(postgres)
    os.sync()
    async with AsyncExitStack() as stack:
        services = []
        for number, (size, postgres) in enumerate(databases.items()):
            redis = urlsplit(servers.redis)._replace(path=f"/{number}").geturl()
            settings = settings_on_servers(postgres, redis, servers.rabbitmq, "smtp://localhost:25")
            services.append(await stack.enter_async_context(serving(size, folder / str(size), settings)))
        for service in services:
            await asyncio.to_thread(service.warm_up)
        await asyncio.sleep(STATISTICS_ARE_TOLD)
        before = {size: await scans(postgres) for size, postgres in databases.items()}
        times = [await asyncio.to_thread(a_round, services) for _ in range(ROUNDS)]
    await asyncio.sleep(1)  # the connections that were closed tell theirs
    found = {
        (what, size, percent): Rounds([1000 * percentile(one[what][size], percent / 100) for one in times])
        for what in ACTS
        for size in SIZES
        for percent in PERCENTS
    }
    rows += [_row(found, what, percent) for what in ACTS for percent in PERCENTS]
    rows += [_row_of_scans(size, before[size], await scans(databases[size])) for size in SIZES[1:]]
    return Group(rows, _chart(found))


# Filling


async def a_database(postgres: str, name: str) -> str:
    """The URL of a fresh, migrated database."""
    admin = await asyncpg.connect(postgres)
    await admin.execute(f"CREATE DATABASE {name}")
    await admin.close()
    url = make_url(postgres).set(database=name).render_as_string(hide_password=False)
    engine = open_engine(url, is_patient=True)
    await migrate(engine)
    await engine.dispose()
    return url


async def populate(postgres: str, people: int) -> None:
    """Fill every table, two at a time, without its indexes: those are made afterwards, as they were."""
    password_hash = argon2.PasswordHasher(
        time_cost=int(QUICK["BOTTOMLINE_ARGON2_TIME"]),
        memory_cost=int(QUICK["BOTTOMLINE_ARGON2_MEMORY_KIB"]),
        parallelism=1,
    ).hash(PASSWORD)
    population = Population(people, people // RECENT, datetime.now(UTC), password_hash)
    async with asyncpg.create_pool(postgres, min_size=2, max_size=2, server_settings=_PATIENT_SETTINGS) as pool:
        schema = await _schema(pool)
        for part in schema:
            await pool.execute(part["drop"])

        async def fill(table: str) -> None:
            async with pool.acquire() as connection:
                await population.fill(connection, table)
                for part in schema:
                    if part["table"] == table and not part["is_foreign"]:
                        await connection.execute(part["make"])

        await asyncio.gather(*map(fill, ROWS))
        for part in schema:
            if part["is_foreign"]:
                await pool.execute(part["make"])
        assert schema == await _schema(pool), "the schema that was migrated"
        await pool.execute("VACUUM (ANALYZE)")
        await pool.execute("CHECKPOINT")


async def _schema(pool: Any) -> Sequence[Mapping[str, Any]]:
    """Indexes and constraints of the tables that are filled: how to drop each, and how to make it again."""
    return [*await pool.fetch(_CONSTRAINTS, list(ROWS)), *await pool.fetch(_INDEXES, list(ROWS))]


async def remember(postgres: str) -> None:
    """Have all of a database in memory, as it is where people come every day; what does not fit is read again."""
    connection = await asyncpg.connect(postgres)
    await connection.execute("CREATE EXTENSION pg_prewarm")
    await connection.execute("SELECT pg_prewarm(oid) FROM pg_class WHERE relkind IN ('r', 'i')")
    await connection.execute("DROP EXTENSION pg_prewarm")
    await connection.close()


async def scans(postgres: str) -> dict[str, int]:
    """How often each table was read from end to end."""
    connection = await asyncpg.connect(postgres)
    found = dict(await connection.fetch(_SCANS, list(ROWS)))
    await connection.close()
    return found


async def _on_disk(postgres: str, seconds: float) -> str:
    connection = await asyncpg.connect(postgres)
    size = await connection.fetchval("SELECT pg_database_size(current_database())")
    cache = await connection.fetchval("SHOW shared_buffers")
    await connection.close()
    return f"{size / 1e9:.2f} GB, filled in {seconds:.0f} s; shared_buffers {cache}"


# Measuring


@dataclass
class Service:
    """A web process, and how long it takes to answer about people of a database of some size."""

    size: int
    port: int
    redis: Redis
    seal: AesGcmCookieSeal
    invites: Iterator[str]
    connection: http.client.HTTPConnection = field(init=False)

    def log_in(self, _: int) -> float:
        """Anybody logs in."""
        body = {"email": address_of(random.randint(1, self.size)), "password": PASSWORD}
        return self._ask("POST", "/api/login", body=body)

    def sign_up(self, _: int) -> float:
        """Somebody new signs up with an invite for many."""
        name = f"n{secrets.token_hex(8)}"
        person = {"email": f"{name}@example.org", "username": name, "password": PASSWORD}
        return self._ask("POST", "/api/users", body={"invite": next(self.invites), **person})

    def miss(self, nth: int) -> float:
        """A session that is not in the cache."""
        return self._ask("GET", "/api/session", nth=nth)

    def list_sessions(self, nth: int) -> float:
        """The sessions of somebody whose own has just been asked for."""
        return self._ask("GET", "/api/sessions", nth=nth)

    def batch(self, number: int) -> dict[str, list[float]]:
        """Seconds of so many of each, one at a time."""
        self.redis.flushdb()
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        self._ask("GET", "/live")
        here = [ANSWERING * nth for nth in random.sample(range(1, self.size // ANSWERING + 1), number)]
        found = {what: [act(self, nth) for nth in here] for what, act in ACTS.items()}
        self.connection.close()
        return found

    def warm_up(self) -> None:
        self.batch(WARM_UP)

    def _ask(self, method: str, path: str, *, body: Mapping[str, str] | None = None, nth: int | None = None) -> float:
        """Seconds until the answer; a disk that stands still, so that the database is given up for once, counts."""
        headers = {"content-type": "application/json"}
        if nth is not None:
            headers["cookie"] = f"{cookie_name(is_secure=True)}={self.seal.seal(key_of(nth))}"
        content = json.dumps(body) if body else None
        began = time.perf_counter()
        while True:
            self.connection.request(method, path, content, headers)
            answer = self.connection.getresponse()
            said = answer.read()
            if answer.status != 503:
                break
        seconds = time.perf_counter() - began
        assert answer.status in (200, 202), said
        return seconds


ACTS: Mapping[str, Callable[[Service, int], float]] = {
    "log-in": Service.log_in,
    "sign-up": Service.sign_up,
    "session miss": Service.miss,
    "list sessions": Service.list_sessions,
}
"""The sessions that are listed are those that were missed before them."""
Times = dict[str, dict[int, list[float]]]


@asynccontextmanager
async def serving(size: int, folder: Path, settings: dict[str, str]) -> AsyncIterator[Service]:
    """A web process on a database of this size."""
    folder.mkdir()  # noqa: ASYNC240
    async with WebProcess(folder, settings) as web:
        world = World(web, None, folder, {**settings, "BOTTOMLINE_PUBLIC_URL": web.url}, lambda _: [])
        invites = [await world.an_invite(claims=10_000) for _ in range(10)]
        with Redis.from_url(settings["BOTTOMLINE_REDIS_URL"]) as redis:
            seal = AesGcmCookieSeal([settings["BOTTOMLINE_SECRET_KEYS"]])
            yield Service(size, web.port, redis, seal, cycle(invites))


def a_round(services: Sequence[Service]) -> Times:
    """So many samples of everything, in small batches of each size in turn, so that all meet the same disturbances."""
    times: Times = {what: {service.size: [] for service in services} for what in ACTS}
    for _ in range(SAMPLES // BATCH):
        for service in random.sample(services, len(services)):
            for what, seconds in service.batch(BATCH).items():
                times[what][service.size] += seconds
    return times


# Telling


def _row(found: Found, what: str, percent: int) -> Row:
    """Medians over the rounds, and how the greatest size compares with the smallest in each."""
    each = [found[what, size, percent] for size in SIZES]
    ratios = [most / least for least, most in zip(each[0].each, each[-1].each, strict=True)]
    ratio = each[-1].over(each[0])
    figure = (
        f"{' · '.join(f'{one.median:.1f}' for one in each)} ms: {ratio:.2f} times"
        f" ({min(ratios):.2f} to {max(ratios):.2f})"
    )
    name = f"{what}, p{percent} of {' · '.join(map(_short, SIZES))} users"
    if percent != JUDGED:
        return Row(name, figure)
    return Row(name, figure, f"at most {GOAL} times", ratio <= GOAL)


def _short(size: int) -> str:
    return f"{size // 1_000_000} M" if size >= 1_000_000 else f"{size // 1_000} k"


def _row_of_scans(size: int, before: Mapping[str, int], after: Mapping[str, int]) -> Row:
    read = [table for table in after if after[table] > before[table]]
    return Row(
        f"tables read from end to end meanwhile, of {_short(size)} users", ", ".join(read) or "none", "none", not read
    )


def _chart(found: Found) -> Chart:
    bars = [
        found[what, size, JUDGED].bar(f"{what}, {_short(size)}", is_ours=size == SIZES[-1])
        for what in ACTS
        for size in SIZES
    ]
    return Chart("From ten thousand users to ten million", f"milliseconds of an answer, p{JUDGED}", bars)


if __name__ == "__main__":
    print(measure().markdown("growth"))
