"""What docs/operations.md says is kept is what is kept."""

import re
from pathlib import Path

from domain.retention import KEPT

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"


def test_what_is_kept_is_kept_as_long_as_the_page_says() -> None:
    section = PAGE.read_text().split("## What is kept, and for how long")[1].split("\n## ")[0]
    found = re.findall(r"^\| (.+?) \| (\d+) days? \|$", section, re.MULTILINE)
    assert found == [(kind.value, str(kept.days)) for kind, kept in KEPT.items()]
