"""Our end of the guard: a process that ends what we started, even when we are killed -9."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, cast

PROGRAM = Path(__file__).with_name("guard_process.py")


class GuardGone(RuntimeError):
    """The guard was closed, or died, so what it kept is gone too."""


class Guard:
    """Keeps at most one server, with all its children, and a temporary folder; both go when this process does.

    Safe to use from many threads. Every method but `close` raises `GuardGone` after `close`.
    """

    def __init__(self, name: str) -> None:
        self._lock = threading.Lock()
        self.folder = Path(tempfile.mkdtemp(prefix=f"bottomline-{name}-"))
        with (self.folder / "guard.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-I", "-S", str(PROGRAM), str(os.getpid()), str(self.folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
                text=True,
            )
        self._input, self._output = cast("IO[str]", self._process.stdin), cast("IO[str]", self._process.stdout)

    def spawn(
        self,
        command: Sequence[str],
        *,
        log: Path,
        cwd: Path,
        env: Mapping[str, str] | None = None,
        account: Mapping[str, Any] | None = None,
        parting: signal.Signals = signal.SIGKILL,
    ) -> None:
        """Start the server; `parting` is the signal that lets it leave at once, yet clean up after itself."""
        popen = {"args": list(command), "cwd": str(cwd), "env": env and dict(env), **(account or {})}
        self._ask("spawn", log=str(log), parting=int(parting), **popen)

    def exit_code(self) -> int | None:
        """Return how the server ended, or None while it runs."""
        code: int | None = self._ask("exit_code")
        return code

    def signal_server(self, number: signal.Signals) -> None:
        """Signal the server's first process, as an operator would."""
        self._ask("signal_server", number=int(number))

    def signal_all(self, number: signal.Signals) -> None:
        """Signal the server and all its children; on return each has got it."""
        self._ask("signal_all", number=int(number))

    def kill(self) -> None:
        """Kill -9 the server and all its children; on return none is left."""
        self._ask("kill")

    def promise(self, farewell: Sequence[str]) -> None:
        """Name a command that is run when all ends."""
        self._ask("promise", farewell=list(farewell))

    def close(self) -> None:
        """End the server, remove the folder; on return both are gone."""
        with self._lock:
            with contextlib.suppress(OSError):  # a guard that is dead already
                self._input.close()
            self._process.wait()
            self._output.close()

    def _ask(self, do: str, **request: Any) -> Any:
        with self._lock:
            try:
                self._input.write(json.dumps({"do": do, **request}) + "\n")
                self._input.flush()
                answer = json.loads(self._output.readline())
            except (OSError, ValueError) as error:  # the pipe is broken, closed or at its end
                raise GuardGone(do) from error
        if "error" in answer:
            raise RuntimeError(f"{do}: {answer['error']}")
        return answer["value"]
