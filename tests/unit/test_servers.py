"""Where integration tests get their servers from, in which order, and what they say when they get none."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.integration.servers import ServersMissing, debian, images, programs
from tests.integration.servers.choice import choose
from tests.integration.servers.debian import standing_in
from tests.integration.servers.ports import LoopbackPort

GIVEN = {
    "BOTTOMLINE_TEST_POSTGRES_URL": "postgresql://given",
    "BOTTOMLINE_TEST_REDIS_URL": "redis://given",
    "BOTTOMLINE_TEST_RABBITMQ_URL": "amqp://given",
}


def sources(environ: dict[str, str]) -> dict[str, str]:
    """Return each server's source, and give back what choosing took."""
    chosen = choose(environ)
    for server in chosen.values():
        server.close()
    return {name: server.source for name, server in chosen.items()}


@pytest.fixture
def no_docker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "_engine_listens", lambda: False)


@pytest.fixture
def programs_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "find", lambda name: Path("/somewhere", name))


@pytest.fixture
def no_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "find", lambda _name: None)
    monkeypatch.setattr(debian, "can_install", lambda: False)


def test_given_urls_come_first() -> None:
    assert set(sources(GIVEN).values()) == {"environment"}


def test_without_docker_the_programs_here_are_used(no_docker: None, programs_at: None) -> None:
    assert set(sources({}).values()) == {"local processes"}


def test_each_server_has_its_own_way(no_docker: None, programs_at: None) -> None:
    one = {"BOTTOMLINE_TEST_REDIS_URL": "redis://given"}
    assert sources(one) == {"postgres": "local processes", "redis": "environment", "rabbitmq": "local processes"}


def test_what_is_missing_stands_in_one_line(no_docker: None, no_programs: None) -> None:
    with pytest.raises(ServersMissing) as raised:
        choose({"BOTTOMLINE_TEST_REDIS_URL": "redis://given"})
    assert str(raised.value) == (
        "Integration tests need Postgres, RabbitMQ: "
        "set BOTTOMLINE_TEST_POSTGRES_URL, BOTTOMLINE_TEST_RABBITMQ_URL, start Docker (no Docker engine answers), "
        "or install postgresql, rabbitmq-server"
    )


def test_nginx_can_only_be_installed(no_programs: None) -> None:
    with pytest.raises(ServersMissing) as raised:
        programs.require(["nginx"])
    assert str(raised.value) == "Integration tests need nginx: install nginx"


def test_docker_when_forced_is_never_replaced(no_docker: None, programs_at: None) -> None:
    with pytest.raises(ServersMissing, match="BOTTOMLINE_TEST_SERVERS is docker, but no Docker engine answers"):
        choose({"BOTTOMLINE_TEST_SERVERS": "docker"})


def test_an_unknown_way_is_refused() -> None:
    with pytest.raises(ServersMissing, match="it can be docker or local"):
        choose({"BOTTOMLINE_TEST_SERVERS": "cloud"})


def test_only_what_is_missing_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    installed = {"postgres"}

    def install(packages: Sequence[str]) -> str:
        assert packages == ["redis-server", "rabbitmq-server"]
        installed.update({"redis", "rabbitmq"})
        return ""

    monkeypatch.setattr(programs, "find", lambda name: Path("/somewhere") if name in installed else None)
    monkeypatch.setattr(debian, "can_install", lambda: True)
    monkeypatch.setattr(debian, "install", install)
    programs.require(["postgres", "redis", "rabbitmq"])


def test_images_are_those_of_the_compose_file() -> None:
    compose = """
services:
  web:
    image: bottomline
  postgres:
    environment: {A: b}
    image: "postgres:18-alpine"
  redis: # a cache
    image: registry.example:5000/redis@sha256:0123
  mailpit: {}
volumes:
  rabbitmq:
"""
    assert images.named_images(compose) == {
        "postgres": "postgres:18-alpine",
        "redis": "registry.example:5000/redis@sha256:0123",
        "rabbitmq": images.DEFAULTS["rabbitmq"],
    }


def test_two_ports_are_never_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = iter([20_001, 20_001, 20_002])
    monkeypatch.setattr("random.randint", lambda _lowest, _highest: next(numbers))
    first, second = LoopbackPort(), LoopbackPort()
    assert (first.number, second.number) == (20_001, 20_002)
    first.release()
    second.release()


@pytest.mark.parametrize("former", ["text", "link", "nothing"])
def test_a_file_that_stood_aside_is_back(tmp_path: Path, former: str) -> None:
    target, path = tmp_path / "target", tmp_path / "etc" / "policy"
    if former != "nothing":
        target.write_text("as before")
        path.parent.mkdir()
        path.symlink_to(target) if former == "link" else path.write_text("as before")
    with standing_in(path, "ours", 0o755):
        assert path.read_text() == "ours"
    assert path.is_symlink() == (former == "link")
    assert (path.read_text() == "as before") if former != "nothing" else not path.parent.exists()
