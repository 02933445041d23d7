"""Measure everything, or the suites that are named, and write results.md."""

import os
import platform
import sys
from pathlib import Path

from bench import delivery, embedded, flood, parity

RESULTS = Path(__file__).parent / "results.md"
SUITES = {"embedded": embedded.measure, "parity": parity.measure, "flood": flood.measure, "delivery": delivery.measure}


def main() -> None:
    """`python -m bench [suite …]`; the rows of suites that are not run stay as they are."""
    wanted = sys.argv[1:] or list(SUITES)
    sections = {name: section(name) for name in SUITES if name in wanted}
    kept = RESULTS.read_text().split("\n## ")[1:] if RESULTS.exists() else []
    sections = {text.split("\n", 1)[0]: f"## {text}".rstrip() for text in kept} | sections
    head = f"# Results\n\nPython {platform.python_version()}, {platform.machine()}, {os.cpu_count()} shared cores."
    text = "\n\n".join([head, *(sections[name] for name in SUITES if name in sections)]) + "\n"
    RESULTS.write_text(text)
    print(text)


def section(name: str) -> str:
    """A suite's table."""
    rows = [f"| {what} | {figure} | {goal} |" for what, figure, goal in SUITES[name]()]
    return "\n".join([f"## {name}", "", "| what | figure | goal |", "| --- | --- | --- |", *rows])


if __name__ == "__main__":
    main()
