"""Two worlds that differ in one thing: which of two addresses is the member Sue's."""

import asyncio
import difflib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from datetime import timedelta
from pathlib import Path

from adapters.memory.session_cache import MemorySessionCache
from adapters.memory.usernames import MemoryUsernames
from entrypoints.http.app import create_app
from entrypoints.settings import read_settings
from tests.asgi import running
from tests.hand_clock import HandClock
from tests.unit.model.facts import Account, Invite
from tests.unit.model.world import SignUp, World

SUES = ("sue@one.example", "sue@two.example")
"""Of one length, so that no answer's length tells which of them is Sue's."""
SUES_PASSWORD = "known to Sue alone"
TOMS = ("tom@one.example", "tom@two.example")
"""One of these is the address of Tom, who joins later."""
ANN, EVE, MALLORY = "ann@example.org", "eve@example.net", "mallory@example.net"
EVES_OTHER = "eve@example.org"
PASSWORDS = ("correct horse battery", "battery horse correct")
CHOIR = 0
"""The oldest invite in people's hands: Sue and Eve both came by it, and it can be claimed again."""


class Timer:
    """The clock's seconds for what is remembered in process: all of it lapses at each new beginning."""

    def __init__(self, clock: HandClock) -> None:
        self.beginnings = 0
        self._clock = clock

    def __call__(self) -> float:
        return self._clock.now().timestamp() + self.beginnings * 10**9


class Stage:
    """The worlds, side by side: each act happens in both, and looks alike."""

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: HandClock, timer: Timer, worlds: list[World]) -> None:
        self.clock = clock
        self._timer = timer
        self._loop = loop
        self._worlds = worlds
        self._begin = clock.now()
        self._ways_back = [loop.run_until_complete(world.snapshot()) for world in worlds]

    def start_over(self) -> None:
        """Back to the beginning: Ann is the operator, Sue and Eve are members."""
        self.clock.advance(self._begin - self.clock.now())
        self._timer.beginnings += 1
        for go_back in self._ways_back:
            self._loop.run_until_complete(go_back())

    def act(self, act: Callable[[World], Awaitable[None]]) -> None:
        """Do the same in both worlds, and see the same."""
        self._loop.run_until_complete(self._act(act))
        one, other = (world.held.transcript.collect() for world in self._worlds)
        differences = "\n".join(difflib.unified_diff("\n".join(one).splitlines(), "\n".join(other).splitlines(), *SUES))
        assert one == other, f"the worlds can be told apart:\n{differences}"

    async def _act(self, act: Callable[[World], Awaitable[None]]) -> None:
        for world in self._worlds:
            await act(world)


@contextmanager
def set_up(folder: Path) -> Iterator[Stage]:
    """Both worlds, populated."""
    loop = asyncio.new_event_loop()
    clock = HandClock()
    timer = Timer(clock)
    with_worlds = AsyncExitStack()
    try:
        worlds = [
            loop.run_until_complete(with_worlds.enter_async_context(_a_world(folder / str(number), clock, timer, sue)))
            for number, sue in enumerate(SUES)
        ]
        yield Stage(loop, clock, timer, worlds)
        loop.run_until_complete(with_worlds.aclose())
    finally:
        loop.close()


@asynccontextmanager
async def _a_world(folder: Path, clock: HandClock, timer: Timer, sue: str) -> AsyncIterator[World]:
    settings = read_settings(
        {
            "BOTTOMLINE_DATA_DIR": str(folder),
            "BOTTOMLINE_ARGON2_TIME": "1",
            "BOTTOMLINE_ARGON2_MEMORY_KIB": "8",
            "BOTTOMLINE_RATE_LIMITS": "off",
        }
    )
    said: list[str] = []
    by_hand = {
        "clock": clock,
        "session_cache": MemorySessionCache(),
        "usernames": MemoryUsernames(timer=timer),
    }
    async with running(create_app(settings, said.append, swap=by_hand)) as client:
        client.event_hooks = {}  # that answers are as described is tested elsewhere, in less time
        world = World(client, folder, clock, sue=sue, tom=TOMS[SUES.index(sue)], readers={ANN, EVE, sue})
        await _populate(world, said[0].split("#invite=")[1], clock)
        world.readers = {EVE, EVES_OTHER, MALLORY}
        yield world
        world.close()


async def _populate(world: World, first_invite: str, clock: HandClock) -> None:
    first = Invite(Account("", "", None), None, 1, clock.now() + timedelta(days=7))
    world.reference.invites.append(first)
    await world.send_sign_up(SignUp(first_invite, first, ANN, "ann", PASSWORDS[0]))
    world.reference.accounts[0].is_operator = True
    await world.confirm(0)
    await ann_issues(world, None, 50, 365)
    for address, name, password in ((world.sue, "sue", SUES_PASSWORD), (EVE, "eve", PASSWORDS[0])):
        await world.sign_up(CHOIR, address, name, password)
        await world.confirm(0)
    world.held.mailed.clear()
    world.held.sign_ups.clear()
    world.held.transcript.collect()


async def tom_joins(world: World) -> None:
    """By an invite, a password and a mail that nobody else sees."""
    readers, world.readers = world.readers, {world.tom}
    await ann_issues(world, None, 1, 1)
    await world.sign_up(0, world.tom, "tom", "known to Tom alone")
    await world.confirm(0)
    world.readers = readers
    world.held.invites.pop()
    world.held.sign_ups.pop()
    world.held.mailed["confirmation"].pop()
    world.held.transcript.collect()


async def ann_issues(world: World, bound_to: str | None, max_claims: int, days: int) -> None:
    """An invite of the operator's, out of any member's quota."""
    await world.log_in("ann", ANN, PASSWORDS[0])
    await world.issue("ann", bound_to, max_claims, days)
    await world.log_out("ann")
