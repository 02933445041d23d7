"""Bottomline as `make run` installs it: in an environment of its own, without what tests need."""

import hashlib
import shutil

from bench.peers.peer import INSTALLED, install_python, run

ROOT = INSTALLED.parents[2]
HOME = INSTALLED.parent / "bottomline"
LOCK = ROOT / "requirements.lock"


def installed() -> str:
    """Its command, on the code of this checkout; what it stands on is installed anew where the lock has changed."""
    done, digest = HOME / "installed", hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if not done.exists() or done.read_text() != digest:
        shutil.rmtree(HOME, ignore_errors=True)
        HOME.mkdir(parents=True)
        shutil.copy(LOCK, HOME)
        install_python(HOME)
        run(
            HOME,
            "venv/bin/python",
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--no-build-isolation",
            "-e",
            str(ROOT),
        )
        done.write_text(digest)
    return str(HOME / "venv" / "bin" / "bottomline")
