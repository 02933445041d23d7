"""The servers that integration tests run on are real, do what faults need, and are gone when the run is."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import aio_pika
import asyncpg
import pytest
from redis.asyncio import Redis

from tests.integration.servers import ServerDidNotStart, Servers, ServersMissing
from tests.integration.servers.guard_process import below
from tests.integration.servers.local_postgres import LocalPostgres
from tests.integration.servers.local_rabbitmq import LocalRabbitMQ
from tests.integration.servers.local_redis import LocalRedis
from tests.integration.servers.local_server import LocalServer
from tests.integration.servers.programs import require

ROOT = Path(__file__).parents[2]
RUN_FOR_EVER = """
import time
from tests.integration.servers import running
with running():
    print("up", flush=True)
    time.sleep(600)
"""


@pytest.fixture(scope="module")
def programs() -> None:
    """Private servers are local processes: where they cannot be (not Linux, nothing installed), it is said."""
    try:
        require(["postgres", "redis", "rabbitmq"])
    except ServersMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def postgres(programs: None) -> Iterator[LocalPostgres]:
    with LocalPostgres() as server:
        yield server


async def test_postgres_lets_tests_make_their_own_databases(servers: Servers) -> None:
    connection = await asyncpg.connect(servers.postgres)
    try:
        await connection.execute("CREATE DATABASE own")
        await connection.execute("DROP DATABASE own")
    finally:
        await connection.close()


async def test_redis_answers(servers: Servers) -> None:
    async with Redis.from_url(servers.redis) as client:
        await client.set("key", "value")
        assert await client.getdel("key") == b"value"


async def declare(url: str, queue: str) -> None:
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        await channel.declare_queue(queue, durable=True, arguments={"x-queue-type": "quorum"})


async def publish(url: str, queue: str, body: bytes) -> None:
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
        message = aio_pika.Message(body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        await channel.default_exchange.publish(message, queue, mandatory=True)


async def take(url: str, queue: str) -> bytes:
    """Return the next message's body and delete the queue."""
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        declared = await channel.get_queue(queue)
        message = await declared.get(timeout=10)
        assert message is not None
        await message.ack()
        await declared.delete(if_unused=False, if_empty=False)
        return message.body


async def test_rabbitmq_confirms_into_a_quorum_queue(servers: Servers) -> None:
    await declare(servers.rabbitmq, "own")
    await publish(servers.rabbitmq, "own", b"hello")
    assert await take(servers.rabbitmq, "own") == b"hello"


async def test_what_postgres_committed_survives_kill_9(postgres: LocalPostgres) -> None:
    connection = await asyncpg.connect(postgres.url)
    await connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    postgres.kill()
    with pytest.raises((OSError, asyncpg.PostgresError, asyncpg.InterfaceError)):
        await connection.fetchval("SELECT 1")
    connection.terminate()
    postgres.start()
    connection = await asyncpg.connect(postgres.url)
    assert await connection.fetchval("SELECT one FROM kept") == 1
    await connection.close()


async def test_a_frozen_postgres_keeps_connections_open_but_silent(postgres: LocalPostgres) -> None:
    connection = await asyncpg.connect(postgres.url)
    try:
        postgres.freeze()
        question = asyncio.ensure_future(connection.fetchval("SELECT 1"))
        await asyncio.sleep(0.3)
        assert not question.done()
        postgres.thaw()
        assert await question == 1
    finally:
        postgres.thaw()
        connection.terminate()


async def test_what_rabbitmq_confirmed_survives_kill_9(programs: None) -> None:
    with LocalRabbitMQ() as rabbitmq:
        await declare(rabbitmq.url, "kept")
        await publish(rabbitmq.url, "kept", b"hello")
        rabbitmq.kill()
        await asyncio.to_thread(rabbitmq.start)
        assert await take(rabbitmq.url, "kept") == b"hello"
        assert "rabbit" in rabbitmq.control("status")


@pytest.mark.parametrize("kind", [LocalPostgres, LocalRedis])
def test_a_stopped_server_starts_again_on_its_port(programs: None, kind: type[LocalServer]) -> None:
    with kind() as server:
        url = server.url
        server.freeze()
        server.stop()
        server.start()
        assert server.url == url


def test_a_server_that_cannot_start_shows_its_log(programs: None) -> None:
    class Misled(LocalRedis):
        def command(self) -> list[str]:
            return [*super().command(), "--no-such-setting", "1"]

    server = Misled()
    with pytest.raises(ServerDidNotStart, match="no-such-setting"), server:
        pass
    assert not server.folder.exists()


def guarded_folder(pid: int) -> list[Path]:
    """Return the folder that this process guards, if it is a guard."""
    words = Path("/proc", str(pid), "cmdline").read_text().split("\0")
    return [Path(words[-2])] if any(word.endswith("guard_process.py") for word in words) else []


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_nothing_outlives_a_run_that_is_ended(end: signal.Signals) -> None:
    command = [sys.executable, "-c", RUN_FOR_EVER]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdout=pipe) as run:  # noqa: S603 - our own words
        assert run.stdout is not None
        assert run.stdout.readline() == b"up\n"
        started = set(below(run.pid))
        folders = [folder for pid in started for folder in guarded_folder(pid)]
        assert all(folder.exists() for folder in folders)
        run.send_signal(end)
    deadline = time.monotonic() + 10
    while started & set(below(1)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not started & set(below(1))
    assert not [folder for folder in folders if folder.exists()]
