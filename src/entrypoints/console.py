"""Lines for the person at the console."""

import sys
from contextlib import suppress


def announce(line: str) -> None:
    """Print a line, as far as whoever reads can take it: nothing depends on it."""
    with suppress(OSError):
        sys.stdout.buffer.write(f"{line}\n".encode(sys.stdout.encoding, "backslashreplace"))
        sys.stdout.flush()
