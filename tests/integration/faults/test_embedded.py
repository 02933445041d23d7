"""The one process without servers is killed again and again: who was answered has an account and a mail."""

import asyncio
import random
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.integration.faults.stage import Guest, guests
from tests.integration.journeys.worlds import World, embedded
from tests.integration.processes import QUICK, WebProcess
from tests.integration.smtp_sink import SmtpSink

KILLS = 8
PEOPLE = 120


async def insist(guest: Guest, web: WebProcess) -> None:
    """Sign up, again and again until there is an answer."""
    async with httpx.AsyncClient(base_url=web.url, timeout=5) as client:
        while True:
            try:
                answer = await client.post("/api/users", json={"invite": guest.invite, **guest.person})
            except httpx.TransportError:
                await asyncio.sleep(0.05)
                continue
            if answer.status_code == 503:
                await asyncio.sleep(int(answer.headers["retry-after"]))
                continue
            assert answer.status_code == 202, answer.text
            return


async def kill_now_and_then(web: WebProcess, chance: random.Random) -> None:
    for _ in range(KILLS):
        await asyncio.sleep(chance.uniform(0.02, 0.4))
        await web.stop(signal.SIGKILL)
        await web.start()


async def storm(world: World, people: list[Guest]) -> None:
    """All of them sign up, a dozen at a time, while the process is killed."""
    chance, places = random.Random(1), asyncio.Semaphore(12)

    async def sign_up(guest: Guest) -> None:
        async with places:
            await insist(guest, world.web)

    await asyncio.gather(kill_now_and_then(world.web, chance), *map(sign_up, people))


def accounts(folder: Path) -> list[str]:
    with closing(sqlite3.connect(folder / "var" / "bottomline.db")) as record:
        assert record.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return [email for (email,) in record.execute("SELECT email_key FROM users ORDER BY email_key")]


@pytest.mark.parametrize("mails", ["files", "smtp"])
async def test_killed_at_any_moment_it_loses_no_account_and_no_mail(
    tmp_path: Path, smtp_sink: SmtpSink, mails: str
) -> None:
    async with embedded(tmp_path) as world:
        if mails == "smtp":
            keys = {"BOTTOMLINE_SECRET_KEYS": "a secret of at least thirty-two characters"}
            world.web.settings |= {**QUICK, **keys, "BOTTOMLINE_SMTP_URL": smtp_sink.url}
            world.settings |= keys
            await world.web.stop()
            await world.web.start()
        people = await guests(world, *(f"ann{number}" for number in range(PEOPLE)))
        await storm(world, people)

        def mailed(guest: Guest) -> int:
            return len(smtp_sink.to(guest.email) if mails == "smtp" else world.mails(guest.email))

        async with asyncio.timeout(30):
            while not all(map(mailed, people)):  # noqa: ASYNC110  nobody tells us
                await asyncio.sleep(0.1)
        assert accounts(tmp_path) == sorted(guest.email for guest in people)
        if mails == "files":
            assert {mailed(guest) for guest in people} == {1}
        else:
            assert sum(mailed(guest) > 1 for guest in people) <= 2 * KILLS, "what was on its way when it was killed"
