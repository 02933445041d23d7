"""The images that containers are made of: the same that docker-compose.yml names."""

import re
import socket
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

from docker.errors import DockerException, ImageNotFound  # type: ignore[import-untyped]
from requests.exceptions import RequestException
from testcontainers.core.docker_client import DockerClient, get_docker_host

ENGINE_ERRORS = (DockerException, RequestException, OSError)
COMPOSE_FILE = Path(__file__).parents[3] / "docker-compose.yml"
DEFAULTS = {"postgres": "postgres:17-alpine", "redis": "redis:8-alpine", "rabbitmq": "rabbitmq:4-management-alpine"}
SILENCE_SECONDS = 20  # what a registry may take to answer, or to send the next piece
PULL_SECONDS = 300


def named_images(compose: str) -> dict[str, str]:
    """Return each server's image: as this compose file's text has it, else the default."""
    images, service = dict(DEFAULTS), ""
    for line in compose.splitlines():
        if head := re.match(r"(?:  )?([\w-]+):", line):
            service = head[1]
        elif (image := re.match(r"    image:\s*[\"']?([\w./:@-]+)", line)) and service in images:
            images[service] = image[1]
    return images


def obtain(names: Iterable[str]) -> tuple[dict[str, str], str]:
    """Return the images that the engine has or can pull, by server, and why the others (or all) are not to be had."""
    if not _engine_listens():
        return {}, "no Docker engine answers"
    try:
        client = DockerClient(timeout=SILENCE_SECONDS)  # asks the engine for its version
    except ENGINE_ERRORS as error:
        return {}, f"the Docker engine does not answer: {error}"
    try:
        wanted = named_images(COMPOSE_FILE.read_text() if COMPOSE_FILE.exists() else "")
        images = {name: wanted[name] for name in names}
        with ThreadPoolExecutor(len(wanted)) as threads:
            had = list(threads.map(lambda image: _has_or_pulls(client, image), images.values()))
    except ENGINE_ERRORS as error:
        return {}, f"the Docker engine fails: {error}"
    finally:
        client.client.close()
    lacking = [image for image, there in zip(images.values(), had, strict=True) if not there]
    found = {name: image for name, image in images.items() if image not in lacking}
    return found, f"Docker cannot get {', '.join(lacking)}" if lacking else ""


def _engine_listens() -> bool:
    """Knock at the engine's socket first: where nobody opens, docker-py would leave a socket unclosed."""
    kind, _, path = (get_docker_host() or "unix:///var/run/docker.sock").partition("://")
    if kind != "unix":
        return True
    with socket.socket(socket.AF_UNIX) as door:
        return door.connect_ex(path) == 0


def _has_or_pulls(client: DockerClient, image: str) -> bool:
    with suppress(ImageNotFound):
        return bool(client.client.images.get(image))
    sys.stderr.write(f"\nIntegration tests: Docker pulls {image}\n")
    deadline = time.monotonic() + PULL_SECONDS
    try:
        for event in client.client.api.pull(image, stream=True, decode=True):
            if "error" in event or time.monotonic() > deadline:
                return False
    except ENGINE_ERRORS:
        return False
    return True
