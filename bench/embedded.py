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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).parents[1]
ROUNDS = 5
PEOPLE = 20
QUIET = 5.0


def measure() -> list[tuple[str, str, str]]:
    """Rows of: what, figure, goal."""
    fresh, used, at_start, after_use = [], [], [], []
    for _ in range(ROUNDS):
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
    return [
        ("`make run` to the first answer, fresh data folder", f"{median(fresh):.2f} s", "under 1.5 s"),
        ("`make run` to the first answer, used data folder", f"{median(used):.2f} s", "under 1.5 s"),
        ("resident memory after the start", f"{median(at_start):.0f} MB", "under 110 MB"),
        (f"resident memory at rest after {PEOPLE} log-ins", f"{median(after_use):.0f} MB", "under 110 MB"),
    ]


@contextmanager
def embedded(folder: str, **settings: str) -> Iterator[tuple[float, int, int, Path]]:
    """`make run`: the seconds until it answered, its port, the process's id, and what it prints."""
    port, log = free_port(), Path(folder) / "log"
    started = time.perf_counter()
    with log.open("w") as out:
        make = subprocess.Popen(
            ["make", "--silent", "run", f"PORT={port}"],
            cwd=ROOT,
            env={**os.environ, "BOTTOMLINE_DATA_DIR": folder, **settings},
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
    """The process that holds the data folder's lock open."""
    lock = os.path.realpath(f"{folder}/lock")
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
        [Path(sys.executable).with_name("bottomline"), "invite", "create", *options],
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
