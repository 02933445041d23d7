"""The process that outlives a test run by a moment, to take along all that the run started.

Run as `python guard_process.py PARENT_PID FOLDER`. It takes one JSON request per line on its input and answers
each with one line. When its input ends or its parent is gone, however that came about, it kills every process
below it (orphans and daemons come back to it: it is their subreaper), runs the farewell command, removes FOLDER
and exits. Linux only: it needs /proc. It imports nothing of the project, so that it starts in milliseconds.
"""

import contextlib
import ctypes
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
LOOK_FOR_PARENT_SECONDS = 0.5


def below(ancestor: int) -> list[int]:
    """List all living descendants of this process, the nearest first."""
    parents = {}
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            state, parent = (entry / "stat").read_text(errors="replace").rpartition(")")[2].split()[:2]
            if state != "Z":
                parents[int(entry.name)] = int(parent)
    family = [ancestor]
    for member in family:
        family += [pid for pid, parent in parents.items() if parent == member]
    return family[1:]


class Keeper:
    """What one guard keeps: at most one server with all its children, and what to run at the end."""

    def __init__(self) -> None:
        self.server: subprocess.Popen[bytes] | None = None
        self.parting: int = signal.SIGKILL
        self.farewell: list[str] = []

    def spawn(self, *, log: str, parting: int, **popen: Any) -> None:
        with Path(log).open("ab") as output:
            self.server = subprocess.Popen(
                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, start_new_session=True, **popen
            )
        self.parting = parting

    def exit_code(self) -> int | None:
        self.reap()
        return self.server.returncode if self.server else 0

    def signal_server(self, *, number: int) -> None:
        if self.exit_code() is None and self.server:
            os.kill(self.server.pid, number)

    def signal_all(self, *, number: int) -> None:
        """Reach every descendant, also those born meanwhile, whatever session or group they made their own."""
        reached: set[int] = set()
        while fresh := set(below(os.getpid())) - reached:
            for pid in fresh:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
            reached |= fresh

    def reap(self, how: int = os.WNOHANG) -> None:
        """Bury the dead: the server, whose exit code is kept, and orphans that came back to us."""
        with contextlib.suppress(ChildProcessError):
            while (dead := os.waitpid(-1, how))[0]:
                if self.server and self.server.pid == dead[0]:
                    self.server.returncode = os.waitstatus_to_exitcode(dead[1])

    def kill(self) -> None:
        """Kill -9 all descendants and return when none is left."""
        self.signal_all(number=signal.SIGSTOP)
        while below(os.getpid()):
            self.signal_all(number=signal.SIGKILL)
            self.reap()
            time.sleep(0.002)
        self.reap(how=0)

    def part(self) -> None:
        """End everything: the server first has a second to leave in its own quick way."""
        if self.parting != signal.SIGKILL and self.exit_code() is None:
            self.signal_server(number=self.parting)
            self.signal_all(number=signal.SIGCONT)
            deadline = time.monotonic() + 1
            while self.exit_code() is None and time.monotonic() < deadline:
                time.sleep(0.005)
        self.kill()

    def promise(self, *, farewell: list[str]) -> None:
        self.farewell = farewell


def requests(parent: int) -> Iterator[bytes]:
    """Yield the lines of standard input until it ends or the parent is gone."""
    pending = b""
    while os.getppid() == parent:
        if select.select([0], [], [], LOOK_FOR_PARENT_SECONDS)[0]:
            chunk = os.read(0, 65536)
            if not chunk:
                return
            *lines, pending = (pending + chunk).split(b"\n")
            yield from lines


def serve(keeper: Keeper, parent: int) -> None:
    for line in requests(parent):
        request = json.loads(line)
        try:
            answer = {"value": getattr(keeper, request.pop("do"))(**request)}
        except Exception as error:  # noqa: BLE001 - the test run is told, and decides
            answer = {"error": f"{type(error).__name__}: {error}"}
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def main(parent: int, folder: str) -> None:
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: None)  # a handler, unlike SIG_IGN, is not inherited by the server
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    keeper = Keeper()
    try:
        with contextlib.suppress(BrokenPipeError):
            serve(keeper, parent)
    finally:
        keeper.part()
        if keeper.farewell:
            subprocess.run(keeper.farewell, check=False)  # noqa: S603 - the test run's own words
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
