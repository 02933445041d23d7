"""Sessions are checked while more people log in than a core can hash for."""

import asyncio
import json
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from tests.integration.servers import Servers, running

from bench.contenders import COST, Contender, bottomline
from bench.load import USERS, Load, load
from bench.peers.peer import PASSWORD
from bench.results import ROUNDS, Chart, Group, Rounds, Row, milliseconds, percentile

SECONDS = 5
AT_ONCE = 500
LEAD = 1.0
"""Seconds until the queue is as full as it gets."""


@dataclass
class Answers:
    """The seconds that answers took, and the refusals without a Retry-After."""

    logged_in: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    untold: int = 0


def measure() -> Group:
    """Checks in quiet and in the flood, in turn."""
    with running() as servers, tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_measure(servers, Path(folder)))


async def _measure(servers: Servers, folder: Path) -> Group:
    quiet, flooded, answers = list[Load](), list[Load](), Answers()
    async with bottomline(servers, folder, 0, COST) as one:
        for _ in range(ROUNDS):
            quiet.append(await load(one.url, one.session, seconds=SECONDS))
            async with flood(one, answers):
                await asyncio.sleep(LEAD)
                flooded.append(await load(one.url, one.session, seconds=SECONDS))
    return _told(quiet, flooded, answers)


@asynccontextmanager
async def flood(one: Contender, answers: Answers) -> AsyncIterator[None]:
    """So many people log in for as long as the block runs; who is told to come back later does."""
    crowd = [asyncio.create_task(_again_and_again(one, number, answers)) for number in range(AT_ONCE)]
    try:
        yield
    finally:
        for person in crowd:
            person.cancel()
        await asyncio.gather(*crowd, return_exceptions=True)


async def _again_and_again(one: Contender, number: int, answers: Answers) -> None:
    host = urlsplit(one.url)
    reader, writer = await asyncio.open_connection(host.hostname, host.port)
    body = json.dumps({"email": f"person{number % USERS + 1}@example.org", "password": PASSWORD})
    head = f"POST /api/login HTTP/1.1\r\nHost: {host.netloc}\r\nContent-Type: application/json\r\n"
    request = f"{head}Content-Length: {len(body)}\r\n\r\n{body}".encode()
    try:
        while True:
            began = time.perf_counter()
            writer.write(request)
            status, headers = await _answer(reader)
            taken = time.perf_counter() - began
            if status == 200:
                answers.logged_in.append(taken)
                continue
            assert status == 503, status
            answers.refused.append(taken)
            answers.untold += "retry-after" not in headers
            await asyncio.sleep(float(headers.get("retry-after", "1")))
    finally:
        writer.close()


async def _answer(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
    await reader.readexactly(int(headers["content-length"]))
    return int(head[0].split()[1]), headers


def _told(quiet: list[Load], flooded: list[Load], answers: Answers) -> Group:
    calm, busy = (Rounds([one.rate for one in loads]) for loads in (quiet, flooded))
    p50, p99 = (Rounds([getattr(one, name) for one in flooded]).median for name in ("p50", "p99"))
    share, refused = busy.over(calm), percentile(answers.refused, 0.99)
    return Group(
        [
            Row("session checks in quiet", f"{calm.median:,.0f}/s, p99 {1000 * quiet[0].p99:.1f} ms"),
            Row(
                f"session checks while {AT_ONCE} log in, p50 and p99",
                milliseconds(p50, p99),
                "p99 at most 20 ms",
                p99 <= 0.02,
            ),
            Row("their rate", f"{busy.median:,.0f}/s, {share:.0%} of that in quiet", "at least 50 %", share >= 0.5),
            Row("log-ins meanwhile, p50 and p99", milliseconds(*_both(answers.logged_in))),
            Row(
                "503 to those who find the queue full, p50 and p99",
                f"{milliseconds(*_both(answers.refused))}, {answers.untold} without Retry-After",
                "p99 at most 100 ms",
                refused <= 0.1 and not answers.untold,
            ),
        ],
        Chart(
            f"Session checks while {AT_ONCE} log in",
            "answers a second on one core",
            [calm.bar("in quiet"), busy.bar(f"while {AT_ONCE} log in", is_ours=True)],
            goal=calm.median / 2,
            goal_label="half",
        ),
    )


def _both(seconds: list[float]) -> tuple[float, float]:
    return percentile(seconds, 0.5), percentile(seconds, 0.99)
