"""The doctor's rounds."""

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from time import perf_counter
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from application.ports import Unavailable
from entrypoints.faults import cause_of
from entrypoints.settings import LOCAL_HOSTS, Settings

if TYPE_CHECKING:
    from redis.asyncio import Redis

PATIENCE = 5.0
"""Seconds that a server has to answer."""
OWASP_MINIMUM = {1: 47_104, 2: 19_456, 3: 12_288, 4: 9_216, 5: 7_168}
"""KiB of memory that so many passes need at least (OWASP Password Storage Cheat Sheet)."""
_BUILD_ARGON2 = (
    "Built for this processor, argon2 takes about half of that (a C compiler and Python's headers are needed):"
    " CFLAGS='-O3 -march=native' {python} -m pip install --force-reinstall --no-deps --no-cache-dir"
    " --no-binary :all: argon2-cffi-bindings=={version}"
)


@dataclass(frozen=True, slots=True)
class Finding:
    """What was found of one thing; `advice` says what to do where it is not well."""

    is_well: bool
    what: str
    advice: str = ""


async def check(settings: Settings, tell: Callable[[str], None]) -> bool:
    """Tell of every setting and server; whether all is well."""
    healthy = True
    async for finding in _findings(settings):
        healthy = healthy and finding.is_well
        tell(f"{'ok ' if finding.is_well else 'BAD'}  {finding.what}")
        if finding.advice:
            tell(f"     {finding.advice}")
    return healthy


async def _findings(settings: Settings) -> AsyncIterator[Finding]:
    yield Finding(is_well=True, what="settings: every one can be read")
    yield _public_url(settings)
    yield _limits(settings)
    for name, examine in {
        "database": _database,
        "Redis": _redis,
        "RabbitMQ": _rabbitmq,
        "mail": _mail,
        "password hashing": _hashing,
        "breached passwords": _breached,
    }.items():
        yield await _within(PATIENCE, name, examine(settings))


async def _within(seconds: float, name: str, examination: Awaitable[Finding]) -> Finding:
    try:
        return await asyncio.wait_for(examination, seconds)
    except TimeoutError:
        return Finding(
            is_well=False,
            what=f"{name}: no answer within {seconds:.0f} s",
            advice="Is it up, and is the address right?",
        )
    except Exception as fault:  # noqa: BLE001  whatever a client raises is what the operator should read
        cause = fault.__cause__ or fault
        return Finding(
            is_well=False, what=f"{name}: {cause!r}"[:300], advice="Is it up, and are address and password right?"
        )


def _public_url(settings: Settings) -> Finding:
    url = urlsplit(settings.public_url)
    if url.hostname in LOCAL_HOSTS and not settings.is_embedded:
        return Finding(
            is_well=True,
            what=f"public URL: {settings.public_url}",
            advice="Links in mails lead to this machine only. For other people set BOTTOMLINE_PUBLIC_URL.",
        )
    if not settings.has_secure_origin:
        return Finding(
            is_well=False,
            what=f"public URL: {settings.public_url} is not encrypted",
            advice="Anybody on the way can take over sessions. Put TLS in front and set BOTTOMLINE_PUBLIC_URL=https://….",
        )
    return Finding(is_well=True, what=f"public URL: {settings.public_url}")


def _limits(settings: Settings) -> Finding:
    if settings.rate_limits:
        return Finding(is_well=True, what="rate limits: on")
    return Finding(
        is_well=False,
        what="rate limits: off",
        advice="Anybody may guess passwords and invites as fast as they can. Unset BOTTOMLINE_RATE_LIMITS.",
    )


async def _database(settings: Settings) -> Finding:
    from adapters.sql.engine import open_engine
    from adapters.sql.migrate import revision
    from adapters.sql.migrations import HEAD

    engine = open_engine(settings.database_url)
    name = engine.url.render_as_string(hide_password=True)
    try:
        found = await revision(engine)
    except Unavailable as fault:
        return Finding(
            is_well=False,
            what=f"database: {name}: {cause_of(fault)}",
            advice="Is it up, does the database exist, and are address and password in BOTTOMLINE_DATABASE_URL right?",
        )
    finally:
        await engine.dispose()
    if found == HEAD or (found is None and settings.is_embedded):
        return Finding(is_well=True, what=f"database: {name}, schema {found or 'made at the first start'}")
    return Finding(
        is_well=False, what=f"database: {name}, schema {found}, needs {HEAD}", advice="Run: bottomline migrate"
    )


