"""The main job over HTTP, as the contract has it."""

import re

import httpx

from tests.unit.http.people import ANN, CREDENTIALS, a_member, log_in, mailed


async def test_an_invite_leads_to_a_session_and_back_out(
    client: httpx.AsyncClient, first_invite: str, said: list[str]
) -> None:
    verified = await client.post("/api/invites/verify", json={"invite": first_invite})
    assert verified.status_code == 200
    assert verified.json().keys() == {"expires_at"}

    signed_up = await client.post("/api/users", json={"invite": first_invite, **ANN})
    assert (signed_up.status_code, signed_up.json()) == (202, {"status": "check_your_email"})

    too_early = await client.post("/api/login", json=CREDENTIALS)
    assert (too_early.status_code, too_early.json()["code"]) == (401, "credentials_invalid")

    confirmation = await mailed("ann@example.org", "confirmation", said)
    confirmed = await client.post("/api/confirm_account", json={"confirmation": confirmation})
    assert (confirmed.status_code, confirmed.json()) == (200, {"status": "confirmed"})

    logged_in = await log_in(client)
    assert logged_in["status"] == "logged_in"
    assert logged_in["user"]["role"] == "admin"
    assert "password" not in str(logged_in)

    current = await client.get("/api/session")
    assert current.status_code == 200
    assert current.json()["user"] == logged_in["user"]
    session = current.json()["session"]
    assert session.keys() == {"id", "created_at", "last_seen_at", "expires_at"}

    assert (await log_in(client))["status"] == "already_logged_in"

    logged_out = await client.post("/api/logout")
    assert (logged_out.status_code, logged_out.json()) == (200, {"status": "logged_out"})
    assert "Max-Age=0" in logged_out.headers["set-cookie"]
    assert (await client.get("/api/session")).json()["code"] == "not_logged_in"
    assert (await client.post("/api/logout")).status_code == 200


async def test_an_operator_issues_lists_and_revokes_invites(
    client: httpx.AsyncClient, first_invite: str, said: list[str]
) -> None:
    await a_member(client, first_invite, said)
    await log_in(client)
    issued = await client.post("/api/invites", json={"email": "bob@example.org", "note": "from the choir"})
    assert issued.status_code == 201
    invite = issued.json()
    assert invite["link"] == f"http://localhost:8000/signup#invite={invite['invite']}"
    assert (invite["email"], invite["max_claims"], invite["claims"], invite["state"]) == (
        "bob@example.org",
        1,
        0,
        "open",
    )
    listed = {found["id"]: found for found in (await client.get("/api/invites")).json()}
    assert listed[invite["id"]] == invite
    assert {found["state"] for found in listed.values()} == {"open", "spent"}
    assert invite["issued_by"] == "ann"
    assert {found["issued_by"] for found in listed.values() if found["id"] != invite["id"]} == {None}
    assert (await client.delete(f"/api/invites/{invite['id']}")).status_code == 204
    revoked = {found["id"]: found for found in (await client.get("/api/invites")).json()}[invite["id"]]
    assert (revoked["state"], revoked["invite"], revoked["link"]) == ("revoked", None, None)
    gone = await client.post("/api/invites/verify", json={"invite": invite["invite"]})
    assert (gone.status_code, gone.json()["code"]) == (404, "invite_invalid")


async def test_invites_are_for_those_who_are_logged_in(client: httpx.AsyncClient) -> None:
    for method, path in (
        ("POST", "/api/invites"),
        ("GET", "/api/invites"),
        ("DELETE", "/api/invites/01a20442-b886-7349-820a-2c990f682a6e"),
    ):
        answer = await client.request(method, path, json={} if method == "POST" else None)
        assert (answer.status_code, answer.json()["code"]) == (401, "not_logged_in")


async def test_every_invite_that_cannot_be_used_is_answered_alike(
    client: httpx.AsyncClient, first_invite: str, said: list[str]
) -> None:
    await a_member(client, first_invite, said)
    await log_in(client)
    revoked = (await client.post("/api/invites", json={})).json()
    await client.delete(f"/api/invites/{revoked['id']}")
    answers = [
        await client.post("/api/users", json={"invite": token, **ANN, "email": "eve@example.org", "username": "eve"})
        for token in (first_invite, revoked["invite"], "nonsense", "A" * 46)
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.text for answer in answers}) == 1


async def test_the_pages_behind_mailed_links_say_what_to_do(client: httpx.AsyncClient) -> None:
    for path, words in {
        "/": "invite",
        "/signup": "Sign up",
        "/invite": "Press the button",
        "/login": "Log in",
        "/forgot": "Send me a link",
        "/reset": "Set this password",
        "/email": "Confirm my new address",
    }.items():
        page = await client.get(path)
        assert page.status_code == 200
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert words in page.text
        for asset in re.findall(r'(?:src|href)="(/assets/[^"]+)"', page.text):
            assert (await client.get(asset)).status_code == 200


async def test_the_process_tells_whether_it_lives_and_is_ready(client: httpx.AsyncClient) -> None:
    assert (await client.get("/live")).json() == {"status": "live"}
    assert (await client.get("/ready")).json() == {"status": "ready"}
