"""Work that waits for a thread, as long as somebody waits for it."""

import asyncio
import os
import sys
import threading
import time
from collections.abc import Iterator
from functools import partial

import pytest

from adapters.argon2.password_hasher import Argon2Cost, Argon2PasswordHasher
from adapters.system.threads import CROWD, NICENESS, Threads
from application.ports import Overloaded
from domain.password import Password


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Opened at the end, so that no thread is held for ever."""
    opened = threading.Event()
    yield opened
    opened.set()


async def test_who_would_wait_too_long_is_told_at_once(gate: threading.Event) -> None:
    threads = Threads("test", 2, expected=1.0, patience=4.0)
    held = [asyncio.create_task(threads.run(gate.wait)) for _ in range(10)]
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await asyncio.wait_for(threads.run(gate.wait), 0.5)
    gate.set()
    assert await asyncio.gather(*held) == [True] * 10, "two at once, and eight that can be begun in time"
    threads.close()


async def test_of_a_flood_those_are_let_in_that_can_be_done_in_time_beside_a_busy_event_loop(
    gate: threading.Event,
) -> None:
    """On a slow machine sixteen at once are let in all the same; on a quick one more."""
    for seconds, most in ((0.1, CROWD), (0.04, CROWD), (0.02, 31)):
        threads = Threads("test", 1, expected=seconds, patience=2.0)
        held = [asyncio.create_task(threads.run(gate.wait)) for _ in range(100)]
        await asyncio.sleep(0)
        assert sum(not one.done() for one in held) == most
        gate.set()
        await asyncio.gather(*held, return_exceptions=True)
        gate.clear()
        threads.close()


async def test_who_is_refused_is_told_to_come_again_behind_those_before_them(gate: threading.Event) -> None:
    threads = Threads("test", 2, expected=4.0, patience=1.0)
    held = [asyncio.create_task(threads.run(gate.wait)) for _ in range(2)]
    await asyncio.sleep(0)
    waits = []
    for _ in range(20):
        with pytest.raises(Overloaded) as refused:
            await threads.run(int)
        waits.append(refused.value.retry_after.total_seconds())
    assert waits[:3] == pytest.approx([2, 4, 6], abs=0.5), "two threads, four seconds each"
    assert waits[-3:] == pytest.approx([30, 30, 30], abs=0.5), "and none later than that"
    gate.set()
    await asyncio.gather(*held)
    threads.close()


async def test_what_has_waited_too_long_is_not_begun(gate: threading.Event) -> None:
    threads = Threads("test", 1, expected=0.0, patience=0.05)
    done: list[int] = []
    held = asyncio.create_task(threads.run(gate.wait))
    late = [asyncio.create_task(threads.run(partial(done.append, number))) for number in range(10)]
    await asyncio.sleep(0.1)
    gate.set()
    outcomes = await asyncio.gather(*late, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [Overloaded] * 10
    assert not done
    assert await held
    await threads.run(partial(done.append, 10))
    assert done == [10], "and who comes afterwards is served"
    threads.close()


async def test_it_learns_how_long_work_takes() -> None:
    """And somebody is always let in where a thread is free, so it can learn that work has become quick again."""
    threads = Threads("test", 1, expected=100.0, patience=1.0)

    async def how_many_of_three() -> int:
        outcomes = await asyncio.gather(*(threads.run(int) for _ in range(3)), return_exceptions=True)
        return sum(outcome == 0 for outcome in outcomes)

    assert await how_many_of_three() == 1
    for _ in range(100):
        await threads.run(int)
    assert await how_many_of_three() == 3
    threads.close()


async def test_a_machine_that_stood_still_once_has_nobody_refused() -> None:
    threads = Threads("test", 1, expected=0.02, patience=2.0)
    await threads.run(partial(time.sleep, 1.0))
    assert await asyncio.gather(*(threads.run(int) for _ in range(30))) == [0] * 30
    threads.close()


async def test_what_work_raises_reaches_who_asked() -> None:
    threads = Threads("test", 1, expected=0.0)
    with pytest.raises(ValueError, match="invalid literal"):
        await threads.run(partial(int, "one"))
    assert await threads.run(int) == 0, "and the next is served"
    threads.close()


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a thread has no niceness of its own")
async def test_the_event_loop_comes_first() -> None:
    threads = Threads("test", 1, expected=0.0)
    ours = os.getpriority(os.PRIO_PROCESS, 0)
    assert await threads.run(lambda: os.getpriority(os.PRIO_PROCESS, 0)) == min(ours + NICENESS, 19)
    assert os.getpriority(os.PRIO_PROCESS, 0) == ours
    threads.close()


async def test_of_a_crowd_of_passwords_those_are_hashed_that_can_be_in_time() -> None:
    hasher = Argon2PasswordHasher(Argon2Cost(), threads=1, patience=1.0)
    password = Password("a password")
    answers = await asyncio.gather(*(hasher.hash(password) for _ in range(50)), return_exceptions=True)
    hashes = [answer for answer in answers if isinstance(answer, str)]
    assert hashes
    assert sum(isinstance(answer, Overloaded) for answer in answers) == 50 - len(hashes) > 0
    assert await hasher.verify(password, hashes[-1])
    hasher.close()
