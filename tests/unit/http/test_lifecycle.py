"""What a person can do with an account, over HTTP, as the contract has it."""

from uuid import uuid4

import httpx

from tests.unit.http.people import ANN, BOB, a_member, another_browser, log_in, mailed, told

NEW = "another horse battery"


async def test_a_forgotten_password_is_reset(client: httpx.AsyncClient, first_invite: str, said: list[str]) -> None:
    await a_member(client, first_invite, said)
    await log_in(client)
    asked = await client.post("/api/forgot_password", json={"email": ANN["email"]})
    assert (asked.status_code, asked.json()) == (202, {"status": "check_your_email"})
    body = {"reset": await mailed(ANN["email"], "reset", said), "password": NEW}
    done = await client.post("/api/reset_password", json=body)
    assert (done.status_code, done.json()) == (200, {"status": "password_changed"})
    assert (await client.get("/api/session")).status_code == 401
    again = await client.post("/api/reset_password", json=body)
    assert (again.status_code, again.json()["code"]) == (404, "reset_invalid")
    await log_in(client, {**ANN, "password": NEW})


async def test_what_is_asked_for_an_address_is_answered_alike_whoever_has_it(
    client: httpx.AsyncClient, first_invite: str, said: list[str]
) -> None:
    await a_member(client, first_invite, said)
    await client.post("/api/users", json={"invite": first_invite, **BOB})
    for path in ("/api/forgot_password", "/api/resend_confirmation"):
        answers = [
            await client.post(path, json={"email": email}) for email in (ANN["email"], BOB["email"], "no@example.org")
        ]
        assert {(answer.status_code, answer.text) for answer in answers} == {(202, '{"status":"check_your_email"}')}


async def test_a_changed_password_changes_the_cookie_and_ends_other_sessions(
    client: httpx.AsyncClient, first_invite: str, said: list[str]
) -> None:
    await a_member(client, first_invite, said)
    await log_in(client)
    before = client.cookies["__Host-session"]
    async with another_browser(client) as other:
        await log_in(other)
        body = {"current_password": ANN["password"], "password": NEW}
        wrong = await client.post("/api/change_password", json={**body, "current_password": "wrong"})
        assert wrong.status_code == 400
        assert wrong.json()["errors"] == [
            {"field": "current_password", "code": "password_wrong", "message": "This is not your password."}
        ]
        changed = await client.post("/api/change_password", json=body)
        assert (changed.status_code, changed.json()) == (200, {"status": "password_changed"})
        assert client.cookies["__Host-session"] != before
        assert (await client.get("/api/session")).status_code == 200
        assert (await other.get("/api/session")).status_code == 401
        other.cookies.set("__Host-session", before, domain="localhost")
        assert (await other.get("/api/session")).status_code == 401


async def test_a_mail_address_changes_and_is_taken_back(
    client: httpx.AsyncClient, first_invite: str, said: list[str]
) -> None:
    await a_member(client, first_invite, said)
    await log_in(client)
    body = {"email": "new@example.org", "password": ANN["password"]}
    asked = await client.post("/api/change_email", json=body)
    assert (asked.status_code, asked.json()) == (202, {"status": "check_your_email"})
    confirmation = {"confirmation": await mailed("new@example.org", "confirmation", said)}
    confirmed = await client.post("/api/confirm_email", json=confirmation)
    assert (confirmed.status_code, confirmed.json()) == (200, {"status": "email_changed"})
    assert (await client.get("/api/session")).json()["user"]["email"] == "new@example.org"
    again = await client.post("/api/confirm_email", json=confirmation)
    assert (again.status_code, again.json()["code"]) == (404, "email_change_invalid")
    undo = {"undo": await mailed(ANN["email"], "undo", said)}
    undone = await client.post("/api/undo_change_email", json=undo)
    assert (undone.status_code, undone.json()) == (200, {"status": "email_restored"})
    assert (await client.get("/api/session")).status_code == 401
    assert (await client.post("/api/undo_change_email", json=undo)).json()["code"] == "email_change_invalid"
    reset = {"reset": await mailed(ANN["email"], "reset", said), "password": NEW}
    assert (await client.post("/api/reset_password", json=reset)).status_code == 200
    await log_in(client, {**ANN, "password": NEW})


async def test_a_confirmation_of_an_account_confirms_no_address_and_the_other_way_round(
    client: httpx.AsyncClient, first_invite: str, said: list[str]
) -> None:
    await client.post("/api/users", json={"invite": first_invite, **ANN})
    confirmation = {"confirmation": await mailed(ANN["email"], "confirmation", said)}
    assert (await client.post("/api/confirm_email", json=confirmation)).status_code == 404
    assert (await client.post("/api/confirm_account", json=confirmation)).status_code == 200


async def test_sessions_are_listed_and_ended(client: httpx.AsyncClient, first_invite: str, said: list[str]) -> None:
    await a_member(client, first_invite, said)
    await log_in(client)
    phone = {
        "user-agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
        " Version/17.4 Mobile/15E148 Safari/604.1"
    }
    async with another_browser(client) as other:
        other.headers.update(phone)
        await log_in(other)
        listed = (await client.get("/api/sessions")).json()
        assert [(found["device"], found["is_current"]) for found in listed] == [
            ("Safari on iPhone", False),
            ("python-httpx", True),
        ]
        ended = await client.delete(f"/api/sessions/{listed[0]['id']}")
        assert (ended.status_code, ended.content) == (204, b"")
        assert (await other.get("/api/session")).status_code == 401
        for gone in (listed[0]["id"], str(uuid4())):
            answer = await client.delete(f"/api/sessions/{gone}")
            assert (answer.status_code, answer.json()["code"]) == (404, "session_not_found")
        await log_in(other)
        assert (await other.delete("/api/sessions")).status_code == 204
        assert (await client.get("/api/session")).status_code == 401
        assert len((await other.get("/api/sessions")).json()) == 1


async def test_an_account_is_deleted_with_its_password(
    client: httpx.AsyncClient, first_invite: str, said: list[str]
) -> None:
    await a_member(client, first_invite, said)
    await log_in(client)
    wrong = await client.request("DELETE", "/api/user", json={"password": "wrong"})
    assert (wrong.status_code, wrong.json()["errors"][0]["code"]) == (400, "password_wrong")
    deleted = await client.request("DELETE", "/api/user", json={"password": ANN["password"]})
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert "Max-Age=0" in deleted.headers["set-cookie"]
    assert (await client.get("/api/session")).status_code == 401
    refused = await client.post("/api/login", json={"email": ANN["email"], "password": ANN["password"]})
    assert refused.json()["code"] == "credentials_invalid"
    await told(r"Mail to ann@example.org: (Your account at Bottomline is deleted)", said)


async def test_what_is_for_those_who_are_logged_in_is_refused_to_others(client: httpx.AsyncClient) -> None:
    password = {"password": ANN["password"]}
    for method, path, body in (
        ("GET", "/api/sessions", None),
        ("DELETE", "/api/sessions", None),
        ("DELETE", f"/api/sessions/{uuid4()}", None),
        ("POST", "/api/change_password", {"current_password": "wrong", "password": NEW}),
        ("POST", "/api/change_email", {"email": "new@example.org", **password}),
        ("DELETE", "/api/user", password),
    ):
        answer = await client.request(method, path, json=body)
        assert (answer.status_code, answer.json()["code"]) == (401, "not_logged_in"), path
