"""Real Postgres, Redis and RabbitMQ for the integration tests, from wherever this machine can have them."""

import os
from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass

from tests.integration.servers.choice import Server, choose
from tests.integration.servers.failures import ServerDidNotStart, ServersMissing

__all__ = ["ServerDidNotStart", "Servers", "ServersMissing", "running"]


@dataclass(frozen=True, slots=True)
class Servers:
    """The URLs of three servers that answer. The Postgres role may create databases."""

    postgres: str
    redis: str
    rabbitmq: str
    source: str
    """Where they come from: "environment", "docker", "local processes", or which comes from where."""


@contextmanager
def running() -> Iterator[Servers]:
    """Yield servers that answer; end those that were started, at the latest when this process ends.

    Raises `ServersMissing` (one line: what is lacking) or `ServerDidNotStart` (with the end of its log).
    """
    chosen = choose(os.environ)
    try:
        _start(chosen.values())
        urls = {name: server.url for name, server in chosen.items()}
        yield Servers(**urls, source=_source(chosen))
    finally:
        _close(chosen.values())


def _start(servers: Collection[Server]) -> None:
    with ThreadPoolExecutor(len(servers)) as threads:
        try:
            for start in as_completed([threads.submit(server.start) for server in servers]):
                start.result()
        except BaseException:
            _close(servers)  # those that still start give up, so that nobody waits for them
            raise


def _close(servers: Collection[Server]) -> None:
    with ThreadPoolExecutor(len(servers)) as threads:
        for close in as_completed([threads.submit(server.close) for server in servers]):
            close.result()


def _source(servers: dict[str, Server]) -> str:
    sources = {name: server.source for name, server in servers.items()}
    if len(set(sources.values())) == 1:
        return sources.popitem()[1]
    return ", ".join(f"{name}: {source}" for name, source in sources.items())
