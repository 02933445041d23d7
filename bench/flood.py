"""A flood of log-ins: whether others are served meanwhile, and how soon it is over."""

import asyncio
import json
import multiprocessing
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

import httpx

from bench.charts import Bar
from bench.embedded import ask, embedded
from bench.results import ROUNDS, Chart, Group, Row, milliseconds, percentile

AT_ONCE = 500
PAUSE = 0.01
QUIET = 3.0


def measure() -> Group:
    """Real hashing; who asks for /live is a process of its own."""
    with tempfile.TemporaryDirectory() as folder, embedded(folder, BOTTOMLINE_RATE_LIMITS="off") as (_, port, _, _):
        asyncio.run(log_ins(port, 20))
        with probed(port) as quiet:
            time.sleep(QUIET)
        flooded, answers, afterwards = [], [], []
        for _ in range(ROUNDS):
            with probed(port) as live:
                answers += asyncio.run(log_ins(port, AT_ONCE))
                afterwards.append(until_served(port))
            flooded += live
    counts = Counter(status for status, _ in answers)
    checked = [seconds for status, seconds in answers if status == 401]
    refused = [seconds for status, seconds in answers if status == 503]
    live_at_99, number = percentile(flooded, 0.99), ROUNDS * AT_ONCE
    return Group(
        [
            Row("`GET /live` in quiet, p50 and p99", pair(quiet)),
            Row(
                f"`GET /live` during {AT_ONCE} log-ins at once, p50 and p99",
                pair(flooded),
                "p99 under 100 ms",
                live_at_99 < 0.1,
            ),
            Row(
                "passwords checked, and refused with 503",
                f"{counts[401]} and {counts[503]} of {number:,}",
                "all answered",
                counts[401] + counts[503] == number,
            ),
            Row("answers to the checked, p50 and p99", pair(checked), "under 3 s", max(checked) < 3),
            Row("answers to the refused, p50 and p99", pair(refused), "under 3 s", max(refused) < 3),
            Row(
                "the next log-in after the flood",
                f"{1000 * max(afterwards):.0f} ms at most",
                "under 3 s",
                max(afterwards) < 3,
            ),
        ],
        Chart(
            f"{AT_ONCE} log-ins at once",
            "milliseconds of an answer, p99",
            [
                Bar("GET /live in quiet", 1000 * percentile(quiet, 0.99)),
                Bar("GET /live meanwhile", 1000 * live_at_99, is_ours=True),
                Bar("log-in that is refused", 1000 * percentile(refused, 0.99)),
                Bar("log-in that is checked", 1000 * percentile(checked, 0.99)),
            ],
        ),
    )


def until_served(port: int) -> float:
    """Seconds until a log-in is not refused any more."""
    began = time.perf_counter()
    while ask(port, "POST", "/api/login", credentials(0))[0] != 401:
        pass
    return time.perf_counter() - began


def pair(times: list[float]) -> str:
    """Median and 99th percentile."""
    return milliseconds(percentile(times, 0.5), percentile(times, 0.99))


async def log_ins(port: int, number: int) -> list[tuple[int, float]]:
    """So many at once, each on a connection of its own and for another address: status and seconds of each answer."""
    start = asyncio.Event()

    async def log_in(one: int) -> tuple[int, float]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        ready.release()
        await start.wait()
        began = time.perf_counter()
        writer.write(request(one))
        status = int((await reader.readline()).split()[1])
        seconds = time.perf_counter() - began
        writer.close()
        return status, seconds

    ready = asyncio.Semaphore(0)
    crowd = [asyncio.create_task(log_in(one)) for one in range(number)]
    for _ in crowd:
        await ready.acquire()
    start.set()
    return await asyncio.gather(*crowd)


def request(number: int) -> bytes:
    body = json.dumps(credentials(number)).encode()
    head = "POST /api/login HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n"
    return f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body


def credentials(number: int) -> dict[str, str]:
    return {"email": f"nobody{number}@example.org", "password": "not the password"}


@contextmanager
def probed(port: int) -> Iterator[list[float]]:
    """Ask for /live all the time, in another process; the seconds of each answer are in the list at the end."""
    times: list[float] = []
    ours, theirs = multiprocessing.Pipe()
    prober = multiprocessing.get_context("spawn").Process(target=probe, args=(port, theirs))
    prober.start()
    ours.recv()
    try:
        yield times
    finally:
        ours.send("enough")
        times += ours.recv()
        prober.join()


def probe(port: int, boss: Connection) -> None:
    times = []
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
        client.get("/live")
        boss.send("ready")
        while not boss.poll():
            began = time.perf_counter()
            assert client.get("/live").status_code == 200
            times.append(time.perf_counter() - began)
            time.sleep(PAUSE)
    boss.send(times)
