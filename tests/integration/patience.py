"""How long tests wait for a server that is only slow."""

PATIENT = 10.0
"""Seconds that a test about counting, not about being quick, waits for Redis on a machine that is busy."""


class HandTimer:
    """Seconds that tests set by hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds
