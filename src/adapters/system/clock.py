"""The system's clock."""

from datetime import UTC, datetime


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        """The time in UTC, aware."""
        return datetime.now(UTC)
