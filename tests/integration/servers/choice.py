"""Which way each server comes from: given URLs, then Docker, then the programs on this machine."""

from collections.abc import Callable, Mapping
from typing import Protocol

from tests.integration.servers import images
from tests.integration.servers.container_server import ContainerServer
from tests.integration.servers.failures import ServersMissing
from tests.integration.servers.local_postgres import LocalPostgres
from tests.integration.servers.local_rabbitmq import LocalRabbitMQ
from tests.integration.servers.local_redis import LocalRedis
from tests.integration.servers.probes import wait_until_answers
from tests.integration.servers.programs import require, variable

LOCAL: Mapping[str, Callable[[], "Server"]] = {
    "postgres": LocalPostgres,
    "redis": LocalRedis,
    "rabbitmq": LocalRabbitMQ,
}
FORCE = "BOTTOMLINE_TEST_SERVERS"
GIVEN_SECONDS = 10


class Server(Protocol):
    """A server that is ours for a while, wherever it comes from."""

    @property
    def url(self) -> str: ...
    @property
    def source(self) -> str: ...
    def start(self) -> None: ...
    def close(self) -> None: ...


class GivenServer:
    """A server that somebody else runs; the tests only make sure that it answers."""

    source = "environment"

    def __init__(self, name: str, url: str) -> None:
        self.name, self.url = name, url

    def start(self) -> None:
        try:
            wait_until_answers(self.name, self.url, seconds=GIVEN_SECONDS)
        except TimeoutError as error:
            raise ServersMissing(f"{variable(self.name)} is set, but {error}") from error

    def close(self) -> None:
        """Leave it as it is."""


def choose(environ: Mapping[str, str]) -> dict[str, Server]:
    """Return the three servers, not started. A given URL stands; `BOTTOMLINE_TEST_SERVERS` rules the others.

    Raises `ServersMissing`, with a line that says what to do, when a server, or the forced way, is not to be had.
    """
    forced = environ.get(FORCE, "")
    if forced not in {"", "docker", "local"}:
        raise ServersMissing(f"{FORCE} is {forced!r}: it can be docker or local")
    given = {name: url for name in LOCAL if (url := environ.get(variable(name)))}
    wanted = [name for name in LOCAL if name not in given]
    found, why_not = ({}, "") if forced == "local" or not wanted else images.obtain(wanted)
    rest = [name for name in wanted if name not in found]
    if forced == "docker" and rest:
        raise ServersMissing(f"{FORCE} is docker, but {why_not}")
    require(rest, why_not or f"{FORCE} is local")
    return {
        **{name: GivenServer(name, url) for name, url in given.items()},
        **{name: ContainerServer(name, image) for name, image in found.items()},
        **{name: LOCAL[name]() for name in rest},
    }
