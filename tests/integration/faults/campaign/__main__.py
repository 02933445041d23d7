"""`python -m tests.integration.faults.campaign [--seed N] …`: run it, and print the table; status 1 if it is unmet."""

import argparse
import asyncio
import random
import signal
import sys
import time

from tests.integration.faults.campaign.run import Run, Size, table

MOST_SHOWN = 5


def main() -> int:
    """Run, and tell."""
    parser = argparse.ArgumentParser(prog="make faults")
    parser.add_argument(
        "--seed", type=int, default=random.SystemRandom().randrange(1_000_000), help="of a run to repeat"
    )
    parser.add_argument("--people", type=int, default=10_000, help="how many sign up")
    parser.add_argument("--kills", type=int, default=216, help="servers and processes killed")
    parser.add_argument("--lies", type=int, default=600, help="answers to be swallowed")
    parser.add_argument("--rate", type=float, default=8.0, help="sign-ups a second")
    given = parser.parse_args()
    begun = time.monotonic()

    def say(line: str) -> None:
        print(f"{time.monotonic() - begun:6.0f} s  {line}", flush=True)  # noqa: T201

    say(f"seed {given.seed}; the same storm again: make faults SEED={given.seed}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that everything is ended in good order
    figures = asyncio.run(Run(given.seed, Size(given.people, given.kills, given.lies, given.rate), say)())
    say("done")
    print(table(figures))  # noqa: T201
    for figure in figures:
        for found in figure.found[:MOST_SHOWN]:
            print(f"\n{figure.what}: {found}")  # noqa: T201
    return 0 if all(figure.is_met for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main())
