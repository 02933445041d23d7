"""The policy of limits."""

from datetime import timedelta

import pytest

from domain.errors import TooManyRequests
from domain.limits import ALL


def test_every_limit_has_a_name_of_its_own() -> None:
    assert len({limit.name for limit in ALL}) == len(ALL)


def test_no_limit_keeps_anybody_waiting_for_longer_than_two_minutes() -> None:
    """Limits slow down; they lock nobody out."""
    assert all(timedelta(0) < limit.interval <= timedelta(minutes=2) for limit in ALL)


def test_every_limit_gives_its_tries_evenly() -> None:
    assert all(limit.interval * limit.tries == limit.per for limit in ALL)


@pytest.mark.parametrize(
    ("wait", "words"),
    [
        (timedelta(microseconds=1), "1 second."),
        (timedelta(seconds=29, microseconds=1), "30 seconds."),
        (timedelta(seconds=60), "60 seconds."),
        (timedelta(seconds=61), "2 minutes."),
        (timedelta(seconds=120), "2 minutes."),
    ],
)
def test_who_has_to_wait_is_told_how_long(wait: timedelta, words: str) -> None:
    assert TooManyRequests(wait).message.endswith(f"in {words}")
