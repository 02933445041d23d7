"""What docs/faults.md says is shown is shown, and what is shown is said."""

import re
from collections.abc import Iterator
from pathlib import Path

from tests.unit.test_security_page import functions

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "faults.md"
TEXT = PAGE.read_text()
FAULTS = ("away at the start", "dies in the middle of a request", "hangs", "restarts, resets", "full")


def named() -> set[tuple[str, str]]:
    return set(re.findall(r"`([^`\s]+\.py)::([^`\s]+)`", TEXT))


def shown() -> Iterator[tuple[str, str]]:
    """The tests of faults, but for those of the tests' own tools."""
    for file in sorted((TESTS / "integration" / "faults").glob("test_*.py")):
        path = str(file.relative_to(TESTS))
        if file.name != "test_proxy.py":
            yield from ((path, name) for name in functions(path) if name.startswith("test_"))


def test_every_test_that_it_names_is_there() -> None:
    assert [(path, name) for path, name in named() if name not in functions(path)] == []


def test_it_names_every_test_of_faults() -> None:
    assert set(shown()) - named() == {
        ("integration/faults/test_campaign.py", "test_a_seed_brings_the_same_storm_again")
    }


def test_every_cell_of_the_matrix_has_a_test() -> None:
    for server in ("The database", "Redis", "RabbitMQ", "The mail server"):
        section = TEXT.split(f"## {server}\n")[1].split("\n## ")[0]
        rows = [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("|")][2:]
        assert len(rows) == len(FAULTS), server
        for fault, (what, _, tests) in zip(FAULTS, rows, strict=True):
            assert fault in what, (server, what)
            assert "::test_" in tests, (server, what)
