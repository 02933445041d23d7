"""Password fields of the pages: masked, unlimited, and left to password managers."""

import re
from pathlib import Path

import httpx
import pytest

import entrypoints.pages

PAGES = Path(entrypoints.pages.__path__[0])


KINDS = {
    "/signup": ["new"],
    "/reset": ["new"],
    "/login": ["current"],
    "/account": ["current", "new", "current", "current", "current"],
    "/invites": ["current"],
}
"""What the password fields of each page are for, in order."""


@pytest.mark.parametrize("path", KINDS)
async def test_a_password_field_is_masked_takes_any_length_and_is_known_to_password_managers(
    client: httpx.AsyncClient, path: str
) -> None:
    fields = re.findall(r'<input[^>]*type="password"[^>]*>', (await client.get(path)).text)
    assert [re.findall(r'autocomplete="(\w+)-password"', field) for field in fields] == [[kind] for kind in KINDS[path]]
    for field in fields:
        assert "required" in field
        assert not re.search("maxlength|pattern|readonly|onpaste", field)


async def test_no_form_can_put_a_password_into_an_address(client: httpx.AsyncClient) -> None:
    for path in KINDS:
        forms = re.findall(r"<form[^>]*>", (await client.get(path)).text)
        assert forms
        assert all('method="post"' in form for form in forms), "also before any script has run"


def test_no_other_page_asks_for_a_password() -> None:
    pages = {page.name for page in PAGES.glob("*.html") if re.search(r'<input[^>]*"password"', page.read_text())}
    assert pages == {f"{path[1:]}.html" for path in KINDS}


def test_no_script_keeps_anybody_from_pasting() -> None:
    scripts = {script.name: script.read_text() for script in PAGES.glob("*.js")}
    assert scripts
    assert [name for name, text in scripts.items() if re.search("paste|clipboardData|beforeinput|keydown", text)] == []
