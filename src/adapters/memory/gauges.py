"""Gauges that nobody looks at."""

from datetime import timedelta


class NoGauges:
    """For a process whose metrics nobody asked for."""

    def events_waiting(self, oldest: timedelta | None) -> None:
        """Nothing."""
