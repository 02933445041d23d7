"""Bad input gets a problem that says what is wrong, and never a 500."""

import json
import time
from itertools import product
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.http.people import ANN, a_member, log_in

ENDPOINTS = ["/api/invites/verify", "/api/users", "/api/confirm_account", "/api/login"]
JSON = {"content-type": "application/json"}


def problem(answer: httpx.Response) -> dict[str, Any]:
    assert answer.headers["content-type"] == "application/problem+json"
    found: dict[str, Any] = answer.json()
    assert found["status"] == answer.status_code
    assert found["type"] == f"urn:bottomline:{found['code']}"
    assert found["title"]
    assert found["detail"]
    return found


async def test_every_bad_field_is_named_at_once(client: httpx.AsyncClient) -> None:
    body = {"email": "nonsense", "username": "a", "password": "short", "zip": "1", "role": "admin"}
    found = problem(await client.post("/api/users", json=body))
    assert found["status"] == 400
    assert {(bad["field"], bad["code"]) for bad in found["errors"]} == {
        ("email", "email_invalid"),
        ("username", "username_length"),
        ("password", "password_too_short"),
        ("invite", "field_missing"),
        ("zip", "unknown_field"),
        ("role", "unknown_field"),
    }
    assert "short" not in json.dumps(found["errors"]).replace("password_too_short", "")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"nonsense",
        b"null",
        b"[]",
        b'"text"',
        b"1e999",
        b"{'a': 1}",
        b'{"email": NaN}',
        b"\xff\xfe",
        b'\xef\xbb\xbf{"email": "x"}',
        b'{"email": "a\\u0000b"}',
        b'{"email": "\\ud800"}',
        b'{"email\\ud800": "x"}',
        b'{"email": "x", "email": "y"}',
        b'{"a": {"b": 1, "b": 2}}',
        b"[" * 15_000,
        b'{"a":' * 2_500,
        b'{"a":' + b"[" * 9 + b"]" * 9 + b"}",
        b'{"a":' + b'{"a":' * 9 + b"1" + b"}" * 10,
        b"9" * 15_000,
    ],
)
async def test_a_body_that_cannot_be_read_is_a_400(client: httpx.AsyncClient, body: bytes) -> None:
    for path in ENDPOINTS:
        found = problem(await client.post(path, content=body, headers=JSON))
        assert (path, found["status"], found["code"]) == (path, 400, "malformed_body")


@pytest.mark.parametrize("path", ENDPOINTS)
async def test_no_body_at_all_is_a_400(client: httpx.AsyncClient, path: str) -> None:
    assert problem(await client.post(path, headers=JSON))["status"] == 400


@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/xml", ""],
)
async def test_another_content_type_is_a_415(client: httpx.AsyncClient, content_type: str) -> None:
    for path in ENDPOINTS:
        found = problem(await client.post(path, content=b'{"email": "x"}', headers={"content-type": content_type}))
        assert (path, found["status"], found["code"]) == (path, 415, "unsupported_media_type")


@pytest.mark.parametrize("path", ENDPOINTS)
async def test_a_body_over_16_kib_is_a_413_and_one_below_is_read(client: httpx.AsyncClient, path: str) -> None:
    found = problem(await client.post(path, content=b"{" + b" " * 16_384, headers=JSON))
    assert (found["status"], found["code"]) == (413, "body_too_large")
    assert problem(await client.post(path, content=b"{" + b" " * 16_383, headers=JSON))["status"] == 400

    async def chunks() -> Any:
        for _ in range(40):
            yield b" " * 1_000

    assert problem(await client.post(path, content=chunks(), headers=JSON))["status"] == 413


async def test_a_known_content_type_may_have_parameters(client: httpx.AsyncClient) -> None:
    headers = {"content-type": "application/json; charset=utf-8"}
    assert (await client.post("/api/login", content=b"{}", headers=headers)).status_code == 400


