"""How many people a core can log in."""

import asyncio
import os
import sys
import tempfile
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path

from tests.integration.servers import Servers, running

from adapters.argon2.password_hasher import Argon2Cost
from bench.contenders import COST, PEERS, US, bottomline, peer, said
from bench.cores import on_servers_core
from bench.installation import ROOT
from bench.load import load
from bench.results import ROUNDS, Chart, Group, Rounds, Row

SECONDS = 6
AT_ONCE = 16
BARE = "bare argon2, the same package"


def measure() -> Group:
    """Each contender on one core at equal parameters, 16 at a time, in turn."""
    with running() as servers, tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_measure(servers, Path(folder)))


async def _measure(servers: Servers, folder: Path) -> Group:
    rates: dict[str, list[float]] = {}
    async with AsyncExitStack() as stack:
        runners = [await stack.enter_async_context(bottomline(servers, folder, 0, COST))]
        runners += [
            await stack.enter_async_context(peer(one, servers, folder, number, COST))
            for number, one in enumerate(PEERS, start=1)
        ]
        for _ in range(ROUNDS):
            rates.setdefault(BARE, []).append(bare(COST, SECONDS))
            for one in runners:
                found = await load(one.url, one.log_in, seconds=SECONDS, connections=AT_ONCE, may_refuse=True)
                rates.setdefault(one.label, []).append(found.rate)
    return _told({name: Rounds(each) for name, each in rates.items()})


def bare(cost: Argon2Cost, seconds: float, *database: str) -> float:
    """Passwords a second on the server's core, with a row each where a database is given."""
    program = [sys.executable, "-m", "bench.bare", str(cost.time), str(cost.memory), str(seconds), *database]
    return float(said(on_servers_core(program), ROOT, os.environ))


def _told(rates: Mapping[str, Rounds]) -> Group:
    share = rates[US].over(rates[BARE])
    ahead = min(rates[US].over(rates[name]) for name in rates if name not in {US, BARE})
    return Group(
        [
            *(Row(name, f"{one.median:.1f}/s") for name, one in rates.items()),
            Row(f"{US} beside bare argon2", f"{share:.0%}", "at least 95 %", share >= 0.95),
            Row("beside the fastest peer", f"{ahead:.2f} times", "ahead of every peer", ahead > 1),
        ],
        Chart(
            "Log-in",
            f"a second on one core, Argon2id t={COST.time} m={COST.memory} KiB",
            [one.bar(name, is_ours=name == US) for name, one in rates.items()],
        ),
    )
