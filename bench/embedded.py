"""The embedded run: how soon it answers, and what it keeps."""

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.installation import ROOT, installed
from bench.results import ROUNDS, Chart, Group, Rounds, Row

MAKE_RUN = ("make", "--silent", "run")
IMPORT = "import entrypoints.http.app"
PEOPLE = 20
QUIET = 5.0


def measure() -> Group:
    """The command itself and `make run`, in turn."""
    served, fresh, used, at_start, after_use, imported = [], [], [], [], [], []
    seconds_to_import()  # its bytecode is compiled
    for _ in range(ROUNDS):
        imported.append(seconds_to_import())
        with tempfile.TemporaryDirectory() as folder, embedded(folder, [installed(), "serve"]) as (seconds, *_):
            served.append(seconds)
        with tempfile.TemporaryDirectory() as folder:
            with embedded(folder) as (seconds, port, _, log):
                fresh.append(seconds)
                sign_up_people(port, log)
            with embedded(folder) as (seconds, port, pid, _):
                used.append(seconds)
                at_start.append(resident(pid))
                log_in_people(port)
                time.sleep(QUIET)
                after_use.append(resident(pid))
    served_in, fresh_in, used_in, import_in = (Rounds(one).median for one in (served, fresh, used, imported))
    begun_with, kept = Rounds(at_start).median, Rounds(after_use).median
    return Group(
        [
            Row(f"`{IMPORT}`", f"{import_in:.2f} s", "under 0.35 s", import_in < 0.35),
            Row(
                "`bottomline serve` to the first answer, fresh folder", f"{served_in:.2f} s", "under 1 s", served_in < 1
            ),
            Row("`make run` to the first answer, fresh folder", f"{fresh_in:.2f} s", "under 1.5 s", fresh_in < 1.5),
            Row("`make run` to the first answer, used folder", f"{used_in:.2f} s", "under 1.5 s", used_in < 1.5),
            Row("resident memory after the start", f"{begun_with:.0f} MB", "under 110 MB", begun_with < 110),
            Row(f"resident memory at rest after {PEOPLE} log-ins", f"{kept:.0f} MB", "under 110 MB", kept < 110),
        ],
        Chart(
            "Start, embedded",
            "seconds, less is better",
            [
                Rounds(imported).bar(IMPORT),
                Rounds(served).bar("bottomline serve to the first answer", is_ours=True),
                Rounds(fresh).bar("make run to the first answer, fresh folder"),
                Rounds(used).bar("make run to the first answer, used folder"),
            ],
            goal=1,
            goal_label="goal of bottomline serve",
        ),
    )


def seconds_to_import() -> float:
    """Of a Python that does nothing else."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", IMPORT], check=True)
    return time.perf_counter() - began


@contextmanager
def embedded(folder: str, command: Sequence[str] = MAKE_RUN, **settings: str) -> Iterator[tuple[float, int, int, Path]]:
    """The embedded service: the seconds until it answered, its port, the process's id, and what it prints."""
    port, log = free_port(), Path(folder) / "log"
    started = time.perf_counter()
    with log.open("w") as out:
        make = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "PORT": str(port), "BOTTOMLINE_PORT": str(port), "BOTTOMLINE_DATA_DIR": folder}
            | settings,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        while not answers(port):
            if make.poll() is not None:
                sys.exit(log.read_text())
            time.sleep(0.005)
        yield time.perf_counter() - started, port, served_by(folder), log
    finally:
        if make.poll() is None:
            os.killpg(make.pid, signal.SIGTERM)
        make.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(port: int) -> bool:
    try:
        return ask(port, "GET", "/live")[0] == 200
    except OSError:
        return False


def ask(port: int, method: str, path: str, body: dict[str, str] | None = None) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        content = json.dumps(body) if body is not None else None
        connection.request(method, path, content, {"content-type": "application/json"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def served_by(folder: str) -> int:
    """The process that holds the lock of the record in this folder open."""
    (lock,) = map(os.path.realpath, Path(folder).glob("*.lock"))
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if any(os.path.realpath(file) == lock for file in (process / "fd").iterdir()):
                return int(process.name)
        except OSError:
            continue
    raise LookupError(lock)


def resident(pid: int) -> float:
    """Megabytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024


def person(number: int) -> dict[str, str]:
    name = f"person{number}"
    return {"email": f"{name}@example.org", "username": name, "password": "correct horse battery"}


def sign_up_people(port: int, log: Path) -> None:
    """Everybody signs up and confirms, with invites of the command line."""
    for number in range(PEOPLE):
        invite = an_invite(log.parent)
        assert ask(port, "POST", "/api/users", {"invite": invite, **person(number)})[0] == 202
        confirmation = wait_for(log, rf"Mail to person{number}@example.org: .*#confirmation=(\S+)")
        assert ask(port, "POST", "/api/confirm_account", {"confirmation": confirmation})[0] == 200


def an_invite(folder: Path, *options: str) -> str:
    """An invite of the command line; its token."""
    made = subprocess.run(
        [installed(), "invite", "create", *options],
        env={"PATH": os.environ["PATH"], "BOTTOMLINE_DATA_DIR": str(folder)},
        capture_output=True,
        text=True,
        check=True,
    )
    return made.stdout.strip().split("=")[1]


def wait_for(log: Path, pattern: str) -> str:
    deadline = time.monotonic() + 10
    while not (found := re.findall(pattern, log.read_text())):
        if time.monotonic() > deadline:
            sys.exit(f"not printed: {pattern}")
        time.sleep(0.02)
    return str(found[-1])


def log_in_people(port: int) -> None:
    for number in range(PEOPLE):
        who = person(number)
        body = {"email": who["email"], "password": who["password"]}
        assert ask(port, "POST", "/api/login", body)[0] == 200