@pytest.mark.parametrize("value", [None, 1, 1.5, True, [], {}, ["x"], {"x": "y"}])
async def test_a_value_of_the_wrong_type_is_named(client: httpx.AsyncClient, value: object) -> None:
    body = {"invite": value, "email": value, "username": value, "password": value}
    found = problem(await client.post("/api/users", json=body))
    assert {bad["field"] for bad in found["errors"]} == {"invite", "email", "username", "password"}


async def test_a_whole_number_may_have_a_fraction_of_nought(
    client: httpx.AsyncClient, first_invite: str, said: list[str]
) -> None:
    await a_member(client, first_invite, said)
    await log_in(client)
    issued = await client.post("/api/invites", content=b'{"max_claims": 3.0, "expires_in_days": 1e1}', headers=JSON)
    assert (issued.status_code, issued.json()["max_claims"]) == (201, 3)
    for number, code in (("3.5", "wrong_type"), ("1e300", "out_of_range"), ("true", "wrong_type")):
        found = problem(
            await client.post("/api/invites", content=b'{"max_claims": %b}' % number.encode(), headers=JSON)
        )
        assert [bad["code"] for bad in found["errors"]] == [code], number


async def test_a_password_of_1025_bytes_is_refused_unhashed(client: httpx.AsyncClient) -> None:
    body = {"email": "ann@example.org", "password": "x" * 1025}
    found = problem(await client.post("/api/login", json=body))
    assert [bad["code"] for bad in found["errors"]] == ["password_too_long"]


async def test_a_password_of_1024_bytes_counts_to_its_last_one(
    client: httpx.AsyncClient, first_invite: str, said: list[str]
) -> None:
    words = "correct horse battery staple é"
    password = words + "x" * (1024 - len(words.encode()))
    await a_member(client, first_invite, said, {**ANN, "password": password})
    for wrong in (password[:-1] + "y", password[:-1], password.upper(), password[:72]):
        assert (await client.post("/api/login", json={"email": ANN["email"], "password": wrong})).status_code == 401
    await log_in(client, {**ANN, "password": password})


@pytest.mark.parametrize("piece", ["a", "a.", "a-", "-", "_", "@", "a@", "1", "%41", "é", "\u0301", "\u1100", " ", "ﷺ"])
async def test_no_long_text_keeps_a_field_busy(client: httpx.AsyncClient, piece: str) -> None:
    """16 KiB of what patterns and normalising may stumble over, with an end that does not fit."""
    text = piece * (15_000 // len(piece.encode())) + "!"
    fields = ("email", "username", "invite", "password")
    for field, raw in product(fields, (text, f"{text}@example.org", f"ann@{text}")):
        body = json.dumps(
            {"email": "x", "password": "x", "invite": "x", "username": "x", field: raw}, ensure_ascii=False
        )
        for _ in range(3):  # what is loaded with the first word of its kind, and a collection of garbage, come once
            before = time.process_time()
            assert (await client.post("/api/users", content=body.encode(), headers=JSON)).status_code == 400
            if time.process_time() - before < 0.25:
                break
        else:
            pytest.fail("it takes a few milliseconds, and many more on a machine that is slow")


async def test_unknown_paths_and_methods_are_problems_too(client: httpx.AsyncClient) -> None:
    assert problem(await client.get("/api/nothing"))["code"] == "not_found"
    assert problem(await client.get("/api/login"))["code"] == "method_not_allowed"
    assert problem(await client.get("/assets/../app.py"))["code"] == "not_found"
    assert problem(await client.get("/assets/..%2f..%2fsettings.py"))["code"] == "not_found"


any_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    path=st.sampled_from(ENDPOINTS),
    body=st.dictionaries(st.sampled_from(["invite", "email", "username", "password", "confirmation"]), any_json),
)
async def test_no_json_makes_it_fail(client: httpx.AsyncClient, path: str, body: dict[str, object]) -> None:
    answer = await client.post(path, content=json.dumps(body), headers=JSON)
    assert answer.status_code in {400, 401, 404, 413}


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(path=st.sampled_from(ENDPOINTS), body=st.binary(max_size=200))
async def test_no_bytes_make_it_fail(client: httpx.AsyncClient, path: str, body: bytes) -> None:
    assert (await client.post(path, content=body, headers=JSON)).status_code in {400, 401, 404}
