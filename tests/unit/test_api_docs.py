"""What docs/api.md says is so."""

import re

from tests.api_page import MADE, PAGE, made
from tests.described import DESCRIPTION


def test_the_page_is_that_of_the_code() -> None:
    (found,) = MADE.findall(PAGE.read_text())
    assert found == made(), "run: make api"


def test_every_operation_and_every_code_stands_in_it_and_nothing_else() -> None:
    page = PAGE.read_text()
    operations = {f"{method.upper()} {path}" for path, found in DESCRIPTION["paths"].items() for method in found}
    assert set(re.findall(r"^### (.*)$", page, re.MULTILINE)) == operations
    codes = {found["value"]["code"] for found in DESCRIPTION["components"]["examples"].values()}
    fields = set(DESCRIPTION["components"]["schemas"]["BadFieldOut"]["properties"]["code"]["enum"])
    listed = page[page.index("## Codes") :]
    assert set(re.findall(r"^\| `(\w+)` \|", listed, re.MULTILINE)) == codes | fields
