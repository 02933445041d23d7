"""What was promised, held against the record, the broker and the mail server once all is quiet."""

import statistics
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import asyncpg

from application.sessions.log_out import PATIENCE
from tests.integration.faults.campaign.people import Answer, Person
from tests.integration.faults.campaign.sink import KillableSink, Taken
from tests.integration.faults.campaign.storm import Storm
from tests.integration.servers.local_rabbitmq import LocalRabbitMQ

IN_TIME = 3.0
RECOVERED = 30.0
AROUND = 10.0
"""Seconds after a log-out whose record was away within which its process and Redis may take the last trace of it."""
EXPECTED: Mapping[str, set[int]] = {
    "/api/users": {202, 404, 503},
    "/api/confirm_account": {200, 404, 503},
    "/api/login": {200, 503},
    "/api/logout": {200},
    "/api/user": {204, 401, 503},
    "/api/session": {200, 401, 503},
}
"""By path. 404 and 401 only where a rival was first, or an earlier try did it and its answer was lost."""
UNSETTLED = """
SELECT (SELECT count(*) FROM outbox WHERE published_at IS NULL),
       (SELECT count(*) FROM mails WHERE state IN ('queued', 'sending'))
"""


@dataclass(frozen=True)
class Figure:
    """A line of the table. `found` is what there is of it where there should be none."""

    what: str
    figure: str
    goal: str = "-"
    found: Sequence[object] = ()
    is_met: bool = True


@dataclass(frozen=True)
class Record:
    """What the database says."""

    accounts: Counter[tuple[str, str]]
    """By invite and address."""
    claims: Mapping[str, int]
    """By invite."""

    @classmethod
    async def read(cls, url: str) -> "Record":
        connection = await asyncpg.connect(url)
        try:
            users = await connection.fetch("SELECT invite_id, email_key FROM users")
            invites = await connection.fetch("SELECT id, claims FROM invites")
        finally:
            await connection.close()
        accounts = Counter((str(row["invite_id"]), row["email_key"]) for row in users)
        return cls(accounts, {str(row["id"]): row["claims"] for row in invites})


async def unsettled(postgres: str) -> Mapping[str, int]:
    """What still waits in the record, by where it does."""
    connection = await asyncpg.connect(postgres)
    try:
        events, mails = await connection.fetchrow(UNSETTLED)
    finally:
        await connection.close()
    return {"outbox": events, "mails": mails}


def depths(rabbitmq: LocalRabbitMQ) -> Mapping[str, int]:
    """How many messages each queue has, those in somebody's hand too."""
    lines = rabbitmq.control("list_queues", "name", "messages").splitlines()
    return {name: int(number) for name, number in map(str.split, lines) if name.startswith("bottomline.")}


def none(what: str, found: Sequence[object]) -> Figure:
    """A line that should say 0."""
    return Figure(what, f"{len(found):,}", "0", found, not found)


def verdict(
    people: Sequence[Person], record: Record, sink: KillableSink, storm: Storm, sessions: Mapping[int, int]
) -> Iterator[Figure]:
    """The table, but for what still waits. `sessions` says what a check of each person's session is answered."""
    answered = [person for person in people if person.signed_up_at]
    answers = [answer for person in people for answer in person.answers]
    kept = [person for person in answered if not person.is_deleted]
    yield Figure("sign-ups", f"{len(people):,}, of which {len(answered):,} answered 202")
    yield from _storm(storm)
    yield none("accounts lost", [person for person in kept if not record.accounts[person.invite_id, person.email]])
    yield none("mails missing once quiet", [person for person in answered if not sink.by_address[person.email]])
    yield none("people who gave up after two minutes", [person for person in people if person.has_given_up])
    yield none("people with too many mails", list(_too_often(people, sink)))
    yield none("invites with other than one winner", list(_odd_invites(people, record)))
    yield none("accounts of one invite and address beyond one", [key for key, n in record.accounts.items() if n > 1])
    refused = [person for person in people if person.is_refused or person.is_deleted]
    yield none("accounts of the refused and the deleted", [p for p in refused if record.accounts[p.invite_id, p.email]])
    yield from _sessions(people, sessions, storm)
    yield from _duplicates(sink, storm)
    yield none("answers over 3 s, or never", [answer for answer in answers if answer.seconds > IN_TIME])
    yield none("answers of 500", [answer for answer in answers if answer.status == 500])
    yield none("answers that nobody expects", [answer for answer in answers if _is_odd(answer)])
    yield from _recovery(people, sink, storm)


