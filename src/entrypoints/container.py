"""The composition root: the one place that chooses adapters."""

import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

from dependency_injector.containers import DeclarativeContainer
from dependency_injector.providers import Callable as Call
from dependency_injector.providers import Dependency, Dict, Object, Singleton
from sqlalchemy.ext.asyncio import AsyncEngine

from adapters.argon2.password_hasher import Argon2Cost, Argon2PasswordHasher, cores
from adapters.crypto.cookies import AesGcmCookieSeal
from adapters.crypto.links import Links
from adapters.crypto.secret_keys import derive
from adapters.crypto.tokens import HmacTokenSigner
from adapters.files.breached_passwords import FileBreachedPasswords, NoBreachedPasswords
from adapters.files.mailbox import FileMailbox
from adapters.files.mailer import FileMailer
from adapters.memory.gauges import NoGauges
from adapters.memory.publisher import MemoryPublisher
from adapters.memory.rate_limiter import MemoryRateLimiter, NoRateLimiter
from adapters.memory.session_cache import MemorySessionCache, NoSessionCache
from adapters.memory.signal import MemorySignal
from adapters.memory.turns import MemoryTurns
from adapters.memory.usernames import MemoryUsernames
from adapters.mime.compose import Composer
from adapters.sql.engine import open_engine
from adapters.sql.unit_of_work import SqlBegin, SqlRead, Wakers
from adapters.system.clock import SystemClock
from adapters.system.randomness import RandomSessionKeys, Uuid7Ids
from adapters.zxcvbn.password_strength import ZxcvbnPasswordStrength
from application.accounts.change_email import ChangeEmail
from application.accounts.check_username import CheckUsername
from application.accounts.claim_invite_and_create_user import ClaimInviteAndCreateUser
from application.accounts.confirm_account import ConfirmAccount
from application.accounts.confirm_email_change import ConfirmEmailChange
from application.accounts.delete_user import DeleteUser
from application.accounts.resend_confirmation import ResendConfirmation
from application.accounts.undo_email_change import UndoEmailChange
from application.delivery.consumer import Consumer
from application.delivery.deliver_mails import DeliverMails
from application.delivery.list_mails import ListMails
from application.delivery.queue_mail import CONSUMER, EVENTS, QueueMail
from application.delivery.relay_outbox import RelayOutbox
from application.delivery.retry_mails import RetryMails
from application.delivery.take_over import TakeOver
from application.delivery.watch_outbox import WatchOutbox
from application.fresh_password import FreshPassword
from application.housekeeping import KeepHouse
from application.invites.issue_invite import IssueInvite
from application.invites.list_invites import ListInvites
from application.invites.offer_first_invite import OfferFirstInvite
from application.invites.revoke_invite import RevokeInvite
from application.invites.verify_invite import VerifyInvite
from application.password_check import PasswordCheck
from application.passwords.change_password import ChangePassword
from application.passwords.request_password_reset import RequestPasswordReset
from application.passwords.reset_password import ResetPassword
from application.ports import (
    BreachedPasswords,
    Gauges,
    Mailer,
    PasswordHasher,
    PasswordStrength,
    Publisher,
    RateLimiter,
    SessionCache,
    Usernames,
)
from application.sessions.authenticate import Authenticate
from application.sessions.bury_ended_sessions import BuryEndedSessions
from application.sessions.end_other_sessions import EndOtherSessions
from application.sessions.end_session import EndSession
from application.sessions.list_sessions import ListSessions
from application.sessions.log_in import LogIn
from application.sessions.log_out import LogOut
from domain.events import SessionsEnded
from domain.password import PasswordPolicy
from domain.session import SessionLife
from entrypoints.settings import Settings

if TYPE_CHECKING:
    from adapters.redis.breaker import Breaker


