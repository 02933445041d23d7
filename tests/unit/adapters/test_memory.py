"""What is only in this process."""

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from adapters.memory.signal import MemorySignal
from adapters.memory.turns import MemoryTurns
from application.ports import Overloaded

ONE, TWO = UUID(int=1), UUID(int=2)


async def test_turns_of_one_key_come_two_at_a_time_and_others_do_not_wait() -> None:
    turns, inside, most = MemoryTurns(2), {ONE: 0, TWO: 0}, {ONE: 0, TWO: 0}

    async def visit(key: UUID) -> None:
        async with turns(key):
            inside[key] += 1
            most[key] = max(most[key], inside[key])
            await asyncio.sleep(0)
            inside[key] -= 1

    await asyncio.gather(*(visit(key) for key in (ONE, TWO) * 20))
    assert most == {ONE: 2, TWO: 2}
    assert len(turns._semaphores) == 0


async def test_who_waits_too_long_for_a_turn_is_told_so_and_takes_none() -> None:
    turns = MemoryTurns(1, patience=0.01)
    async with turns(ONE):
        with pytest.raises(Overloaded):
            await turns(ONE).__aenter__()
    async with turns(ONE):
        pass


async def test_a_signal_that_came_early_is_not_lost() -> None:
    signal = MemorySignal()
    signal.set()
    async with asyncio.timeout(1):
        await signal.wait(timedelta(hours=1))


async def test_waiting_for_a_signal_ends_by_itself() -> None:
    async with asyncio.timeout(1):
        await MemorySignal().wait(timedelta(milliseconds=1))
