"""What all kinds of throwaway local server have in common."""

import os
import pwd
import shutil
import signal
import time
from pathlib import Path
from typing import Any, ClassVar, Self

from tests.integration.servers.failures import ServerDidNotStart
from tests.integration.servers.guard import Guard, GuardGone
from tests.integration.servers.ports import LoopbackPort
from tests.integration.servers.probes import wait_until_answers
from tests.integration.servers.programs import program


class LocalServer:
    """A real server as throwaway processes: own folder, own loopback port, gone with this process at the latest.

    Folder and port stay the same until `close`, so a server that was killed can be started again on its data.
    """

    name: ClassVar[str]
    source: ClassVar[str] = "local processes"
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM
    parting_signal: ClassVar[signal.Signals] = signal.SIGKILL
    start_seconds: ClassVar[float] = 60

    def __init__(self) -> None:
        self._program = program(self.name)
        self._guard = Guard(self.name)
        self._account = nobody()
        self._port = LoopbackPort()
        self.folder = self._guard.folder
        self.log = self.folder / "server.log"
        self._own(self.folder)

    @property
    def url(self) -> str:
        raise NotImplementedError

    def command(self) -> list[str]:
        """Return what to run, in `folder`, as the account `nobody` where we are root."""
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        """Return the server's whole environment."""
        return {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(self.folder), "LANG": "C.UTF-8"}

    def prepare(self) -> None:
        """Make the folder ready; called before each start."""

    def start(self) -> None:
        """Start, also after `stop` or `kill`, and return as soon as a real question is answered."""
        self.prepare()
        self._spawn(self.command())
        try:
            wait_until_answers(self.name, self.url, seconds=self.start_seconds, check=self._check_runs)
        except (TimeoutError, GuardGone) as error:
            raise self._failure(str(error)) from error

    def stop(self) -> None:
        """Stop as an operator would, with 10 seconds to do so."""
        self.thaw()
        self._guard.signal_server(self.stop_signal)
        deadline = time.monotonic() + 10
        while self._guard.exit_code() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        self._guard.kill()

    def kill(self) -> None:
        """Kill -9 every process of the server, frozen or not."""
        self._guard.kill()

    def freeze(self) -> None:
        """Stop every process of the server in its tracks: connections stay open, nothing answers."""
        self._guard.signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        self._guard.signal_all(signal.SIGCONT)

    def close(self) -> None:
        """End the server and remove its folder. May be called twice, and while another thread waits in `start`."""
        self._guard.close()
        self._port.release()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _spawn(self, command: list[str]) -> None:
        self._guard.spawn(
            command,
            log=self.log,
            cwd=self.folder,
            env=self.environment(),
            account=self._account,
            parting=self.parting_signal,
        )

    def _own(self, path: Path) -> None:
        if self._account:
            shutil.chown(path, self._account["user"], self._account["group"])

    def _check_runs(self) -> None:
        if (code := self._guard.exit_code()) is not None:
            raise self._failure(f"ended with exit code {code}")

    def _failure(self, what: str) -> ServerDidNotStart:
        return ServerDidNotStart(self.name, what, self.log.read_text(errors="replace") if self.log.exists() else "")


def nobody() -> dict[str, Any]:
    """Return the account that servers run as, as arguments of Popen: `nobody` for root, else our own."""
    if os.geteuid() != 0:
        return {}
    entry = pwd.getpwnam("nobody")
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
