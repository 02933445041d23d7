"""The servers' programs on this machine: where they are, and how they get here."""

import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from tests.integration.servers import debian
from tests.integration.servers.failures import ServersMissing

TITLES = {"postgres": "Postgres", "redis": "Redis", "rabbitmq": "RabbitMQ", "nginx": "nginx"}
PACKAGES = {"postgres": "postgresql", "redis": "redis-server", "rabbitmq": "rabbitmq-server", "nginx": "nginx"}
PROGRAMS_ONLY = frozenset({"nginx"})
"""What no URL and no container stands for: its configuration is what is tested."""


def variable(name: str) -> str:
    """Return the environment variable that gives this server's URL."""
    return f"BOTTOMLINE_TEST_{name.upper()}_URL"


def find(name: str) -> Path | None:
    """Return the program of this server, or None.

    None also where this is not Linux: only there can a guard be sure to end a daemon that left its parents.
    """
    if sys.platform != "linux":
        return None
    if name == "postgres":
        return _newest_postgres()
    if name == "rabbitmq":  # Debian's wrapper in /usr/sbin would change account and folder: first where the scripts are
        found = shutil.which("rabbitmq-server", path="/usr/lib/rabbitmq/bin") or shutil.which("rabbitmq-server")
    elif name == "nginx":
        found = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")  # off PATH for all but root
    else:
        found = shutil.which("redis-server")
    return Path(found) if found else None


def require(names: Sequence[str], why_no_docker: str = "not asked for") -> None:
    """Return when all these servers' programs are here; on Debian, as root, install what is not.

    Raises `ServersMissing` with one line that says what a person can do.
    """
    lacking, last_words = [name for name in names if not find(name)], ""
    if lacking and debian.can_install():
        last_words = debian.install([PACKAGES[name] for name in lacking])
        lacking = [name for name in lacking if not find(name)]
    if lacking:
        said = f"; apt-get's last words: {last_words}" if last_words else ""
        raise ServersMissing(_what_to_do(lacking, why_no_docker) + said)


def _what_to_do(lacking: Sequence[str], why_no_docker: str) -> str:
    ways = []
    if given := [name for name in lacking if name not in PROGRAMS_ONLY]:
        ways += [f"set {', '.join(map(variable, given))}", f"start Docker ({why_no_docker})"]
    if sys.platform == "linux" or not ways:
        ways.append(f"install {', '.join(PACKAGES[name] for name in lacking)}")
    *others, last = ways
    return f"Integration tests need {', '.join(TITLES[name] for name in lacking)}: " + ", or ".join(
        [", ".join(others), last] if others else [last]
    )


def program(name: str) -> Path:
    """Return the program of this server; where it is not, `require` it first."""
    require([name])
    return find(name) or Path()


def _newest_postgres() -> Path | None:
    """Return the newest `postgres` that has its `initdb` beside it."""
    installed = Path("/usr/lib/postgresql").glob("*/bin/postgres")  # Debian keeps it off PATH
    newest_first = sorted(installed, key=lambda at: [*map(int, re.findall(r"\d+", str(at)))], reverse=True)
    on_path = [Path(found).resolve()] if (found := shutil.which("postgres")) else []
    complete = (at for at in [*newest_first, *on_path] if at.with_name("initdb").exists())
    return next(complete, None)
