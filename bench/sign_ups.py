"""How many people a core can sign up."""

import asyncio
import tempfile
from pathlib import Path

from tests.integration.servers import Servers, running

from bench.contenders import COST, JSON, bottomline, database
from bench.load import TRIES, load
from bench.log_ins import AT_ONCE, SECONDS, bare
from bench.peers.peer import PASSWORD, Ask
from bench.results import ROUNDS, Chart, Group, Rounds, Row

MOST = 1_000_000


def measure() -> Group:
    """Bottomline beside the least that has to be done: the password hashed and a row committed."""
    with running() as servers, tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_measure(servers, Path(folder)))


async def _measure(servers: Servers, folder: Path) -> Group:
    ours, least = list[float](), list[float]()
    signed_up = 1_000
    async with bottomline(servers, folder, 0, COST) as one:
        person = f'"email":"new%d@example.org","username":"new-%d","password":"{PASSWORD}"'
        bodies = [f'{{"invite":"{invite}",{person}}}' for invite in one.invites]  # no two at once wait for one invite
        ask = Ask("/api/users", "POST", JSON, "\n".join(bodies))
        rows = await database(servers.postgres)
        for _ in range(ROUNDS):
            least.append(bare(COST, SECONDS, rows))
            found = await load(
                one.url, ask, seconds=SECONDS, connections=AT_ONCE, users=MOST, after=signed_up, may_refuse=True
            )
            signed_up += TRIES * (found.requests + AT_ONCE)
            ours.append(found.rate)
    return _told(Rounds(ours), Rounds(least))


def _told(ours: Rounds, least: Rounds) -> Group:
    share = ours.over(least)
    return Group(
        [
            Row("sign-up", f"{ours.median:.1f}/s"),
            Row("bare argon2 and one commit", f"{least.median:.1f}/s"),
            Row("sign-up beside it", f"{share:.0%}", "at least 90 %", share >= 0.9),
        ],
        Chart(
            "Sign-up",
            f"a second on one core, Argon2id t={COST.time} m={COST.memory} KiB",
            [ours.bar("Bottomline", is_ours=True), least.bar("bare argon2 and one commit")],
        ),
    )
