"""What every peer says of itself."""

import hashlib
import shutil
import subprocess
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

import httpx

HERE = Path(__file__).parent
INSTALLED = HERE.parents[1] / "var" / "bench" / "peers"
MADE = ("__pycache__", "node_modules")
PASSWORD = "correct horse battery"


class Runtime(Enum):
    """What a program runs on."""

    NODE = "node"
    PYTHON = "python"


@dataclass(frozen=True)
class Ask:
    """A request for the load; the lines of its body are sent in turn, and `%d` stands for the number of a user.

    `cookies` are sent in turn, where there are any.
    """

    path: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    cookies: Sequence[str] = ()


@dataclass(frozen=True)
class Peer:
    """One of them. `prepare` is run once on its empty database, `serve` starts it; both in the installed folder."""

    name: str
    label: str
    runtime: Runtime
    serve: Sequence[str]
    session: str
    """The path that tells who is logged in."""
    sign_up: Callable[[httpx.AsyncClient, int], Awaitable[None]]
    """Makes user n one who can log in: person{n}@example.org with PASSWORD."""
    log_in: Callable[[httpx.AsyncClient], Awaitable[Ask]]
    """The request that logs users in; it may ask for a CSRF token first."""
    prepare: Sequence[Sequence[str]] = ()
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where it is installed."""
        return INSTALLED / self.name

    def install(self) -> None:
        """Put the program and all that its lock names into its folder, unless they are there."""
        program = HERE / self.name / "program"
        done = self.folder / "installed"
        digest = _digest(program)
        if done.exists() and done.read_text() == digest:
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(program, self.folder, ignore=shutil.ignore_patterns(*MADE))
        INSTALLS[self.runtime](self.folder)
        done.write_text(digest)


def _digest(folder: Path) -> str:
    files = sorted(file for file in folder.rglob("*") if file.is_file() and not {*file.parts} & {*MADE})
    return hashlib.sha256(b"".join(file.name.encode() + file.read_bytes() for file in files)).hexdigest()


def _install_node(folder: Path) -> None:
    run(folder, "npm", "ci", "--omit=dev", "--no-audit", "--no-fund", "--silent")


def install_python(folder: Path) -> None:
    """What the folder's lock names, in an environment in the folder."""
    run(folder, "python3", "-m", "venv", "venv")
    pip = ["venv/bin/python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run(folder, *pip, "--require-hashes", "-r", "requirements.lock")


INSTALLS: Mapping[Runtime, Callable[[Path], None]] = {Runtime.NODE: _install_node, Runtime.PYTHON: install_python}


def run(folder: Path, *command: str) -> None:
    """Run a command to its end; what it prints is shown where it fails."""
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stdout}{done.stderr}")
