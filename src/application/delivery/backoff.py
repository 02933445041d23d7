"""How long to wait before trying again."""

from datetime import timedelta

FIRST = timedelta(seconds=1)
LONGEST = timedelta(minutes=5)


def backoff(attempts: int, chance: float, longest: timedelta = LONGEST) -> timedelta:
    """The wait after `attempts` failures, at least one: doubling from a second to `longest`, with full jitter.

    `chance` in [0, 1) spreads the waits so that what failed together does not come back together
    (Brooker, "Exponential Backoff And Jitter", 2015). A tenth of a second at least, so a loop never spins.
    """
    ceiling = min(longest, FIRST * (1 << min(attempts - 1, 20)))
    return max(timedelta(milliseconds=100), ceiling * chance)
