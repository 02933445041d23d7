"""A TCP proxy that stands between us and a server, and does to connections what networks and dying servers do."""

import asyncio
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from tests.integration.servers.ports import LoopbackPort

_CHUNK = 65_536
_AT_ONCE = struct.pack("ii", 1, 0)
"""SO_LINGER that has a close send RST (socket(7))."""


@dataclass(frozen=True)
class Answer:
    """What a server says once it has done what a client asked for, as bytes on the wire."""

    asked: bytes
    answered: bytes


COMMITTED = Answer(b"COMMIT;", b"COMMIT\x00")
"""Postgres: CommandComplete of a COMMIT (protocol 3.0, message C)."""
INSERTED = Answer(b"", b"INSERT 0 1\x00")
"""Postgres: CommandComplete of a row inserted; what stands alone is committed before it is said."""
CONFIRMED = Answer(b"\x00\x3c\x00\x28", b"\x00\x00\x00\x0d\x00\x3c\x00\x50")
"""AMQP 0-9-1: class and method of a basic.publish; size, class and method of a basic.ack frame."""
DATA_TAKEN = Answer(b"\r\n.\r\n", b"250")
"""SMTP: the answer to the end of a mail's data."""


class Proxy:
    """Listens on a loopback port and forwards to a server, until it is told to do otherwise; `forward` ends that."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._server = (parts.hostname, parts.port)
        self._port = LoopbackPort()
        self.url = parts._replace(netloc=parts.netloc.replace(f":{parts.port}", f":{self._port.number}")).geturl()
        self._listening: asyncio.Server | None = None
        self._links: dict[_Link, asyncio.Task[None]] = {}
        self.passing = asyncio.Event()
        self.latency = 0.0
        self.left: int | None = None
        self.swallowing: Answer | None = None
        self.to_swallow = 0
        self.swallowed: list[bytes] = []
        """What clients had said last, on each connection whose answer was swallowed."""

    @property
    def connections(self) -> int:
        """How many are open."""
        return len(self._links)

    async def forward(self) -> None:
        """Let everything pass, what has waited too."""
        self.latency, self.left, self.swallowing = 0.0, None, None
        self.let_pass()
        if self._listening is None:
            self._listening = await asyncio.start_server(self._accept, "127.0.0.1", self._port.number, backlog=1000)

    async def refuse(self) -> None:
        """Nobody listens any more, and whoever was connected is reset."""
        if self._listening is not None:
            self._listening.close()
            self._listening = None
        await self.reset()

    async def reset(self) -> None:
        """Reset every connection; new ones are forwarded."""
        links = list(self._links.items())
        for link, task in links:
            link.reset()
            task.cancel()
        await asyncio.gather(*(task for _, task in links), return_exceptions=True)

    def blackhole(self) -> None:
        """Take connections and bytes, and pass nothing on; `let_pass` brings it all."""
        self.passing.clear()

    def let_pass(self) -> None:
        """End a black hole."""
        self.passing.set()

    def delay(self, seconds: float) -> None:
        """Pass everything on later, in both directions."""
        self.latency = seconds

    def cut_after(self, size: int) -> None:
        """Reset a connection once so many more bytes of answers have passed, and every one after it."""
        self.left = size

    def swallow(self, answer: Answer, times: int = 1) -> None:
        """Keep so many more answers of this kind, and reset their connections instead: it is done, and nobody knows."""
        self.to_swallow = times + (self.to_swallow if self.swallowing is answer else 0)
        self.swallowing = answer

    async def __aenter__(self) -> Self:
        await self.forward()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.refuse()
        self._port.release()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = _Link(self, reader, writer)
        task = asyncio.current_task()
        assert task is not None
        self._links[link] = task
        try:
            await link.run(*self._server)
        except asyncio.CancelledError:
            pass  # reset
        finally:
            del self._links[link]


class _Link:
    """One client's connection, and the one to the server that belongs to it."""

    def __init__(self, proxy: Proxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._proxy = proxy
        self._reader = reader
        self._writers = [writer]
        self._said = b""
        self._awaits: Answer | None = None

    async def run(self, host: str | None, port: int | None) -> None:
        """Forward in both directions until one side has closed."""
        try:
            await self._proxy.passing.wait()
            reader, writer = await asyncio.open_connection(host, port)
            self._writers.append(writer)
            pumps = (
                self._pump(self._reader, writer, self._asked),
                self._pump(reader, self._writers[0], self._answered),
            )
            tasks = [asyncio.create_task(pump) for pump in pumps]
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
        except OSError:
            self.reset()  # nobody is behind us
        finally:
            for writer in self._writers:
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()

    def reset(self) -> None:
        """RST to both sides."""
        for writer in self._writers:
            sock = writer.get_extra_info("socket")
            if sock is not None and sock.fileno() >= 0:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
            writer.transport.abort()

    async def _pump(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, passes: Callable[[bytes], bool]
    ) -> None:
        with suppress(OSError):
            while data := await reader.read(_CHUNK):
                if self._proxy.latency:
                    await asyncio.sleep(self._proxy.latency)
                await self._proxy.passing.wait()
                if not passes(data):
                    self.reset()
                    return
                writer.write(data)
                await writer.drain()

    def _asked(self, data: bytes) -> bool:
        self._said = (self._said + data)[-_CHUNK:]
        answer = self._proxy.swallowing
        if answer is not None and answer.asked in self._said[1 - len(data) - len(answer.asked) :]:
            self._awaits = answer
        return True

    def _answered(self, data: bytes) -> bool:
        return not (self._is_swallowed(data) or self._is_cut(data))

    def _is_swallowed(self, data: bytes) -> bool:
        proxy, answer, self._awaits = self._proxy, self._awaits, None
        if answer is None or answer is not proxy.swallowing or answer.answered not in data:
            return False
        proxy.to_swallow -= 1
        if not proxy.to_swallow:
            proxy.swallowing = None
        proxy.swallowed.append(self._said)
        return True

    def _is_cut(self, data: bytes) -> bool:
        if self._proxy.left is None:
            return False
        self._proxy.left -= len(data)
        return self._proxy.left < 0
