"""What the mail server has taken."""

import asyncio
import json
import signal
import sys
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from tests.integration.faults.campaign import sink_process
from tests.integration.servers.ports import LoopbackPort


@dataclass(frozen=True)
class Taken:
    """A mail that was taken."""

    to: str
    id: str
    token: str | None
    at: float


class KillableSink:
    """The mail server as a process of its own, and what it has taken so far, over all its lives."""

    def __init__(self, folder: Path) -> None:
        self._port = LoopbackPort()
        self._file = folder / "mails.jsonl"
        self._file.touch()
        self._read = 0
        self._process: asyncio.subprocess.Process | None = None
        self.taken: list[Taken] = []
        self.by_address: defaultdict[str, list[Taken]] = defaultdict(list)
        self.url = f"smtp://127.0.0.1:{self._port.number}"

    async def start(self) -> None:
        command = (sys.executable, sink_process.__file__, str(self._port.number), str(self._file))
        self._process = await asyncio.create_subprocess_exec(*command, stdin=asyncio.subprocess.PIPE)
        async with asyncio.timeout(20):
            while not await self._listens():  # noqa: ASYNC110  it tells nobody
                await asyncio.sleep(0.05)

    async def kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGKILL)
            await self._process.wait()

    def freeze(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def look(self) -> None:
        """Take in what has been taken since."""
        with self._file.open("rb") as file:
            file.seek(self._read)
            whole, _, _ = file.read().rpartition(b"\n")
        if not whole:
            return
        self._read += len(whole) + 1
        for line in whole.splitlines():
            taken = Taken(**json.loads(line))
            self.taken.append(taken)
            self.by_address[taken.to].append(taken)

    async def close(self) -> None:
        await self.kill()
        self._port.release()

    async def _listens(self) -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", self._port.number)
        except OSError:
            return False
        writer.transport.abort()
        return True
