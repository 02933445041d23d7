"""The web process."""

import asyncio
import errno
import fcntl
import gc
import logging
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

from entrypoints.console import announce
from entrypoints.faults import CannotStart
from entrypoints.http.app import create_app, routed, surrounded
from entrypoints.logs import log_to_stderr
from entrypoints.settings import Settings, read_settings

log = logging.getLogger(__name__)
STOP_WITHIN = 5
"""Seconds that requests and deliveries under way have when the process is asked to stop; an answer takes three."""
BACKLOG = 1024
CONNECTIONS = 10_000
"""Connections that may be open at a time: idle ones cost little, and must not keep others out."""
IDLE_AT_MOST = 75_000
"""Milliseconds that a connection may wait for a request's headers, a kept one for its next request.

Longer than reverse proxies keep theirs, most of them for 60 s: else one now and then sends a request on a connection
that is being closed, and answers its client 502.
"""


async def serve_here(settings: Settings) -> None:
    """Serve in this process until it is asked to stop (SIGTERM, SIGINT). Raises CannotStart."""
    _check_port(settings)
    with _sole_owner(settings):
        routes = routed(settings, announce)
        server = Server(surrounded(routes, settings), interface=Interfaces.ASGINL, **_options(settings))
        server.workers_kill_timeout = STOP_WITHIN
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, server.stop)
        try:
            async with routes.lifespan():
                _collect_seldom()
                announce(f"Bottomline on {settings.public_url} - Ctrl-C stops it.")
                if settings.has_mailbox:
                    announce(f"Mails: {settings.public_url}/mailbox")
                await _until_stopped(server)
        except ExceptionGroup as group:
            raise group.exceptions[0] from None


async def _until_stopped(server: Server) -> None:
    try:
        await server.serve()
    except TimeoutError:
        log.warning("stopped, though a client had not sent its request to the end")


def serve_with_workers(settings: Settings) -> None:
    """Serve with several processes; one that dies is replaced. Raises CannotStart."""
    from granian import Granian

    _check_port(settings)
    announce(f"Bottomline on {settings.public_url} with {settings.workers} processes - Ctrl-C stops it.")
    Granian(
        "entrypoints.serving:app_from_environment",
        factory=True,
        interface=Interfaces.ASGI,
        workers=settings.workers,
        workers_kill_timeout=STOP_WITHIN,
        respawn_failed_workers=True,
        **_options(settings),
    ).serve()


def _options(settings: Settings) -> dict[str, Any]:
    """What both kinds of server are told alike."""
    return {
        "address": settings.host,
        "port": settings.port,
        "backlog": BACKLOG,
        "backpressure": CONNECTIONS,
        "http": HTTPModes.http1,
        "http1_settings": HTTP1Settings(header_read_timeout=IDLE_AT_MOST),
        "log_enabled": False,
        "websockets": False,
    }


def _collect_seldom() -> None:
    """Garbage is looked for a thirtieth as often, and not in what the start has loaded.

    What requests leave in cycles is little; to look for it after every 700 new objects took a tenth of the time of
    session checks, and now and then far longer, which their p99 showed.
    """
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


def app_from_environment() -> object:
    """The application of one of several processes."""
    _collect_seldom()
    settings = read_settings(os.environ)
    log_to_stderr(settings.log_format)
    return create_app(settings, announce)


def _check_port(settings: Settings) -> None:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            place = f"{settings.host}:{settings.port}"
            is_port = error.errno in {errno.EADDRINUSE, errno.EACCES}
            advice = f"Try BOTTOMLINE_PORT={settings.port + 1}" if is_port else "See to BOTTOMLINE_HOST"
            raise CannotStart(f"Cannot listen on {place}: {error.strerror}. {advice}.") from error


@contextmanager
def _sole_owner(settings: Settings) -> Iterator[None]:
    """Keep a second process off the same file: each would cache sessions that the other ends."""
    if not settings.is_embedded:
        yield
        return
    record = Path(settings.database_url.removeprefix("sqlite:///"))
    with ExitStack() as held:
        try:
            record.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            lock = held.enter_context(record.with_name(f"{record.name}.lock").open("w"))
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CannotStart(f"Another Bottomline is using {record}.") from error
        except OSError as error:
            raise CannotStart(f"Cannot keep {record}: {error.strerror}.") from error
        yield