class Container(DeclarativeContainer):
    """What is built of what. Everything is made when it is first asked for, once; `opened` gives it its clients."""

    settings = Dependency(instance_of=Settings)
    engine: Dependency[AsyncEngine] = Dependency()
    hasher: Dependency[PasswordHasher] = Dependency()
    strength: Dependency[PasswordStrength] = Dependency()
    breached: Dependency[BreachedPasswords] = Dependency()
    session_cache: Dependency[SessionCache] = Dependency()
    rate_limiter: Dependency[RateLimiter] = Dependency()
    usernames: Dependency[Usernames] = Dependency()
    publisher: Dependency[Publisher] = Dependency()
    mailer: Dependency[Mailer] = Dependency()
    gauges: Dependency[Gauges] = Dependency()

    clock = Singleton(SystemClock)
    ids = Singleton(Uuid7Ids)
    chance = Object(random.random)
    outbox_signal = Singleton(MemorySignal)
    mails_signal = Singleton(MemorySignal)
    log_outs_signal = Singleton(MemorySignal)
    unfinished_log_outs: Singleton[set[bytes]] = Singleton(set)
    keys = Singleton(RandomSessionKeys)

    signer = Singleton(HmacTokenSigner, settings.provided.secret_keys)
    seal = Singleton(AesGcmCookieSeal, settings.provided.secret_keys)
    links = Singleton(Links, settings.provided.public_url, signer)
    composer = Singleton(
        Composer,
        links=links,
        sender=settings.provided.mail_from,
        brand=settings.provided.brand,
        contact=settings.provided.contact_url,
        reply_to=settings.provided.mail_reply_to,
    )
    mailbox = Singleton(FileMailbox, settings.provided.mail_folder)
    password_policy = Singleton(PasswordPolicy, settings.provided.password_min_length)
    password_check = Singleton(PasswordCheck, strength=strength, breached=breached, brand=settings.provided.brand)
    session_life = Singleton(
        SessionLife,
        absolute=Call(timedelta, days=settings.provided.session_days),
        idle=Call(timedelta, days=settings.provided.session_idle_days),
    )

    wakers = Singleton(Wakers, outbox=outbox_signal, mails=mails_signal)
    begin = Singleton(SqlBegin, engine, ids, wakers)
    read = Singleton(SqlRead, engine, ids, wakers)

    verify_invite = Singleton(VerifyInvite, read=read, signer=signer, clock=clock, limiter=rate_limiter)
    issue_invite = Singleton(
        IssueInvite, begin=begin, clock=clock, ids=ids, quota=settings.provided.invites_per_user, limiter=rate_limiter
    )
    list_invites = Singleton(ListInvites, read=read)
    revoke_invite = Singleton(RevokeInvite, begin=begin, clock=clock)
    offer_first_invite = Singleton(OfferFirstInvite, begin=begin, clock=clock, ids=ids)
    claim_invite_and_create_user = Singleton(
        ClaimInviteAndCreateUser,
        begin=begin,
        read=read,
        signer=signer,
        check=password_check,
        hasher=hasher,
        clock=clock,
        ids=ids,
        limiter=rate_limiter,
        turns=Singleton(MemoryTurns, cores()),
        usernames=usernames,
    )
    check_username = Singleton(CheckUsername, read=read, usernames=usernames, clock=clock, limiter=rate_limiter)
    confirm_account = Singleton(ConfirmAccount, begin=begin, signer=signer, clock=clock, limiter=rate_limiter)
    resend_confirmation = Singleton(ResendConfirmation, begin=begin, clock=clock, limiter=rate_limiter)
    fresh_password = Singleton(FreshPassword, read=read, hasher=hasher, limiter=rate_limiter)
    change_email = Singleton(ChangeEmail, begin=begin, fresh_password=fresh_password, clock=clock, ids=ids)
    confirm_email_change = Singleton(
        ConfirmEmailChange, begin=begin, cache=session_cache, signer=signer, clock=clock, ids=ids, limiter=rate_limiter
    )
    undo_email_change = Singleton(
        UndoEmailChange, begin=begin, cache=session_cache, signer=signer, clock=clock, ids=ids, limiter=rate_limiter
    )
    delete_user = Singleton(
        DeleteUser,
        begin=begin,
        read=read,
        fresh_password=fresh_password,
        cache=session_cache,
        clock=clock,
        ids=ids,
    )
    request_password_reset = Singleton(RequestPasswordReset, begin=begin, clock=clock, limiter=rate_limiter)
    reset_password = Singleton(
        ResetPassword,
        begin=begin,
        read=read,
        check=password_check,
        hasher=hasher,
        cache=session_cache,
        signer=signer,
        clock=clock,
        limiter=rate_limiter,
        turns=Singleton(MemoryTurns, cores()),
    )
    change_password = Singleton(
        ChangePassword,
        begin=begin,
        fresh_password=fresh_password,
        check=password_check,
        hasher=hasher,
        keys=keys,
        ids=ids,
        clock=clock,
        cache=session_cache,
        life=session_life,
    )
    log_in = Singleton(
        LogIn,
        begin=begin,
        read=read,
        hasher=hasher,
        keys=keys,
        ids=ids,
        clock=clock,
        cache=session_cache,
        limiter=rate_limiter,
        life=session_life,
    )
    authenticate = Singleton(
        Authenticate,
        read=read,
        cache=session_cache,
        clock=clock,
        life=session_life,
        unfinished=unfinished_log_outs,
    )
    log_out = Singleton(LogOut, begin=begin, cache=session_cache, clock=clock, unfinished=unfinished_log_outs)
    list_sessions = Singleton(ListSessions, read=read, clock=clock)
    end_session = Singleton(EndSession, begin=begin, cache=session_cache, clock=clock)
    end_other_sessions = Singleton(EndOtherSessions, begin=begin, cache=session_cache, clock=clock)

    consumers = Dict(
        {
            CONSUMER: Singleton(
                Consumer,
                types=EVENTS,
                handle=Singleton(QueueMail, begin=begin, clock=clock, ids=ids),
            ),
            "sessions": Singleton(
                Consumer,
                types=frozenset({SessionsEnded.type}),
                handle=Singleton(BuryEndedSessions, cache=session_cache),
            ),
        }
    )
    relay_outbox = Singleton(RelayOutbox, begin=begin, publisher=publisher, clock=clock, chance=chance)
    watch_outbox = Singleton(WatchOutbox, read=read, clock=clock, gauges=gauges)
    list_mails = Singleton(ListMails, read=read)
    retry_mails = Singleton(RetryMails, begin=begin, clock=clock)
    keep_house = Singleton(KeepHouse, begin=begin, clock=clock)
    take_over = Singleton(TakeOver, begin=begin)
    deliver_mails = Singleton(DeliverMails, begin=begin, read=read, mailer=mailer, clock=clock, chance=chance)


