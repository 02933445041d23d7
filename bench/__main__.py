"""Measure everything, or the suites that are named; write results.md and a chart for each."""

import os
import platform
import re
import shutil
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from bench import (
    checks_in_a_flood,
    delivery,
    embedded,
    flood,
    footprint,
    growth,
    log_ins,
    parity,
    session_checks,
    sign_ups,
)
from bench.cores import leave_the_servers_core
from bench.results import Group

HERE = Path(__file__).parent
RESULTS, CHARTS = HERE / "results.md", HERE / "charts"
SUITES: Mapping[str, Callable[[], Group]] = {
    "sessions": session_checks.measure,
    "log-in": log_ins.measure,
    "checks in a flood": checks_in_a_flood.measure,
    "sign-up": sign_ups.measure,
    "footprint": footprint.measure,
    "growth": growth.measure,
    "embedded": embedded.measure,
    "parity": parity.measure,
    "flood": flood.measure,
    "delivery": delivery.measure,
}
PROGRAMS = ("wrk", "taskset", "node", "npm")
ON_ALL_CORES = {"embedded", "parity", "flood", "delivery"}
"""Suites about a process that has the machine to itself, as `make run` has."""


def main() -> None:
    """`python -m bench [suite …]`; the sections of suites that are not run stay as they are."""
    wanted = sys.argv[1:] or list(SUITES)
    if unknown := set(wanted) - SUITES.keys():
        sys.exit(f"No suite is called {', '.join(unknown)}. There are: {', '.join(SUITES)}")
    if missing := [name for name in PROGRAMS if shutil.which(name) is None]:
        sys.exit(f"Not found: {', '.join(missing)}. On Debian: apt-get install wrk util-linux nodejs npm")
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # what is installed has its bytecode
    cores = os.sched_getaffinity(0)
    CHARTS.mkdir(exist_ok=True)
    for name in (name for name in SUITES if name in wanted):
        os.sched_setaffinity(0, cores)
        if name not in ON_ALL_CORES:
            leave_the_servers_core()
        began = time.monotonic()
        group = SUITES[name]()
        (CHARTS / f"{name.replace(' ', '-')}.svg").write_text(group.chart.svg)
        write(name, group)
        print(f"{group.markdown(name)}\n\n({time.monotonic() - began:.0f} s)\n", flush=True)


def write(name: str, group: Group) -> None:
    """Put a suite's section in its place."""
    kept = RESULTS.read_text().split("\n## ")[1:] if RESULTS.exists() else []
    sections = {text.split("\n", 1)[0]: f"## {text}".rstrip() for text in kept} | {name: group.markdown(name)}
    head = (
        f"# Results\n\nCPython {platform.python_version()}, {processor()}, {os.cpu_count()} shared cores."
        " What stands here and how it was measured: [README.md](README.md)."
    )
    RESULTS.write_text("\n\n".join([head, *(sections[name] for name in SUITES if name in sections)]) + "\n")


def processor() -> str:
    """Its name, where Linux tells it."""
    info = Path("/proc/cpuinfo")
    found = re.search(r"model name\s*: (.+)", info.read_text()) if info.exists() else None
    return found[1] if found else platform.machine()


if __name__ == "__main__":
    main()
