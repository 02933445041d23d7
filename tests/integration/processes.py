"""Bottomline as a user runs it: the command, in processes of its own."""

import asyncio
import os
import re
import signal
import sys
from pathlib import Path
from typing import Self

import httpx

from tests.integration.servers.ports import LoopbackPort

COMMAND = Path(sys.executable).with_name("bottomline")
QUICK = {"BOTTOMLINE_ARGON2_TIME": "1", "BOTTOMLINE_ARGON2_MEMORY_KIB": "8", "BOTTOMLINE_RATE_LIMITS": "off"}
"""Settings of tests that are about something else: a cheap hash, and as many tries as it takes."""


class Process:
    """One `bottomline …` process; what it prints is in `lines`, and `settings` are those of its next start."""

    def __init__(self, *arguments: str, folder: Path, settings: dict[str, str]) -> None:
        self._arguments = arguments
        self._folder = folder
        self.settings = dict(settings)
        self._process: asyncio.subprocess.Process | None = None
        self._reading: asyncio.Task[None] | None = None
        self.lines: list[str] = []

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    async def start(self) -> None:
        self.lines = []
        self._process = await asyncio.create_subprocess_exec(
            COMMAND,
            *self._arguments,
            cwd=self._folder,
            env={"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1", **self.settings},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        self._reading = asyncio.create_task(self._read())

    async def said(self, pattern: str, within: float = 15.0) -> str:
        """The first group of the newest line that matches, waited for."""
        async with asyncio.timeout(within):
            while True:
                for line in reversed(self.lines):
                    if found := re.search(pattern, line):
                        return found[1] if found.groups() else found[0]
                assert self._reading is not None
                if self._reading.done():
                    raise AssertionError(f"ended without saying {pattern!r}: {self.lines}")
                await asyncio.sleep(0.02)

    async def ended(self) -> int:
        """The exit status, waited for."""
        assert self._process is not None
        assert self._reading is not None
        async with asyncio.timeout(20):
            await self._reading
            return await self._process.wait()

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to stop, or kill it; the exit status."""
        if self._process is None:
            return 0
        if self._process.returncode is None:
            self._process.send_signal(number)
        return await self.ended()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.stop(signal.SIGKILL)

    async def _read(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.lines.append(line.decode().rstrip("\n"))


class WebProcess(Process):
    """`bottomline serve` on a free loopback port."""

    def __init__(self, folder: Path, settings: dict[str, str]) -> None:
        self._port = LoopbackPort()
        self.port = self._port.number
        self.url = f"http://localhost:{self.port}"
        super().__init__("serve", folder=folder, settings={"BOTTOMLINE_PORT": str(self.port), **settings})

    async def start(self) -> None:
        await super().start()
        await self._answers()

    async def __aexit__(self, *exc_info: object) -> None:
        await super().__aexit__(*exc_info)
        self._port.release()

    def browser(self) -> "Browser":
        """A client that keeps its cookies."""
        return Browser(self.url)

    async def _answers(self) -> None:
        async with asyncio.timeout(60), httpx.AsyncClient(base_url=self.url) as client:
            while True:
                assert self._reading is not None
                assert not self._reading.done(), f"did not start: {self.lines}"
                try:
                    await client.get("/live")
                except httpx.TransportError:
                    await asyncio.sleep(0.02)
                else:
                    return


class Browser(httpx.AsyncClient):
    """A client that sends Secure cookies to http://localhost, as browsers do and httpx does not."""

    def __init__(self, url: str) -> None:
        super().__init__(base_url=url, timeout=10)
        self.cookie: str | None = None

    async def send(self, request: httpx.Request, **kwargs: object) -> httpx.Response:
        if self.cookie:
            request.headers["cookie"] = self.cookie
        response = await super().send(request, **kwargs)  # type: ignore[arg-type]
        if header := response.headers.get("set-cookie"):
            pair = header.split(";")[0]
            self.cookie = None if pair.endswith("=") or "Max-Age=0" in header else pair
        return response