@asynccontextmanager
async def opened(
    settings: Settings, *, announce: Callable[[str], None], swap: Mapping[str, object] | None = None
) -> AsyncIterator[Container]:
    """A container with the clients that the settings ask for; they are closed at the end.

    Nothing is connected yet: a server that is down delays no start. What only delivery uses is made when it is first
    asked for: a web process that has a worker beside it loads no client of RabbitMQ and SMTP.

    `announce` prints a line for each mail that is only a file. `swap` puts objects of your own in the place of any
    part, by its name above: `{"clock": my_clock}`.
    """
    swap = swap or {}
    async with AsyncExitStack() as stack:
        container = Container(settings=Object(settings))
        redis = _redis(settings, stack)
        parts: Mapping[str, Callable[[], object]] = {
            "engine": lambda: _engine(settings, stack),
            "hasher": lambda: _hasher(settings, stack),
            "strength": lambda: _strength(stack),
            "breached": lambda: _breached(settings),
            "session_cache": lambda: _session_cache(settings, redis, stack),
            "rate_limiter": lambda: _rate_limiter(settings, redis),
            "usernames": lambda: _usernames(redis),
        }
        for_delivery: Mapping[str, Callable[[], object]] = {
            "mailer": lambda: _mailer(settings, container.composer(), announce, stack),
            "gauges": lambda: _gauges(settings),
            "publisher": lambda: _publisher(settings, container.consumers(), stack),
        }
        for name, part in swap.items():
            getattr(container, name).override(Object(part))
        for name, make in parts.items():
            if name not in swap:
                getattr(container, name).override(Object(make()))
        for name, make in for_delivery.items():
            if name not in swap:
                getattr(container, name).override(Singleton(make))
        yield container


