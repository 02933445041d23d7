"""Outcomes of work in threads: of a few at once, of a crowd a few at a time."""

import asyncio
from concurrent.futures import Future
from typing import Any

import pytest

from adapters.system.outcomes import TOGETHER, Outcomes

Waiting = list[tuple[Future[int], asyncio.Task[int]]]


async def _waiting(number: int) -> Waiting:
    """So many pieces of work that are not done, and who waits for each."""
    outcomes = Outcomes()
    pieces: list[Future[int]] = [Future() for _ in range(number)]
    waiting = [(piece, asyncio.create_task(outcomes.of(piece))) for piece in pieces]
    await asyncio.sleep(0)
    return waiting


async def _end(piece: Future[int], result: int = 0) -> None:
    """As a thread does, and give the event loop its turns."""
    await asyncio.to_thread(piece.set_result, result)
    await asyncio.sleep(0.01)


def _heard(waiting: Waiting) -> int:
    return sum(task.done() for _, task in waiting)


async def test_one_of_a_few_is_not_kept_waiting() -> None:
    waiting = await _waiting(2 * TOGETHER)
    for done, (piece, task) in enumerate(waiting, 1):
        await _end(piece, done)
        assert task.done()
        assert (_heard(waiting), await task) == (done, done)


async def test_of_a_crowd_a_few_are_heard_at_once() -> None:
    waiting = await _waiting(100)
    heard = []
    for piece, _ in waiting:
        await _end(piece)
        heard.append(_heard(waiting))
    full = 100 - 2 * TOGETHER
    assert heard[:full] == [done // TOGETHER * TOGETHER for done in range(1, full + 1)]
    assert heard[full:] == list(range(full + 1, 101)), "the last of them are few"


async def test_a_crowd_that_goes_away_leaves_nobody_waiting() -> None:
    waiting = await _waiting(100)
    await _end(waiting[0][0])
    assert _heard(waiting) == 0
    for _, task in waiting[1:]:
        task.cancel()
    assert await asyncio.wait_for(waiting[0][1], 1) == 0
    assert all(piece.cancelled() for piece, _ in waiting[1:]), "and nothing is done for them"


async def test_what_a_piece_raises_is_raised() -> None:
    (piece, task), *_ = await _waiting(1)
    piece.set_exception(ValueError("no such thing"))
    with pytest.raises(ValueError, match="no such thing"):
        await task


async def test_a_piece_that_is_dropped_is_waited_for_no_longer() -> None:
    (piece, task), *_ = await _waiting(1)
    piece.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_piece_that_ends_after_the_event_loop_raises_nothing(caplog: pytest.LogCaptureFixture) -> None:
    pieces: list[Future[Any]] = [Future()]

    async def go_away() -> None:
        waiting = asyncio.create_task(Outcomes().of(pieces[0]))
        await asyncio.sleep(0)
        assert not waiting.done()
        pieces[0].set_running_or_notify_cancel()

    await asyncio.to_thread(asyncio.run, go_away())
    pieces[0].set_result(0)
    assert not caplog.records
