"""Passwords come in by the hundred: the process keeps within its queue and its memory."""

import asyncio
import re
from collections import Counter
from pathlib import Path

import httpx

from tests.integration.processes import WebProcess

HASH_MIB = 19
AT_ONCE = 500


def peak_mib(pid: int) -> int:
    """The most memory that the process has had resident so far."""
    found = re.search(r"^VmHWM:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) // 1024


async def log_ins(web: WebProcess, number: int) -> Counter[str]:
    """So many at once, each on a connection of its own and for another address: the codes that they are answered."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    async with httpx.AsyncClient(base_url=web.url, timeout=10, limits=limits) as crowd:
        bodies = [{"email": f"p{one}@example.org", "password": "not the password"} for one in range(number)]
        answers = await asyncio.gather(*(crowd.post("/api/login", json=body) for body in bodies))
    return Counter(answer.json()["code"] for answer in answers)


async def test_of_500_log_ins_at_once_a_few_are_hashed_at_a_time_and_the_rest_are_told_to_come_again(
    tmp_path: Path,
) -> None:
    async with WebProcess(tmp_path, {"BOTTOMLINE_RATE_LIMITS": "off"}) as web:
        assert await log_ins(web, 1) == {"credentials_invalid": 1}
        before = peak_mib(web.pid)
        answers = await log_ins(web, AT_ONCE)
        grown = peak_mib(web.pid) - before
        async with asyncio.timeout(15):
            while await log_ins(web, 1) != {"credentials_invalid": 1}:  # noqa: ASYNC110  what was given up is hashed first
                await asyncio.sleep(0.1)
    assert answers.total() == AT_ONCE
    assert set(answers) <= {"credentials_invalid", "overloaded", "unavailable"}
    assert answers["credentials_invalid"] > 0, "some are let in to the hasher,"
    assert answers["overloaded"] > 0, "and who would wait too long is told so at once"
    assert grown < AT_ONCE * HASH_MIB / 40, "some hashes at a time, not one for each who asks"
