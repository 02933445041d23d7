"""Measure everything and write results.md."""

import os
import platform
from pathlib import Path

from bench.embedded import measure

RESULTS = Path(__file__).parent / "results.md"


def main() -> None:
    rows = measure()
    lines = [
        "# Results",
        "",
        f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} shared cores.",
        "",
        "| what | figure | goal |",
        "| --- | --- | --- |",
        *(f"| {what} | {figure} | {goal} |" for what, figure, goal in rows),
        "",
    ]
    RESULTS.write_text("\n".join(lines))
    print("\n".join(lines))


if __name__ == "__main__":
    main()
