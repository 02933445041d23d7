"""Bottomline behind proxies: every server that it leans on can be made to fail."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import httpx

from tests.integration.faults.proxy import Proxy
from tests.integration.journeys.worlds import World, settings_on_servers
from tests.integration.processes import Browser, Process, WebProcess
from tests.integration.servers.ports import LoopbackPort
from tests.integration.smtp_sink import SmtpSink
from tests.mails import text_of

IN_TIME = 3.5
"""Seconds for an answer: three, and some for a busy machine."""


class Stage:
    """The servers' proxies, and what runs behind them. Web process and worker reach the database each by its own."""

    def __init__(self, folder: Path, postgres: str, redis: str, rabbitmq: str, sink: SmtpSink) -> None:
        self._folder = folder
        self._metrics = LoopbackPort()
        self._direct = settings_on_servers(postgres, redis, rabbitmq, sink.url)
        self.sink = sink
        self.database, self.workers_database = Proxy(postgres), Proxy(postgres)
        self.redis, self.rabbitmq, self.smtp = Proxy(redis), Proxy(rabbitmq), Proxy(sink.url)
        self.proxies = (self.database, self.workers_database, self.redis, self.rabbitmq, self.smtp)

    async def __aenter__(self) -> Self:
        self._stack = AsyncExitStack()
        self._stack.callback(self._metrics.release)
        for proxy in self.proxies:
            await self._stack.enter_async_context(proxy)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self._stack.aclose()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[World]:
        """A web process and a worker. Commands and invites of this world go to the servers directly."""
        proxied = settings_on_servers(self.database.url, self.redis.url, self.rabbitmq.url, self.smtp.url)
        workers = {
            **proxied,
            "BOTTOMLINE_DATABASE_URL": self.workers_database.url,
            "BOTTOMLINE_METRICS_PORT": str(self._metrics.number),
        }
        worker = Process("worker", folder=self._folder, settings=workers)
        async with WebProcess(self._folder, proxied) as web, worker:
            settings = {**self._direct, "BOTTOMLINE_PUBLIC_URL": web.url}
            yield World(web, worker, self._folder, settings, lambda to: [text_of(mail) for mail in self.sink.to(to)])

    async def mails_arrive(self, guests: Sequence["Guest"], within: float = 20.0) -> None:
        """Wait until everybody has a mail; none has two."""
        deadline = time.monotonic() + within
        while missing := [guest.email for guest in guests if not self.sink.to(guest.email)]:
            assert time.monotonic() < deadline, f"without a mail after {within} s: {missing}"
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.5)  # for a second one to come, if there is one
        assert [guest.email for guest in guests if len(self.sink.to(guest.email)) > 1] == []


@dataclass
class Guest:
    """Somebody with an invite; everything that they are answered is kept, and none of it is late or a fault."""

    name: str
    invite: str
    answers: list[httpx.Response] = field(default_factory=list)

    @property
    def email(self) -> str:
        return f"{self.name}@example.org"

    @property
    def person(self) -> dict[str, str]:
        return {"email": self.email, "username": self.name, "password": "correct horse battery"}

    async def sign_up(self, browser: Browser) -> httpx.Response:
        """Sign up, once."""
        return await self.ask(browser, "POST", "/api/users", {"invite": self.invite, **self.person})

    async def ask(self, browser: Browser, method: str, path: str, body: dict[str, str] | None = None) -> httpx.Response:
        begun = time.monotonic()
        answer = await browser.request(method, path, json=body)
        assert time.monotonic() - begun < IN_TIME, f"{path} was answered late"
        assert answer.status_code != 500, path
        if answer.status_code == 503:
            assert int(answer.headers["retry-after"]) > 0
        self.answers.append(answer)
        return answer

    async def get_in(self, browser: Browser, world: World) -> None:
        """Confirm and log in."""
        confirmation = await world.mailed(self.email, "confirmation")
        confirmed = await self.ask(browser, "POST", "/api/confirm_account", {"confirmation": confirmation})
        assert confirmed.status_code == 200, confirmed.text
        credentials = {"email": self.email, "password": self.person["password"]}
        logged_in = await self.ask(browser, "POST", "/api/login", credentials)
        assert logged_in.status_code == 200, logged_in.text


async def guests(world: World, *names: str) -> list[Guest]:
    """People with an invite each."""
    return [Guest(name, await world.an_invite()) for name in names]


async def until_signed_up(browser: Browser, *people: Guest, within: float = 20.0) -> None:
    """Sign them up at once; whoever is told to come again does so."""

    async def insist(guest: Guest) -> None:
        while (answer := await guest.sign_up(browser)).status_code == 503:  # noqa: ASYNC110  as it is told to
            await asyncio.sleep(int(answer.headers["retry-after"]))
        assert answer.status_code == 202, answer.text

    async with asyncio.timeout(within):
        await asyncio.gather(*map(insist, people))
