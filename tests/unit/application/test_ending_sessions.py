"""Seeing one's sessions and ending them, also while the record is away."""

from collections.abc import AsyncIterator, Collection, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from adapters.memory.session_cache import MemorySessionCache, NoSessionCache
from application.ports import Unavailable, Work
from domain.errors import NotLoggedIn, SessionNotFound
from entrypoints.container import Container
from tests.hand_clock import HandClock
from tests.unit.people import ANN, BOB, a_member, log_in


async def test_a_user_sees_the_live_sessions_newest_first(container: Container, clock: HandClock) -> None:
    user = await a_member(container, ANN)
    await a_member(container, BOB)
    await log_in(container, BOB)
    old, _ = await log_in(container, ANN)
    clock.advance(timedelta(days=2))
    new, _ = await log_in(container, ANN)
    listed = await container.list_sessions()(user_id=user.id)
    assert [session.id for session in listed] == [new.session.id, old.session.id]
    clock.advance(timedelta(days=1))
    assert [session.id for session in await container.list_sessions()(user_id=user.id)] == [new.session.id]


async def test_one_session_is_ended_and_the_others_go_on(container: Container) -> None:
    user = await a_member(container, ANN)
    (_, here), (there, key) = await log_in(container, ANN), await log_in(container, ANN)
    await container.end_session()(user_id=user.id, session_id=there.session.id)
    with pytest.raises(NotLoggedIn):
        await container.authenticate()(key=key)
    await container.authenticate()(key=here)


async def test_somebody_elses_session_is_not_found(container: Container) -> None:
    user, _ = await a_member(container, ANN), await a_member(container, BOB)
    bobs, key = await log_in(container, BOB)
    with pytest.raises(SessionNotFound):
        await container.end_session()(user_id=user.id, session_id=bobs.session.id)
    await container.authenticate()(key=key)


async def test_all_others_are_ended_at_once(container: Container) -> None:
    user = await a_member(container, ANN)
    me, here = await log_in(container, ANN)
    others = [await log_in(container, ANN) for _ in range(3)]
    assert await container.end_other_sessions()(user_id=user.id, than=me.session.id) == 3
    for _, key in others:
        with pytest.raises(NotLoggedIn):
            await container.authenticate()(key=key)
    await container.authenticate()(key=here)
    assert await container.end_other_sessions()(user_id=user.id, than=me.session.id) == 0


@pytest.mark.parametrize("has_cache", [True, False])
async def test_a_log_out_while_the_record_is_away_is_finished_when_it_is_back(
    container: Container, has_cache: bool
) -> None:
    await a_member(container, ANN)
    _, key = await log_in(container, ANN)
    is_away = True

    @asynccontextmanager
    async def begin() -> AsyncIterator[Work]:
        if is_away:
            raise Unavailable("the database is down")
        async with container.begin()() as work:
            yield work

    cache = MemorySessionCache() if has_cache else NoSessionCache()
    log_out = replace(container.log_out(), begin=begin, cache=cache)
    authenticate = replace(container.authenticate(), cache=cache)
    await log_out(keys=[key])
    with pytest.raises(NotLoggedIn):
        await authenticate(key=key)
    assert await log_out.finish() == 0
    is_away = False
    assert await log_out.finish() == 1
    assert await log_out.finish() == 0
    with pytest.raises(NotLoggedIn):
        await replace(authenticate, cache=NoSessionCache())(key=key)
    async with container.engine().connect() as connection:
        told = await connection.exec_driver_sql("SELECT count(*) FROM outbox WHERE type = 'sessions.ended'")
    assert told.scalar() == 1


class ReadOnlyCache(MemorySessionCache):
    """Knows of log-outs that other processes have left, and cannot be told that they are recorded."""

    def __init__(self, left: Collection[bytes]) -> None:
        super().__init__()
        self._left = left

    async def unrecorded(self) -> Collection[bytes]:
        return self._left

    async def recorded(self, key_hashes: Iterable[bytes]) -> None:
        raise Unavailable("READONLY")


async def test_a_cache_that_goes_on_telling_of_a_log_out_keeps_nobody_busy(container: Container) -> None:
    await a_member(container, ANN)
    _, key = await log_in(container, ANN)
    log_out = replace(container.log_out(), cache=ReadOnlyCache([key.hash]))
    assert [await log_out.finish() for _ in range(2)] == [0, 0], "whoever is told of work comes again at once"
    with pytest.raises(NotLoggedIn):
        await replace(container.authenticate(), cache=NoSessionCache())(key=key)


async def test_a_record_that_is_away_is_waited_for_once_however_many_have_logged_out(container: Container) -> None:
    tries = 0

    @asynccontextmanager
    async def begin() -> AsyncIterator[Work]:
        nonlocal tries
        tries += 1
        raise Unavailable("the database hangs")
        yield

    log_out = replace(container.log_out(), begin=begin, cache=ReadOnlyCache([bytes([n]) * 32 for n in range(9)]))
    assert await log_out.finish() == 0
    assert tries == 1


async def test_a_user_has_so_many_sessions_and_the_oldest_give_way(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("application.sessions.log_in.MOST", 3)
    user = await a_member(container, ANN)
    keys = [(await log_in(container, ANN))[1] for _ in range(5)]
    assert len(await container.list_sessions()(user_id=user.id)) == 3
    uncached = replace(container.authenticate(), cache=NoSessionCache())
    for key in keys[:2]:
        with pytest.raises(NotLoggedIn):
            await uncached(key=key)
    for key in keys[2:]:
        await uncached(key=key)


async def test_a_session_that_gives_way_is_over_at_once(container: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("application.sessions.log_in.MOST", 1)
    await a_member(container, ANN)
    _, older = await log_in(container, ANN)
    await container.authenticate()(key=older)
    _, newer = await log_in(container, ANN)
    with pytest.raises(NotLoggedIn):
        await container.authenticate()(key=older)
    await container.authenticate()(key=newer)
