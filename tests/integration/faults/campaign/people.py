"""People who sign up, and what they were answered."""

import asyncio
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

import httpx

from tests.integration.faults.campaign.sink import KillableSink

PASSWORD = "correct horse battery"
GIVEN_UP = 120.0
"""Seconds after which somebody stops trying; nobody should have to."""


class Plan(Enum):
    """What somebody does once they have signed up."""

    NOTHING = auto()
    STAY = auto()
    LOG_OUT = auto()
    DELETE = auto()


@dataclass(frozen=True)
class Answer:
    """One try: when it began, how long it took, and what came of it; no status where the connection broke.

    Where there was no answer at all in all that time, that is told by the seconds.
    """

    path: str
    by: str
    """The web process that was asked."""
    at: float
    seconds: float
    status: int | None


@dataclass
class Person:
    """Somebody with an invite, or half of one: of rivals, one gets in."""

    number: int
    invite: str
    invite_id: str
    plan: Plan
    answers: list[Answer] = field(default_factory=list)
    began_at: float = 0.0
    signed_up_at: float | None = None
    is_refused: bool = False
    cookie: str | None = None
    """Of the session that was logged out of, or that went with the account; or that stays."""
    is_logged_out: bool = False
    is_deleted: bool = False
    has_given_up: bool = False

    @property
    def email(self) -> str:
        return f"p{self.number}@example.org"

    @property
    def username(self) -> str:
        return f"person{self.number}"


class Crowd:
    """Lives people's lives. Whoever is told to come again, or told nothing, does the same again, anywhere."""

    def __init__(self, webs: Sequence[str], sink: KillableSink, seed: int) -> None:
        self._webs = webs
        self._sink = sink
        self._seed = seed
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=20)
        self._client = httpx.AsyncClient(timeout=15, limits=limits)

    async def close(self) -> None:
        await self._client.aclose()

    async def live(self, person: Person) -> None:
        """Sign up, and carry out the plan; who has to try for too long gives up."""
        try:
            await self._live(person)
        except TimeoutError:
            person.has_given_up = True

    async def _live(self, person: Person) -> None:
        chance = random.Random(f"{self._seed}/{person.number}")
        person.began_at = time.time()
        body = {"invite": person.invite, "email": person.email, "username": person.username, "password": PASSWORD}
        answer = await self._insist(person, chance, "POST", "/api/users", body)
        person.is_refused = answer.status_code != 202
        if person.is_refused:
            return
        person.signed_up_at = time.time()
        if person.plan is not Plan.NOTHING:
            await self._go_on(person, chance)

    async def _go_on(self, person: Person, chance: random.Random) -> None:
        token = await self._confirmation(person)
        await self._insist(person, chance, "POST", "/api/confirm_account", {"confirmation": token})
        credentials = {"email": person.email, "password": PASSWORD}
        logged_in = await self._insist(person, chance, "POST", "/api/login", credentials)
        if logged_in.status_code != 200:
            return
        person.cookie = logged_in.headers["set-cookie"].split(";")[0]
        if person.plan is Plan.LOG_OUT:
            person.is_logged_out = (await self._insist(person, chance, "POST", "/api/logout", {})).status_code == 200
        elif person.plan is Plan.DELETE:
            gone = await self._insist(person, chance, "DELETE", "/api/user", {"password": PASSWORD})
            person.is_deleted = gone.status_code in {204, 401}  # 401: an earlier try did it, and its answer was lost

    async def session_status(self, person: Person) -> int:
        """What a check of their session is answered."""
        chance = random.Random(0)
        return (await self._insist(person, chance, "GET", "/api/session", None)).status_code

    async def _confirmation(self, person: Person) -> str:
        async with asyncio.timeout(GIVEN_UP):
            while True:
                if found := [mail.token for mail in self._sink.by_address[person.email] if mail.token]:
                    return found[0]
                await asyncio.sleep(0.2)

    async def _insist(
        self, person: Person, chance: random.Random, method: str, path: str, body: dict[str, str] | None
    ) -> httpx.Response:
        """The first answer that is one: not 503, and not a broken connection."""
        async with asyncio.timeout(GIVEN_UP):
            while True:
                answer = await self._try(person, chance.randrange(len(self._webs)), method, path, body)
                if answer is None:
                    await asyncio.sleep(0.1 + chance.random() / 2)
                elif answer.status_code == 503:
                    await asyncio.sleep(int(answer.headers["retry-after"]))
                else:
                    return answer

    async def _try(
        self, person: Person, web: int, method: str, path: str, body: dict[str, str] | None
    ) -> httpx.Response | None:
        headers = {"cookie": person.cookie} if person.cookie else {}
        at, begun = time.time(), time.monotonic()
        try:
            answer = await self._client.request(method, self._webs[web] + path, json=body, headers=headers)
        except httpx.TransportError:
            answer = None
        status = answer.status_code if answer is not None else None
        person.answers.append(Answer(path, f"web {web}", at, time.monotonic() - begun, status))
        return answer
