"""What the README says is so."""

import re
from pathlib import Path

from entrypoints.settings import PREFIX, SETTINGS

README = Path(__file__).parents[2] / "README.md"


def settings_table() -> str:
    rows = [
        f"| `{PREFIX}{name}` | {f'`{setting.default}`' if setting.default else ''} | {setting.meaning} |"
        for name, setting in SETTINGS.items()
    ]
    return "\n".join(["| setting | default | meaning |", "| --- | --- | --- |", *rows])


def test_the_settings_table_is_that_of_the_code() -> None:
    found = re.search(r"<!-- settings -->\n(.*)\n<!-- /settings -->", README.read_text(), re.DOTALL)
    assert found is not None
    assert found[1] == settings_table(), "put this there:\n" + settings_table()


def test_every_linked_file_is_there() -> None:
    for page in (README, *README.parent.glob("*.md"), *README.parent.glob("docs/**/*.md")):
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", page.read_text()):
            assert (page.parent / target).exists(), f"{page.name}: {target}"
