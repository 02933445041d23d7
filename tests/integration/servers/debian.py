"""Install server packages on Debian, with no service started and none enabled.

`install` runs this file as a program in a session of its own: an installation that has begun ends properly
(half-configured packages are worse than a late exit) even when the test run is interrupted or killed.
"""

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

POLICY = Path("/usr/sbin/policy-rc.d")
NO_SERVICE_STARTS = "#!/bin/sh\nexit 101\n"
CLUSTER_RULE = Path("/etc/postgresql-common/createcluster.d/bottomline-tests.conf")
UNITS = {"rabbitmq-server": ("epmd.service", "epmd.socket")}  # units without an init script of the package's name


def can_install() -> bool:
    """Tell whether this is Debian and we are root."""
    return Path("/etc/debian_version").exists() and os.geteuid() == 0


def install(packages: Sequence[str]) -> str:
    """Install the packages, waiting for any other test run that does the same; return apt's last words."""
    sys.stderr.write(f"\nIntegration tests: installing {', '.join(packages)} with apt-get (Debian, root)\n")
    with tempfile.TemporaryFile("w+") as log:
        command = [sys.executable, "-I", __file__, *packages]
        installer = subprocess.Popen(  # noqa: S603 - this very file
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
        try:
            installer.wait()
        except KeyboardInterrupt:
            sys.stderr.write("\nIntegration tests: the installation is finished first, then we stop\n")
            installer.wait()
            raise
        log.seek(0)
        return "\n".join(log.read().splitlines()[-20:])


@contextmanager
def alone() -> Iterator[None]:
    """Hold a lock that only installers take; the folder itself is locked, so that no file is left."""
    folder = os.open("/var/cache/apt", os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def there(path: Path) -> bool:
    return path.exists() or path.is_symlink()


@contextmanager
def standing_in(path: Path, text: str, mode: int) -> Iterator[None]:
    """Let a file of ours stand here for a while; then what was here before, file, link or nothing, is back."""
    aside = path.with_name(f"{path.name}.before-bottomline-tests")
    made = [folder for folder in path.parents if not folder.exists()]
    path.parent.mkdir(parents=True, exist_ok=True)
    if there(path) and not there(aside):  # what stands aside since a power cut is the original
        path.rename(aside)
    path.write_text(text)
    path.chmod(mode)
    try:
        yield
    finally:
        path.unlink()
        if there(aside):
            aside.rename(path)
        for folder in made:
            if not any(folder.iterdir()):
                folder.rmdir()


def is_installed(package: str) -> bool:
    query = ["/usr/bin/dpkg-query", "--show", "--showformat=${db:Status-Status}", package]
    found = subprocess.run(query, capture_output=True, text=True, check=False)  # noqa: S603 - a name of ours
    return found.stdout == "installed"


def apt_get(*arguments: str) -> None:
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    command = ["/usr/bin/apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=300", *arguments]
    subprocess.run(command, env=quiet, check=False)  # noqa: S603 - what is missing afterwards is found by looking


def disable(package: str) -> None:
    """Let no init start the package's services at the next boot."""
    subprocess.run(["/usr/sbin/update-rc.d", package, "disable"], check=False)  # noqa: S603 - a name of ours
    if systemctl := shutil.which("systemctl"):
        for unit in UNITS.get(package, ()):
            subprocess.run([systemctl, "disable", unit], check=False)  # noqa: S603 - ours


def main(packages: list[str]) -> None:
    with ExitStack() as stack:
        stack.enter_context(alone())
        lacking = [package for package in packages if not is_installed(package)]
        if not lacking:
            return
        stack.enter_context(standing_in(POLICY, NO_SERVICE_STARTS, 0o755))
        stack.enter_context(standing_in(CLUSTER_RULE, "create_main_cluster = false\n", 0o644))
        apt_get("update")
        apt_get("install", "--no-install-recommends", *lacking)
        for package in lacking:
            disable(package)


if __name__ == "__main__":
    main(sys.argv[1:])
