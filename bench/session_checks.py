"""Who is logged in: the question that applications ask before each request of their own."""

import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from tests.integration.processes import Browser
from tests.integration.servers import Servers, running

from bench.contenders import CHEAP, COST, PEERS, US, Contender, answers, bottomline, free_port, peer, served
from bench.installation import ROOT
from bench.load import CONNECTIONS, USERS, Load, load
from bench.peers.peer import PASSWORD, Ask
from bench.results import ROUNDS, Chart, Group, Rounds, Row

SECONDS = 5
SESSION, FORWARD_AUTH, HELLO = "`GET /api/session`", "`GET /api/forward_auth`", "bare ASGI hello"
BROWSERS = 2_000
MANY = f"{FORWARD_AUTH}, {BROWSERS:,} browsers in turn"


def measure() -> Group:
    """Each contender on one core, 64 connections, in turn."""
    with running() as servers, tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_measure(servers, Path(folder)))


async def _measure(servers: Servers, folder: Path) -> Group:
    found: dict[str, list[Load]] = {}
    async with _all(servers, folder) as targets:
        for url, ask in targets.values():
            await load(url, ask, seconds=2)
        for _ in range(ROUNDS):
            for name, (url, ask) in targets.items():
                found.setdefault(name, []).append(await load(url, ask, seconds=SECONDS))
    return _told(found)


@asynccontextmanager
async def _all(servers: Servers, folder: Path) -> AsyncIterator[Mapping[str, tuple[str, Ask]]]:
    async with AsyncExitStack() as stack:
        ours = await stack.enter_async_context(bottomline(servers, folder, 0, CHEAP))
        theirs = [
            await stack.enter_async_context(peer(one, servers, folder, number, COST))
            for number, one in enumerate(PEERS, start=1)
        ]
        port = free_port()
        hello = [sys.executable, "-m", "bench.hello", str(port)]
        stack.enter_context(served(hello, ROOT, os.environ, folder / "hello"))
        await answers(f"http://127.0.0.1:{port}")
        yield {
            SESSION: (ours.url, ours.session),
            FORWARD_AUTH: (ours.url, Ask("/api/forward_auth", headers=ours.session.headers)),
            MANY: (ours.url, Ask("/api/forward_auth", cookies=await browsers(ours))),
            HELLO: (f"http://127.0.0.1:{port}", Ask("/")),
            **{one.label: (one.url, one.session) for one in theirs},
        }


async def browsers(one: Contender) -> list[str]:
    """The cookies of so many log-ins: each user has some."""

    async def log_in(number: int) -> str:
        async with Browser(one.url) as browser:
            who = {"email": f"person{number % USERS + 1}@example.org", "password": PASSWORD}
            (await browser.post("/api/login", json=who)).raise_for_status()
            return str(browser.cookie)

    tens = (range(first, first + 10) for first in range(0, BROWSERS, 10))  # that many at once are no flood
    return [cookie for ten in tens for cookie in await asyncio.gather(*map(log_in, ten))]


def _told(found: Mapping[str, list[Load]]) -> Group:
    rates = {name: Rounds([one.rate for one in loads]) for name, loads in found.items()}
    p99s = {name: Rounds([one.p99 for one in loads]) for name, loads in found.items()}
    peers = [name for name in found if name not in {SESSION, FORWARD_AUTH, MANY, HELLO}]
    express = peers[0]
    checks, forwarded = rates[SESSION].over(rates[express]), rates[FORWARD_AUTH].over(rates[express])
    p99, bare = p99s[SESSION].over(p99s[express]), rates[FORWARD_AUTH].over(rates[HELLO])
    ahead = min(rates[SESSION].over(rates[name]) for name in peers)
    return Group(
        [
            *(
                Row(_label(name), f"{rates[name].median:,.0f} requests/s, p99 {1000 * p99s[name].median:.1f} ms")
                for name in found
            ),
            Row(f"{SESSION} beside Express", f"{checks:.1f} times", "at least 3 times", checks >= 3),
            Row("its p99 beside Express's", f"{p99:.2f} of it", "at most 0.5", p99 <= 0.5),
            Row("beside the fastest peer", f"{ahead:.1f} times", "ahead of every peer", ahead > 1),
            Row(f"{FORWARD_AUTH} beside Express", f"{forwarded:.1f} times", "at least 5 times", forwarded >= 5),
            Row("beside the bare hello", f"{bare:.0%}", "at least 50 %", bare >= 0.5),
        ],
        Chart(
            "Who is logged in?",
            f"answers a second on one core, {CONNECTIONS} connections",
            [rates[name].bar(_label(name).replace("`", ""), is_ours=name.startswith("`")) for name in found],
        ),
    )


def _label(name: str) -> str:
    return f"{US}, {name}" if name.startswith("`") else name
