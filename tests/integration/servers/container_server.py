"""Servers in containers, through testcontainers."""

import secrets
import sys
from dataclasses import dataclass, field
from pathlib import Path

from testcontainers.core.config import testcontainers_config
from testcontainers.core.container import DockerContainer

from tests.integration.servers.failures import ServerDidNotStart
from tests.integration.servers.guard import Guard
from tests.integration.servers.images import ENGINE_ERRORS
from tests.integration.servers.probes import PORTS, wait_until_answers

REMOVE = Path(__file__).with_name("remove_container.py")
START_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Recipe:
    """How a public image is asked for a server that fits tests; `{password}` is one of its own."""

    url: str
    environment: dict[str, str] = field(default_factory=dict)
    command: tuple[str, ...] = ()


RECIPES = {
    "postgres": Recipe(
        "postgresql://bottomline:{password}@{address}/postgres",
        {"POSTGRES_USER": "bottomline", "POSTGRES_PASSWORD": "{password}", "POSTGRES_DB": "postgres"},
        ("postgres", "-c", "shared_buffers=32MB", "-c", "max_connections=200"),
    ),
    "redis": Recipe("redis://{address}/0", {}, ("redis-server", "--save", "", "--appendonly", "no")),
    "rabbitmq": Recipe(
        "amqp://bottomline:{password}@{address}/",
        {"RABBITMQ_DEFAULT_USER": "bottomline", "RABBITMQ_DEFAULT_PASS": "{password}"},
    ),
}


class ContainerServer:
    """A server in a container that its guard removes when this process ends, however it ends.

    So testcontainers' own reaper (Ryuk, one more image to pull) is not needed.
    """

    source = "docker"

    def __init__(self, name: str, image: str) -> None:
        testcontainers_config.ryuk_disabled = True
        self.name = name
        self._password = secrets.token_hex(16)
        self._guard = Guard(name)
        self._container = DockerContainer(image, name=self._guard.folder.name)
        self._client = self._container.get_docker_client()

    @property
    def url(self) -> str:
        port = self._client.port(self._container.get_container_id(), PORTS[self.name])
        address = f"{self._host or self._client.host()}:{port}"
        return RECIPES[self.name].url.format(password=self._password, address=address)

    @property
    def _host(self) -> str | None:
        """Loopback for an engine on this machine; None for one reached over the network."""
        return "127.0.0.1" if self._client.client.api.base_url.startswith("http+docker://local") else None

    def start(self) -> None:
        """Return as soon as a real question is answered."""
        recipe = RECIPES[self.name]
        for key, value in recipe.environment.items():
            self._container.with_env(key, value.format(password=self._password))
        self._container.with_command(list(recipe.command))
        self._container.ports[str(PORTS[self.name])] = (self._host, None) if self._host else None  # type: ignore[assignment] # docker-py's own form
        self._guard.promise([sys.executable, str(REMOVE), self._guard.folder.name])
        try:
            self._container.start()
            wait_until_answers(self.name, self.url, seconds=START_SECONDS, check=self._check_runs)
        except (*ENGINE_ERRORS, TimeoutError) as error:
            raise self._failure(str(error)) from error

    def close(self) -> None:
        """Remove the container with its data. May be called twice, and while another thread waits in `start`."""
        self._guard.close()
        self._client.client.close()

    def _check_runs(self) -> None:
        self._container.reload()
        if self._container.status != "running":
            raise self._failure(f"the container is {self._container.status}")

    def _failure(self, what: str) -> ServerDidNotStart:
        try:
            log = b"".join(self._container.get_logs()).decode(errors="replace")
        except Exception as error:  # noqa: BLE001 - the first failure is the one to tell
            log = f"(no log: {error})"
        return ServerDidNotStart(self.name, what, log)
