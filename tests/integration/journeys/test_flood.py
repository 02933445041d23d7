"""Passwords come in by the hundred: the process keeps within its queue and its memory, and others are served."""

import re
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from statistics import median, quantiles

import pytest
from bench.flood import log_ins, probed

from tests.integration.processes import WebProcess

HASH_MIB = 19
AT_ONCE = 500
WRONG, BUSY = 401, 503


@pytest.fixture
async def web(tmp_path: Path) -> AsyncIterator[WebProcess]:
    """With hashes that cost what they cost by default."""
    async with WebProcess(tmp_path, {"BOTTOMLINE_RATE_LIMITS": "off"}) as running:
        yield running


def peak_mib(pid: int) -> int:
    """The most memory that the process has had resident so far."""
    found = re.search(r"^VmHWM:\s+(\d+) kB$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) // 1024


async def answers_to(number: int, web: WebProcess) -> Counter[int]:
    return Counter(status for status, _ in await log_ins(web.port, number))


async def test_of_500_log_ins_at_once_a_few_are_hashed_at_a_time_and_the_rest_are_told_to_come_again(
    web: WebProcess,
) -> None:
    assert await answers_to(1, web) == {WRONG: 1}
    before = peak_mib(web.pid)
    answers = await answers_to(AT_ONCE, web)
    grown = peak_mib(web.pid) - before
    assert await answers_to(1, web) == {WRONG: 1}, "nothing that was given up is hashed first"
    assert answers.keys() == {WRONG, BUSY}
    assert answers.total() == AT_ONCE
    assert grown < AT_ONCE * HASH_MIB / 40, "some hashes at a time, not one for each who asks"


async def test_others_are_served_meanwhile(web: WebProcess) -> None:
    with probed(web.port) as live:
        waits = [seconds for status, seconds in await log_ins(web.port, AT_ONCE) if status == WRONG]
    assert quantiles(live, n=100)[-1] < median(waits) / 2, "who needs no hash does not stand in that queue"
