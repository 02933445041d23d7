"""What docs/security.md says is shown is shown, and what it says of the defaults is so."""

import ast
import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

from adapters.argon2.password_hasher import Argon2Cost
from adapters.rabbitmq import connections
from adapters.redis import tracking
from adapters.redis.breaker import PAUSE as ALONE
from adapters.redis.client import PATIENCE, open_redis
from adapters.smtp import connections as smtp_connections
from adapters.smtp import mailer
from adapters.sql import engine
from adapters.system import threads
from adapters.zxcvbn.password_strength import STRONG
from application.delivery import backoff, deliver_mails, relay_outbox
from application.sessions import log_in
from domain import password, username
from domain.invite import InviteTerms
from domain.mail import PAUSE, PER_DAY
from domain.session import SessionLife
from domain.token import LIVES, Purpose
from entrypoints import serving
from entrypoints.http import bodies, shell, strict_json
from entrypoints.settings import PREFIX, SETTINGS

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "security.md"
TEXT = PAGE.read_text()

ASVS = """
    1.2.2 1.2.4 1.3.11 1.3.12 1.5.3 2.2.1 2.3.1 2.3.2 2.3.3 2.3.4 2.4.1
    3.3.1 3.3.2 3.3.3 3.3.4 3.3.5 3.4.1 3.4.2 3.4.3 3.4.4 3.4.5 3.4.6 3.4.8 3.5.1 3.5.2 3.5.3 3.7.2
    4.1.1 4.1.3 4.1.4
    6.1.1 6.2.1 6.2.2 6.2.3 6.2.4 6.2.5 6.2.6 6.2.7 6.2.8 6.2.9 6.2.10 6.2.11 6.2.12
    6.3.1 6.3.2 6.3.3 6.3.4 6.3.7 6.3.8 6.4.1 6.4.3 6.4.6
    7.1.1 7.1.2 7.2.3 7.2.4 7.3.1 7.3.2 7.4.1 7.4.2 7.4.3 7.4.5 7.5.1 7.5.2 7.5.3 8.2.2
    9.2.1 9.2.2 11.2.2 11.2.4 11.3.3 11.3.4 11.4.2 11.5.1 12.3.1
    13.1.2 13.1.3 13.2.2 13.2.6 13.3.1 13.3.4 13.4.2 13.4.5 13.4.6 14.2.1 14.3.1 14.3.2
    15.2.2 15.3.3 15.3.4 15.4.2 16.2.5 16.3.1 16.3.3 16.4.1 16.5.1 16.5.2 16.5.3 16.5.4
    """.split()  # noqa: SIM905
"""The requirements of ASVS 5.0 that this service has to answer."""


def section(title: str) -> str:
    found = re.search(rf"^##+ {re.escape(title)}\n(.*?)(?=^##|\Z)", TEXT, re.DOTALL | re.MULTILINE)
    assert found is not None, title
    return found[1]


def rows(title: str) -> list[list[str]]:
    """The cells of the rows of a section's table, without its head."""
    lines = [line for line in section(title).splitlines() if line.startswith("|")]
    return [line.strip("| ").split(" | ") for line in lines[2:]]


def named(text: str) -> Iterator[tuple[str, str]]:
    """The tests that a text names, as path and function."""
    return ((path, name) for path, name in re.findall(r"`([^`\s]+\.py)::([^`\s]+)`", text))


def functions(path: str) -> set[str]:
    tree = ast.parse((TESTS / path).read_text())
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_test_that_it_names_is_there() -> None:
    assert TEXT.count("::test_") == len([name for _, name in named(TEXT) if name.startswith("test_")])
    missing = [
        f"{path}::{name}"
        for path, name in named(TEXT)
        if not (TESTS / path).is_file() or name not in functions(path) or not Path(path).name.startswith("test_")
    ]
    assert missing == []


def test_every_link_leads_somewhere() -> None:
    targets = re.findall(r"\]\(([^)#]+)", TEXT)
    assert targets
    assert [target for target in targets if not (PAGE.parent / target).exists()] == []


def test_every_requirement_has_one_row() -> None:
    assert [row[0] for row in rows("OWASP ASVS 5.0")] == ASVS


def test_every_row_names_a_test_or_says_that_there_is_none() -> None:
    answers = [*rows("Threats"), *rows("OWASP ASVS 5.0")]
    assert [row for row in answers if len(row) != 3 or not all(row)] == []
    assert [row[0] for row in answers if not list(named(row[2])) and not row[2].startswith("not yet")] == []


