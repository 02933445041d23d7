"""Asking whether a username could be had."""

from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests.unit.http.people import ANN


async def check(client: httpx.AsyncClient, name: str) -> dict[str, object]:
    answer = await client.get(f"/api/usernames/{quote(name, safe='')}")
    assert answer.status_code == 200
    found: dict[str, object] = answer.json()
    return found


async def test_a_free_name_is_available_and_a_taken_one_says_so(client: httpx.AsyncClient, first_invite: str) -> None:
    assert await check(client, "ann") == {"username": "ann", "available": True}
    await client.post("/api/users", json={"invite": first_invite, **ANN})
    for alike in ("ann", "ANN", " ann ", "ａｎｎ"):
        assert (await check(client, alike))["reason"] == "username_taken"
    assert await check(client, "bob") == {"username": "bob", "available": True}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("admin", "username_reserved"),
        ("admın", "username_reserved"),
        ("ab", "username_length"),
        ("a" * 31, "username_length"),
        ("a" * 8_000, "username_length"),
        ("ann smith", "username_characters"),
        ("a/b/c", "username_characters"),
        ("../users", "username_characters"),
        ("ann\x00ann", "username_characters"),
        ("ann\r\nann", "username_characters"),
        ("pаypal", "username_characters"),
        ("%2e%2e", "username_characters"),
    ],
)
async def test_a_name_that_breaks_a_rule_is_not_available(client: httpx.AsyncClient, name: str, reason: str) -> None:
    assert await check(client, name) == {"username": name, "available": False, "reason": reason}


async def test_a_name_of_another_script_arrives_whole(client: httpx.AsyncClient) -> None:
    assert await check(client, "用户名字") == {"username": "用户名字", "available": True}


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(name=st.text(min_size=1, max_size=60, alphabet=st.characters(exclude_categories=["Cs"])))
async def test_no_name_makes_it_fail(client: httpx.AsyncClient, name: str) -> None:
    assume(name.strip("/") and name not in {".", ".."})  # which clients take for steps in the path (RFC 3986, 5.2.4)
    assert (await check(client, name))["available"] in {True, False}


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(path=st.binary(max_size=60))
async def test_no_bytes_in_the_path_make_it_fail(client: httpx.AsyncClient, path: bytes) -> None:
    answer = await client.get(f"/api/usernames/{quote(path, safe='')}")
    assert answer.status_code in {200, 404}
