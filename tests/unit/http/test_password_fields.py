"""Password fields of the pages: masked, unlimited, and left to password managers."""

import re
from pathlib import Path

import httpx
import pytest

import entrypoints.pages

PAGES = Path(entrypoints.pages.__path__[0])


@pytest.mark.parametrize(("path", "kind"), [("/signup", "new"), ("/reset", "new"), ("/login", "current")])
async def test_a_password_field_is_masked_takes_any_length_and_is_known_to_password_managers(
    client: httpx.AsyncClient, path: str, kind: str
) -> None:
    (field,) = re.findall(r'<input name="password"[^>]*>', (await client.get(path)).text)
    assert set(field[len("<input ") : -1].split()) == {
        'name="password"',
        'type="password"',
        f'autocomplete="{kind}-password"',
        "required",
    }


def test_no_other_page_asks_for_a_password() -> None:
    pages = {page.name for page in PAGES.glob("*.html") if re.search(r'<input[^>]*"password"', page.read_text())}
    assert pages == {"signup.html", "reset.html", "login.html"}


def test_no_script_keeps_anybody_from_pasting() -> None:
    scripts = {script.name: script.read_text() for script in PAGES.glob("*.js")}
    assert scripts
    assert [name for name, text in scripts.items() if re.search("paste|clipboard|beforeinput|keydown", text)] == []
