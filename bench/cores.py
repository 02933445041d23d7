"""Which core does what: the server under measurement has one to itself, stores and load share the other."""

import os
from collections.abc import Sequence

SERVER, LOAD = 0, 1


def leave_the_servers_core() -> None:
    """Keep this process, and whatever it starts from now on, off the server's core."""
    if len(os.sched_getaffinity(0)) > 1:
        os.sched_setaffinity(0, os.sched_getaffinity(0) - {SERVER})


def on_servers_core(command: Sequence[str]) -> list[str]:
    """The command, on the server's core alone."""
    return ["taskset", "--cpu-list", str(SERVER), *command]
