"""The loops beside the requests: they go on whatever happens, and end in good order."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from entrypoints import delivery
from entrypoints.delivery import _listening, _repeating, _Work


async def test_a_listener_that_ends_by_itself_begins_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """aiormq cancels whoever waits for an answer over a connection that is lost."""
    monkeypatch.setattr(delivery, "POLL", timedelta(0))
    begun = 0
    third = asyncio.Event()

    async def listen() -> None:
        nonlocal begun
        begun += 1
        if begun == 1:
            raise asyncio.CancelledError
        if begun == 2:
            raise RuntimeError
        third.set()
        await asyncio.Event().wait()

    async with asyncio.timeout(5), _listening(listen):
        await third.wait()
    await asyncio.sleep(0.05)
    assert begun == 3, "and it does not outlive the block"


async def test_what_is_under_way_is_finished_at_the_end_all_at_once() -> None:
    finished = 0

    async def step() -> int:
        nonlocal finished
        await asyncio.sleep(0.3)
        finished += 1
        return 1

    async with _repeating(*(_Work(step) for _ in range(10))):
        await asyncio.sleep(0.05)
        begun = time.monotonic()
    assert finished == 10
    assert time.monotonic() - begun < 2, "one after the other would take three seconds"


async def test_work_that_can_wait_leaves_the_start_to_others() -> None:
    steps: list[str] = []

    def step(name: str) -> Callable[[], Awaitable[int]]:
        async def take() -> int:
            steps.append(name)
            return 0

        return take

    works = _Work(step("later"), every=timedelta(hours=1), after=timedelta(seconds=0.2)), _Work(step("at once"))
    async with _repeating(*works):
        await asyncio.sleep(0.1)
        assert steps == ["at once"]
        await asyncio.sleep(0.3)
        assert steps == ["at once", "later"]


async def test_work_that_fails_is_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    tries = 0
    second = asyncio.Event()

    async def step() -> int:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise RuntimeError("a fault of ours")
        second.set()
        return 0

    async with asyncio.timeout(5), _repeating(_Work(step, every=timedelta(milliseconds=10))):
        await second.wait()
    assert "will try again" in caplog.text
