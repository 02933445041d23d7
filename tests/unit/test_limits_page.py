"""What docs/limits.md says is so."""

import re
from datetime import timedelta
from pathlib import Path

from domain.limits import ALL

PAGE = Path(__file__).parents[2] / "docs" / "limits.md"


def test_the_table_is_that_of_the_code() -> None:
    found = re.findall(r"^\| `(\w+)` \| ([0-9,]+) \| (\d+) min \| [^|]+ \| [^|]+ \|$", PAGE.read_text(), re.MULTILINE)
    expected = [(limit.name, f"{limit.tries:,}", str(limit.per // timedelta(minutes=1))) for limit in ALL]
    assert found == expected