def _storm(storm: Storm) -> Iterator[Figure]:
    kills = {key: n for key, n in storm.done.items() if key.startswith("kill")}
    others = Counter[str]()
    for key, n in storm.done.items():
        others[
            key.split(maxsplit=1)[0] if key.startswith(("freeze", "reset", "latency")) else key.rsplit(" ", 1)[0]
        ] += n
    told = ", ".join(f"{key.removeprefix('kill ')} {n}" for key, n in sorted(kills.items()))
    yield Figure("kills", f"{sum(kills.values()):,} ({told})")
    lies = {name: len(line.swallowed) for name, line in storm.lines.items() if line.swallowed}
    told = ", ".join(f"{name} {n}" for name, n in lies.items())
    yield Figure("answers swallowed", f"{sum(lies.values()):,} ({told})")
    told = ", ".join(f"{kind} {others[kind]}" for kind in ("freeze", "reset", "black hole", "latency"))
    yield Figure("other faults", told)


def _odd_invites(people: Sequence[Person], record: Record) -> Iterator[tuple[str, int, int]]:
    winners: Counter[str] = Counter({person.invite_id: 0 for person in people})
    winners.update(person.invite_id for person in people if person.signed_up_at)
    for invite, number in winners.items():
        if (number, claims := record.claims.get(invite, 0)) != (1, 1):
            yield invite, number, claims


def _too_often(people: Sequence[Person], sink: KillableSink) -> Iterator[Person]:
    """Whoever was sent more than the confirmation, and the farewell; copies of one mail count once."""
    for person in people:
        if len({mail.id for mail in sink.by_address[person.email]}) > 1 + person.is_deleted:
            yield person


def _sessions(people: Sequence[Person], sessions: Mapping[int, int], storm: Storm) -> Iterator[Figure]:
    ended = [person for person in people if person.cookie and (person.is_logged_out or person.is_deleted)]
    live = [person for person in people if person.cookie and person not in ended]
    yield Figure("sessions begun, and ended again", f"{len(live) + len(ended):,}, {len(ended):,}")
    undead = [person for person in ended if sessions[person.number] != 401]
    forgotten = [person for person in undead if person.is_logged_out and _all_went(person, storm)]
    few = max(1, len(ended) // 100)
    yield Figure(
        "log-outs lost with database, Redis and process at once (decision 9)",
        f"{len(forgotten):,}",
        f"at most {few}",
        forgotten,
        len(forgotten) <= few,
    )
    yield none("ended sessions that live", [person for person in undead if person not in forgotten])
    yield none("live sessions that are lost", [person for person in live if sessions[person.number] != 200])


def _all_went(person: Person, storm: Storm) -> bool:
    """Whether a log-out could be recorded nowhere: the one loss that is known and accepted."""
    log_out = next(answer for answer in reversed(person.answers) if answer.path == "/api/logout")
    since, until = log_out.at - 1, log_out.at + log_out.seconds + AROUND
    hits = (_is_hit(storm, since, until, target) for target in (log_out.by, "redis"))
    return log_out.seconds >= PATIENCE and all(hits)


def _duplicates(sink: KillableSink, storm: Storm) -> Iterator[Figure]:
    copies: defaultdict[str, list[Taken]] = defaultdict(list)
    for mail in sink.taken:
        copies[mail.id].append(mail)
    twice = [mails for mails in copies.values() if len(mails) > 1]
    swallowed = b"".join(storm.lines["smtp"].swallowed)
    why = Counter(_why(mails[0], swallowed, storm) for mails in twice)
    yield Figure(
        "mails sent twice",
        f"{len(twice):,}: answer to DATA lost {why['answer']}, our note of it lost {why['note']}",
    )
    others = [mails for mails in twice if _why(mails[0], swallowed, storm) == "neither"]
    yield none("mails sent twice for another reason", others)


def _why(first: Taken, swallowed: bytes, storm: Storm) -> str:
    """What kept us from knowing, or noting, that the first copy was taken."""
    if first.id.encode() in swallowed or _is_hit(storm, first.at - 1, first.at + 1, "smtp", "worker 0", "worker 1"):
        return "answer"
    if _is_hit(storm, first.at - 1, first.at + 1, "workers_database", "postgres"):
        return "note"
    return "neither"


def _is_hit(storm: Storm, since: float, until: float, *targets: str) -> bool:
    return any(target in targets and begun < until and ended > since for target, begun, ended in storm.troubles)


def _is_odd(answer: Answer) -> bool:
    return answer.status is not None and answer.status not in EXPECTED[answer.path]


def _recovery(people: Sequence[Person], sink: KillableSink, storm: Storm) -> Iterator[Figure]:
    """From when a killed server or process runs again until somebody who has come since has their mail."""
    served = sorted(
        (person.began_at, sink.by_address[person.email][0].at)
        for person in people
        if person.signed_up_at and sink.by_address[person.email]
    )
    times = []
    for _, back in storm.back_at:
        later = [mailed - back for began, mailed in served if began >= back]
        if later:
            times.append(min(later))
    if len(times) > 1:
        p99 = statistics.quantiles(times, n=100, method="inclusive")[98]
        yield Figure(
            "recovery after a kill, p50 and p99",
            f"{statistics.median(times):.1f} s, {p99:.1f} s",
            f"at most {RECOVERED:.0f} s",
            is_met=p99 <= RECOVERED,
        )
