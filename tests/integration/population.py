"""A Postgres full of people, as a service has them that has grown for years."""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.session import SessionKey

ANSWERING = 4
"""One in so many sessions is of somebody who is here at the moment."""
_STEP = 104_729
"""A prime: steps of it go once through any round number of people, in what looks like no order."""

_FUNCTIONS = """
CREATE OR REPLACE FUNCTION pg_temp.v7(at timestamptz, salt text) RETURNS uuid LANGUAGE sql AS $$
  SELECT overlay(overlay(
    lpad(to_hex((extract(epoch FROM at) * 1000)::bigint), 12, '0') || substr(md5(salt), 13)
  placing '7' from 13) placing '8' from 17)::uuid
$$;
CREATE OR REPLACE FUNCTION pg_temp.name_of(nth bigint) RETURNS text LANGUAGE sql AS $$
  SELECT 'p' || substr(md5('person ' || nth), 1, 15)
$$;
CREATE OR REPLACE FUNCTION pg_temp.joined(nth bigint) RETURNS timestamptz LANGUAGE sql AS $$
  SELECT {now} - interval '1000 days' * (1 - nth::float8 / {people})
$$;
CREATE OR REPLACE FUNCTION pg_temp.user_of(nth bigint) RETURNS uuid LANGUAGE sql AS $$
  SELECT pg_temp.v7(pg_temp.joined(nth), 'user ' || nth)
$$;
CREATE OR REPLACE FUNCTION pg_temp.invite_of(nth bigint) RETURNS uuid LANGUAGE sql AS $$
  SELECT pg_temp.v7(pg_temp.joined(nth) - interval '1 day', 'invite ' || nth)
$$;
CREATE OR REPLACE FUNCTION pg_temp.lately(nth bigint, during interval) RETURNS timestamptz LANGUAGE sql AS $$
  SELECT {now} - during * (1 - nth::float8 / {recent})
$$;
"""
"""Ids in the order of time, as ours are, and names in none. Postgres puts such bodies in the place of their calls."""
_BROWSER = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"

ROWS: Mapping[str, str] = {
    "users": """
        SELECT pg_temp.user_of(nth), name || '@example.org', name || '@example.org', name, name, {password_hash},
               'member', pg_temp.invite_of(nth), pg_temp.joined(nth), pg_temp.joined(nth) + interval '5 minutes'
        FROM (SELECT nth, pg_temp.name_of(nth) AS name FROM {everybody}) people
    """,
    "sessions": """
        SELECT pg_temp.v7(began, 'session ' || nth), pg_temp.user_of(nth * {step} % {people} + 1),
               sha256(sha256(convert_to('session ' || nth, 'UTF8'))), began, seen, seen + interval '3 days',
               began + interval '14 days', '{browser}', '2001:db8::' || to_hex(nth % 65536)
        FROM (SELECT nth, began, CASE nth % {answering} WHEN 0 THEN {now} ELSE greatest(began, {now}
                     - interval '1 minute' * (nth * {step} % 4000)) END AS seen
              FROM (SELECT nth, {now} - interval '13 days' * (1 - nth::float8 / {people}) AS began
                    FROM {everybody}) begun) used
    """,
    "invites": """
        SELECT pg_temp.invite_of(nth), pg_temp.user_of(nth / 2 + 1), NULL, 'member', 1, (nth % 20 > 0)::int, NULL,
               pg_temp.joined(nth) - interval '1 day', pg_temp.joined(nth) + interval '6 days', NULL
        FROM {everybody}
    """,
    "invite_claims": """
        SELECT pg_temp.invite_of(nth * {step} % {people} + 1), 'late-' || pg_temp.name_of(nth) || '@example.org',
               'late-' || pg_temp.name_of(nth), {password_hash}, pg_temp.lately(nth, '90 days')
        FROM {lately}
    """,
    "username_holds": """
        SELECT pg_temp.name_of(nth), pg_temp.lately(nth, '89 days') + interval '90 days' FROM {lately}
    """,
    "tokens": """
        SELECT pg_temp.v7(pg_temp.lately(nth, '8 days'), 'token ' || nth), 'confirmation',
               pg_temp.user_of({people} - nth % {people}), pg_temp.lately(nth, '8 days'),
               pg_temp.lately(nth, '7 days'), NULL, pg_temp.lately(nth, '8 days'), NULL
        FROM {lately}
    """,
    "outbox": """
        SELECT pg_temp.v7(pg_temp.lately(nth, '7 days'), 'event ' || nth), 'user.confirmed',
               convert_to('{{"user_id":"' || pg_temp.user_of(nth) || '"}}', 'UTF8'), pg_temp.lately(nth, '7 days'),
               1, pg_temp.lately(nth, '7 days'), NULL,
               CASE WHEN nth % 500 > 0 THEN pg_temp.lately(nth, '7 days') END
        FROM {lately}
    """,
    "inbox": """
        SELECT 'mails', pg_temp.v7(pg_temp.lately(nth, '30 days'), 'event ' || nth), pg_temp.lately(nth, '30 days')
        FROM {lately}
    """,
    "mails": """
        SELECT pg_temp.v7(pg_temp.lately(nth, '30 days'), 'mail ' || nth), 'confirmation',
               pg_temp.name_of(nth) || '@example.org', pg_temp.name_of(nth) || '@example.org', NULL, NULL,
               pg_temp.name_of(nth), NULL, CASE WHEN nth % 500 > 0 THEN 'sent' ELSE 'queued' END, NULL, 1,
               pg_temp.lately(nth, '30 days'), pg_temp.lately(nth, '30 days'), NULL, pg_temp.lately(nth, '30 days')
        FROM {lately}
    """,
    "mail_quotas": """
        SELECT sha256(convert_to(pg_temp.name_of(nth), 'UTF8')), 'reset', pg_temp.lately(nth, '1 day'), 1,
               pg_temp.lately(nth, '1 day')
        FROM {lately}
    """,
}
"""What each table is filled with, parents first. People, their sessions and the invites that brought them stay; the
rest is forgotten after a while, so only what is recent of it is there. A few events and mails wait."""


@dataclass(frozen=True)
class Population:
    """So many people, each with a session and an invite; `recent` rows of whatever is kept for a while."""

    people: int
    recent: int
    now: datetime
    password_hash: str

    def __post_init__(self) -> None:
        assert math.gcd(self.people, _STEP) == 1

    async def fill(self, connection: Any, table: str) -> None:
        """Fill an empty table, through a connection of asyncpg."""
        await connection.execute(self._spelt(_FUNCTIONS))
        await connection.execute(self._spelt(f"INSERT INTO {table} {ROWS[table]}"))

    def _spelt(self, statements: str) -> str:
        return statements.format(
            people=self.people,
            recent=self.recent,
            now=f"timestamptz '{self.now.isoformat()}'",
            password_hash=f"'{self.password_hash}'",
            everybody=f"generate_series(1, {self.people}::bigint) nth",
            lately=f"generate_series(1, {self.recent}::bigint) nth",
            step=_STEP,
            answering=ANSWERING,
            browser=_BROWSER,
        )


def name_of(nth: int) -> str:
    """The username of the nth person, who joined after the one before."""
    return "p" + hashlib.md5(f"person {nth}".encode(), usedforsecurity=False).hexdigest()[:15]


def address_of(nth: int) -> str:
    return f"{name_of(nth)}@example.org"


def key_of(nth: int) -> SessionKey:
    """The key of the nth session."""
    return SessionKey(hashlib.sha256(f"session {nth}".encode()).digest())