def _engine(settings: Settings, stack: AsyncExitStack) -> AsyncEngine:
    engine = open_engine(settings.database_url)
    stack.push_async_callback(engine.dispose)
    return engine


def _hasher(settings: Settings, stack: AsyncExitStack) -> PasswordHasher:
    hasher = Argon2PasswordHasher(Argon2Cost(settings.argon2_time, settings.argon2_memory_kib))
    stack.callback(hasher.close)
    return hasher


def _redis(settings: Settings, stack: AsyncExitStack) -> "Breaker | None":
    """The one breaker of this process, for all that lean on Redis."""
    if not settings.redis_url:
        return None
    from adapters.redis.breaker import Breaker
    from adapters.redis.client import open_redis

    redis = open_redis(settings.redis_url)
    stack.push_async_callback(redis.aclose)
    return Breaker(redis)


def _strength(stack: AsyncExitStack) -> PasswordStrength:
    strength = ZxcvbnPasswordStrength()
    stack.callback(strength.close)
    return strength


def _breached(settings: Settings) -> BreachedPasswords:
    if settings.breached_passwords:
        return FileBreachedPasswords(settings.breached_passwords)
    return NoBreachedPasswords()


def _session_cache(settings: Settings, redis: "Breaker | None", stack: AsyncExitStack) -> SessionCache:
    """Redis where there is one. Else in process, if this is the only one: replicas would not hear of ended sessions."""
    if redis:
        from adapters.redis.copies import Copies
        from adapters.redis.session_cache import PREFIX, RedisSessionCache

        copies = Copies(redis.client, PREFIX)
        stack.callback(copies.close)
        return RedisSessionCache(redis, copies)
    return MemorySessionCache() if settings.is_embedded else NoSessionCache()


def _rate_limiter(settings: Settings, redis: "Breaker | None") -> RateLimiter:
    """Redis where there is one, with a limiter in process for when it is away. Else each process counts for itself."""
    if not settings.rate_limits:
        return NoRateLimiter()
    if redis:
        from adapters.redis.fallback_rate_limiter import FallbackRateLimiter
        from adapters.redis.rate_limiter import RedisRateLimiter

        secret = derive(settings.secret_keys, "rate limits v1")[0].secret
        return FallbackRateLimiter(RedisRateLimiter(redis, secret), MemoryRateLimiter())
    return MemoryRateLimiter()


def _usernames(redis: "Breaker | None") -> Usernames:
    """Redis where there is one; else, and while it is away, in process: the record decides in any case."""
    if redis:
        from adapters.redis.fallback_usernames import FallbackUsernames
        from adapters.redis.usernames import RedisUsernames

        return FallbackUsernames(RedisUsernames(redis), MemoryUsernames())
    return MemoryUsernames()


def _mailer(settings: Settings, composer: Composer, announce: Callable[[str], None], stack: AsyncExitStack) -> Mailer:
    if settings.smtp_url:
        from adapters.smtp.mailer import SmtpMailer, SmtpServer

        mailer = SmtpMailer(SmtpServer.parse(settings.smtp_url), composer)
        stack.push_async_callback(mailer.close)
        return mailer
    return FileMailer(settings.mail_folder, composer, announce)


def _gauges(settings: Settings) -> Gauges:
    if settings.metrics_port:
        from adapters.prometheus.gauges import PrometheusGauges

        return PrometheusGauges()
    return NoGauges()


def _publisher(settings: Settings, consumers: Mapping[str, Consumer], stack: AsyncExitStack) -> Publisher:
    if settings.rabbitmq_url:
        from adapters.rabbitmq.publisher import RabbitPublisher

        publisher = RabbitPublisher(settings.rabbitmq_url, consumers)
        stack.push_async_callback(publisher.close)
        return publisher
    return MemoryPublisher(consumers)
