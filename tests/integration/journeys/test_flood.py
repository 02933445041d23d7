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


def outcomes(answers: list[tuple[int, float]]) -> Counter[int]:
    return Counter(status for status, _ in answers)


async def test_of_500_log_ins_at_once_some_are_hashed_the_rest_told_to_come_again_and_others_served(
    web: WebProcess,
) -> None:
    assert outcomes(await log_ins(web.port, 1)) == {WRONG: 1}
    before = peak_mib(web.pid)
    with probed(web.port) as live:
        answers = await log_ins(web.port, AT_ONCE)
    grown = peak_mib(web.pid) - before
    assert outcomes(await log_ins(web.port, 1)) == {WRONG: 1}, "nothing that was given up is hashed first"
    assert outcomes(answers).keys() == {WRONG, BUSY}
    assert grown < AT_ONCE * HASH_MIB / 40, "some hashes at a time, not one for each who asks"
    waits = [seconds for status, seconds in answers if status == WRONG]
    assert quantiles(live, n=100)[-1] < median(waits) / 2, "who needs no hash does not stand in that queue"
