"""The layers that the import rules speak of are there, and full."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src"


@pytest.mark.parametrize(
    "folder",
    sorted(str(folder.relative_to(SOURCE)) for folder in SOURCE.glob("*/*") if (folder / "__init__.py").exists()),
)
def test_no_layer_is_empty(folder: str) -> None:
    assert [file for file in (SOURCE / folder).iterdir() if file.is_file() and file.stat().st_size > 200]


def test_no_layer_but_these() -> None:
    assert {folder.name for folder in SOURCE.iterdir()} == {"domain", "application", "adapters", "entrypoints"}


@pytest.mark.parametrize("layer", ["domain", "application"])
def test_rules_and_use_cases_ask_no_clock_and_no_chance(layer: str) -> None:
    """Time, randomness and ids come in through ports."""
    forbidden = {"time", "random", "secrets", "os", "socket", "threading", "subprocess"}
    for file in (SOURCE / layer).rglob("*.py"):
        tree = ast.parse(file.read_text())
        imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
        called = {
            ast.unparse(node.func)
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith((".now", "uuid4", "utcnow"))
        }
        assert not imported & forbidden, file
        assert called <= {"self.clock.now"}, file


def test_routes_are_known_before_any_client_is_loaded() -> None:
    """What it takes to describe the API, and half of what a start takes, does without them."""
    clients = ["sqlalchemy", "asyncpg", "aiosqlite", "redis", "aio_pika", "cryptography", "argon2", "zxcvbn", "jinja2"]
    program = f"import sys, entrypoints.http.app; print(sys.modules.keys() & {set(clients)})"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603  our own words
    assert done.stdout == "set()\n"


def test_a_web_process_with_a_worker_beside_it_loads_no_client_of_delivery() -> None:
    """They would be 5 MB that nobody uses."""
    program = """
import asyncio, sys
from entrypoints.running import running
from entrypoints.settings import read_settings

async def run():
    async with running(read_settings({
        "BOTTOMLINE_DATABASE_URL": "postgresql://127.0.0.1:1/none",
        "BOTTOMLINE_RABBITMQ_URL": "amqp://127.0.0.1:1",
        "BOTTOMLINE_REDIS_URL": "redis://127.0.0.1:1",
        "BOTTOMLINE_SMTP_URL": "smtp://127.0.0.1:1",
        "BOTTOMLINE_SECRET_KEYS": "a secret of at least thirty-two characters",
    }), print):
        print(sys.modules.keys() & {"redis", "aio_pika", "aiosmtplib", "prometheus_client", "zxcvbn"})

asyncio.run(run())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)  # noqa: S603  our own words
    assert done.stdout == "{'redis'}\n"