def test_the_defaults_are_those_of_the_code() -> None:
    found = {row[0]: row[1] for row in rows("Defaults") if len(row) == 3}
    assert {what: found[what] for what in defaults()} == defaults()
    set_in = re.findall(rf"`{PREFIX}(\w+)`", section("Defaults"))
    assert set(set_in) <= SETTINGS.keys()


def test_the_waits_are_those_of_the_code() -> None:
    found = {row[0]: " / ".join(row[1:]) for row in rows("Connections and waits")}
    for what, numbers in waits().items():
        assert [number for number in numbers if not re.search(rf"\b{re.escape(number)}\b", found[what])] == [], what


def defaults() -> Mapping[str, str]:
    life, terms, cost = SessionLife(), InviteTerms(), Argon2Cost()
    default = {name: setting.default for name, setting in SETTINGS.items()}
    assert default["ARGON2_TIME"] == str(cost.time)
    assert default["ARGON2_MEMORY_KIB"] == str(cost.memory)
    assert (default["SESSION_DAYS"], default["SESSION_IDLE_DAYS"]) == (str(life.absolute.days), str(life.idle.days))
    assert LIVES[Purpose.CONFIRMATION] == LIVES[Purpose.EMAIL_CHANGE]
    return {
        "session, at most": f"{life.absolute.days} days",
        "session, unused": f"{life.idle.days} days",
        "sessions of a user": f"{log_in.MOST}",
        "confirmation, of an account or an address": f"{LIVES[Purpose.CONFIRMATION].days * 24} hours",
        "reset": f"{LIVES[Purpose.RESET].seconds // 60} minutes",
        "undoing a change of address": f"{LIVES[Purpose.EMAIL_UNDO].days} days",
        "invite": f"{terms.expires_in_days} days, {terms.max_claims} claim",
        "open invites of a member": f"{default['INVITES_PER_USER']}",
        "password, at least": f"{default['PASSWORD_MIN_LENGTH']} characters",
        "password, at most": f"{password.LONGEST_BYTES:,} bytes",
        "guessable": f"zxcvbn below {STRONG} of 4",
        "argon2id, passes": f"{cost.time}",
        "argon2id, memory": f"{cost.memory:,} KiB",
        "username": f"{username.SHORTEST} to {username.LONGEST} characters",
        "a freed username is held": f"{username.HOLD.days} days",
        "mails of a kind to one address": f"{PAUSE.seconds // 60} a minute, {PER_DAY} a day",
        "body": f"{bodies.LARGEST // 1024} KiB, {strict_json.DEEPEST} deep",
    }


def waits() -> Mapping[str, list[str]]:
    pool = engine._POSTGRES
    with_redis = open_redis("redis://localhost").connection_pool
    return {
        "clients": [
            f"{serving.CONNECTIONS:,} connections",
            f"{serving.IDLE_AT_MOST // 1000} s for headers",
            f"{shell.BODY_WITHIN} s for a body",
            f"{shell.DEADLINE} s for an answer",
        ],
        "passwords": [f"within {threads.PATIENCE:.0f} s"],
        "Postgres": [f"{pool['pool_size'] + pool['max_overflow']} connections", f"{pool['pool_timeout']} s each"],
        "Redis": [
            f"{with_redis.max_connections} connections",
            f"{PATIENCE} s",
            f"left alone for {ALONE:.0f} s",
        ],
        "what Redis tells": [
            f"made anew after {tracking.LIFE:.0f} s",
            f"{tracking.LEASE} s",
            f"given up after {tracking.GIVEN_UP:.0f} s",
            f"after {tracking.PAUSE:.0f} s",
            f"{tracking.REFUSED:.0f} s where it refuses",
        ],
        "RabbitMQ": [
            f"{connections.PATIENCE:.0f} s",
            f"heartbeat {connections.HEARTBEAT} s",
            f"{backoff.FIRST.seconds} s to {relay_outbox.LONGEST.seconds} s",
        ],
        "SMTP": [
            f"{smtp_connections.AT_MOST} connections",
            f"{deliver_mails.BATCH} mails at a time",
            f"{mailer.COMMAND:.0f} s a command",
            f"{mailer.WHOLE:.0f} s a mail",
            f"{deliver_mails.PATIENCE // timedelta(hours=1)} hours",
        ],
    }
