"""Parity: whether the time of an answer tells if an address has an account."""

import http.client
import json
import math
import random
import sqlite3
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TypeAlias

import argon2

from bench.charts import Bar
from bench.embedded import an_invite, ask, embedded, person, wait_for
from bench.results import Chart, Group, Row

PAIRS = 2_000
WARM_UP = 50
GOAL_MS = 2.0
PASSWORD = "correct horse battery"
Request: TypeAlias = tuple[str, dict[str, str]]


@dataclass(frozen=True)
class Parity:
    """What the times of two kinds of request have in common: medians in milliseconds, and Mann-Whitney's p."""

    known: float
    unknown: float
    p: float

    @property
    def gap(self) -> float:
        """How far the medians are apart."""
        return abs(self.known - self.unknown)

    def row(self, name: str) -> Row:
        """A row of the results."""
        chance = f"p = {self.p:.2f}" if self.p >= 0.01 else "p < 0.01"
        figure = f"{self.known:.2f} and {self.unknown:.2f} ms, gap {self.gap:.2f} ms, {chance}"
        what = f"{name}: known and unknown address, {PAIRS:,} pairs"
        return Row(what, figure, f"gap under {GOAL_MS:.0f} ms", self.gap < GOAL_MS)


def measure() -> Group:
    """Real hashing, one request at a time, in an order that chance decides."""
    with tempfile.TemporaryDirectory() as folder:
        with embedded(folder):
            pass  # makes the database
        add_known_people(Path(folder) / "bottomline.db")
        with embedded(folder, BOTTOMLINE_RATE_LIMITS="off") as (_, port, _, log):
            invites = issue_invites(port, log, 2 * (PAIRS + WARM_UP))
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            found = {name: compare(connection, pair) for name, pair in kinds(invites).items()}
    bars = [
        bar
        for name, one in found.items()
        for bar in (Bar(f"{name}, known", one.known, is_ours=True), Bar(f"{name}, unknown", one.unknown))
    ]
    return Group(
        [one.row(name) for name, one in found.items()],
        Chart("Known and unknown addresses", "milliseconds of an answer, median", bars),
    )


def kinds(invites: list[str]) -> dict[str, Callable[[int], tuple[Request, Request]]]:
    """For each endpoint the nth pair of requests: one with a known address, one with an unknown one."""

    def sign_up(number: int, email: str) -> Request:
        name = f"new{uuid.uuid4().hex[:20]}"
        return "/api/users", {
            "invite": invites.pop(),
            "email": email,
            "username": name,
            "password": f"{PASSWORD} {number}",
        }

    def log_in(email: str) -> Request:
        return "/api/login", {"email": email, "password": "not the password at all"}

    def forgot(email: str) -> Request:
        return "/api/forgot_password", {"email": email}

    return {
        "forgot password": lambda number: (forgot(known(number)), forgot(unknown(number))),
        "log-in": lambda number: (log_in(known(number)), log_in(unknown(number))),
        "sign-up": lambda number: (sign_up(number, known(number)), sign_up(number, unknown(number))),
    }


def known(number: int) -> str:
    return f"known{number}@example.org"


def unknown(number: int) -> str:
    return f"other{number}@example.org"


def compare(connection: http.client.HTTPConnection, pair: Callable[[int], tuple[Request, Request]]) -> Parity:
    times: tuple[list[float], list[float]] = ([], [])
    for number in range(PAIRS + WARM_UP):
        requests = pair(number)
        for kind in random.sample((0, 1), 2):
            seconds = timed(connection, *requests[kind])
            if number >= WARM_UP:
                times[kind].append(1000 * seconds)
    return Parity(median(times[0]), median(times[1]), mann_whitney(*times))


def timed(connection: http.client.HTTPConnection, path: str, body: dict[str, str]) -> float:
    content = json.dumps(body)
    began = time.perf_counter()
    connection.request("POST", path, content, {"content-type": "application/json"})
    answer = connection.getresponse()
    answer.read()
    seconds = time.perf_counter() - began
    assert answer.status in (202, 401), answer.status
    return seconds


def mann_whitney(xs: Sequence[float], ys: Sequence[float]) -> float:
    """The two-sided p that two samples come from one distribution (Mann and Whitney, 1947; normal approximation)."""
    ranked = sorted((value, kind) for kind, values in enumerate((xs, ys)) for value in values)
    rank_sum = sum(rank for rank, (_, kind) in enumerate(ranked, 1) if kind == 0)
    u = rank_sum - len(xs) * (len(xs) + 1) / 2
    mean = len(xs) * len(ys) / 2
    deviation = math.sqrt(mean * (len(xs) + len(ys) + 1) / 6)
    return math.erfc(abs(u - mean) / deviation / math.sqrt(2))


def add_known_people(database: Path) -> None:
    """As many confirmed accounts as there are pairs, straight into the file: signing up is not what is measured."""
    password_hash = argon2.PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1).hash(PASSWORD)
    now = time.time_ns() // 1000
    with sqlite3.connect(database) as connection:
        connection.executemany(
            "INSERT INTO users (id, email, email_key, username, username_key, password_hash, role, invite_id,"
            " created_at, confirmed_at) VALUES (?, ?, ?, ?, ?, ?, 'member', ?, ?, ?)",
            [
                (uuid.uuid4().hex, email, email, name, name, password_hash, uuid.uuid4().hex, now, now)
                for number in range(PAIRS + WARM_UP)
                for email, name in [(known(number), f"known{number}")]
            ],
        )
    connection.close()


def issue_invites(port: int, log: Path, number: int) -> list[str]:
    """Invites with one claim each, of an operator."""
    invite, operator = an_invite(log.parent, "--operator"), person(0)
    assert ask(port, "POST", "/api/users", {"invite": invite, **operator})[0] == 202
    confirmation = wait_for(log, rf"Mail to {operator['email']}: .*#confirmation=(\S+)")
    assert ask(port, "POST", "/api/confirm_account", {"confirmation": confirmation})[0] == 200
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {"content-type": "application/json"}
    credentials = {"email": operator["email"], "password": operator["password"]}
    connection.request("POST", "/api/login", json.dumps(credentials), headers)
    answer = connection.getresponse()
    answer.read()
    headers["cookie"] = answer.headers["set-cookie"].split(";")[0]
    tokens = []
    for _ in range(number):
        connection.request("POST", "/api/invites", "{}", headers)
        tokens.append(json.loads(connection.getresponse().read())["invite"])
    connection.close()
    return tokens