async def _redis(settings: Settings) -> Finding:
    if settings.redis_url is None:
        where = "in this process" if settings.is_embedded else "not at all: each check reads the database"
        return Finding(is_well=True, what=f"Redis: not set, sessions are cached {where}")
    from adapters.redis.client import open_redis

    redis = open_redis(settings.redis_url)
    try:
        await redis.ping()
        memory = await redis.info("memory")
        refusal = await _refusal_to_tell(redis)
    finally:
        with suppress(Exception):
            await redis.aclose()
    policy = memory.get("maxmemory_policy", "noeviction")
    if memory.get("maxmemory") and policy.startswith("allkeys"):
        return Finding(
            is_well=False,
            what=f"Redis: may drop any key (maxmemory-policy {policy})",
            advice="A dropped tombstone can make an ended session last up to a minute. Use volatile-ttl.",
        )
    if refusal:
        what = f"Redis: answers, but is asked at each session check, for it does not tell of changes ({refusal!r})"
        return Finding(is_well=True, what=what[:300])
    return Finding(is_well=True, what="Redis: answers, and tells of changes")


async def _refusal_to_tell(redis: "Redis") -> str:
    """Why session checks have to ask Redis each time; nothing where they do not."""
    from adapters.redis.session_cache import PREFIX
    from adapters.redis.tracking import Tracking

    tracking = Tracking(redis, PREFIX, lambda _: None)
    try:
        while not tracking.is_current() and not tracking.refusal:  # noqa: ASYNC110  nobody tells
            await asyncio.sleep(0.01)
        return tracking.refusal
    finally:
        tracking.close()


async def _rabbitmq(settings: Settings) -> Finding:
    if settings.rabbitmq_url is None:
        return Finding(is_well=True, what="RabbitMQ: not set, `bottomline serve` delivers by itself")
    from adapters.rabbitmq.connections import connected

    async with connected(settings.rabbitmq_url) as connection:
        await connection.channel()
    return Finding(is_well=True, what="RabbitMQ: answers")


async def _mail(settings: Settings) -> Finding:
    if settings.smtp_url is None:
        return Finding(is_well=True, what=f"mail: not set, mails are files in {settings.mail_folder}")
    from adapters.smtp.mailer import SmtpServer, connect

    async with connect(SmtpServer.parse(settings.smtp_url)):
        return Finding(is_well=True, what="mail: the SMTP server takes our log-in")


async def _hashing(settings: Settings) -> Finding:
    from adapters.argon2.build import published_for_any_processor
    from adapters.argon2.password_hasher import Argon2Cost, Argon2PasswordHasher
    from domain.password import Password

    hasher = Argon2PasswordHasher(Argon2Cost(settings.argon2_time, settings.argon2_memory_kib), threads=1)
    started = perf_counter()
    for _ in range(5):
        await hasher.hash(Password("a password to measure with"))
    hasher.close()
    milliseconds = (perf_counter() - started) / 5 * 1000
    weak = settings.argon2_memory_kib < OWASP_MINIMUM[min(settings.argon2_time, max(OWASP_MINIMUM))]
    what = f"password hashing: {milliseconds:.0f} ms a hash on one core"
    if weak:
        return Finding(
            is_well=False,
            what=what,
            advice="Below OWASP's minimum. Unset BOTTOMLINE_ARGON2_TIME and BOTTOMLINE_ARGON2_MEMORY_KIB.",
        )
    published = published_for_any_processor()
    advice = _BUILD_ARGON2.format(python=sys.executable, version=published) if published else ""
    return Finding(is_well=True, what=what, advice=advice)


async def _breached(settings: Settings) -> Finding:
    file = settings.breached_passwords
    if file is None:
        return Finding(is_well=True, what="breached passwords: no list, only guessable passwords are refused")
    from adapters.files.breached_passwords import BreachedPasswordsFileDamaged, examine

    try:
        size = examine(file)
    except OSError as fault:
        return Finding(
            is_well=False,
            what=f"breached passwords: {file}: {fault.strerror}",
            advice="Nobody can set a password. Correct or unset BOTTOMLINE_BREACHED_PASSWORDS.",
        )
    except BreachedPasswordsFileDamaged as fault:
        return Finding(
            is_well=False,
            what=f"breached passwords: {file}: {fault}",
            advice="Download the list ordered by hash again, with SHA-1 hashes.",
        )
    return Finding(is_well=True, what=f"breached passwords: {file}, {size:,} bytes")
