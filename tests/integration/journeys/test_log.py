"""What the running processes write: every event, and no secret."""

import asyncio
import json
import sqlite3
from contextlib import AbstractAsyncContextManager, closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.crypto.cookies import AesGcmCookieSeal
from tests.integration.journeys.test_journey import ANN, an_operator
from tests.integration.journeys.worlds import World
from tests.integration.processes import QUICK, Process, WebProcess

WRONG = "canary-wrong-password"
TAMPERED = "canaryTAMPEREDcanaryTAMPERED"
FORGED = 'x\x1b[31m \\u000d\\u000a{"event": "forged"}'


def told(process: Process) -> list[dict[str, Any]]:
    """The lines of the log, which are all that is not an announcement."""
    announced = ("Bottomline", "First invite: ", "Mail to ", "Mails: ")
    lines = [json.loads(line) for line in process.lines if not line.startswith(announced)]
    assert all({"event", "time", "level", "logger"} <= line.keys() for line in lines)
    return lines


def security(process: Process) -> list[tuple[str, str, int, str | None]]:
    return [
        (line["event"], line["outcome"], line["status"], line.get("code"))
        for line in told(process)
        if line["logger"] == "security"
    ]


async def test_a_whole_journey_leaves_one_line_for_each_event_and_no_secret(world: World) -> None:
    async with world.web.browser() as ann:
        await an_operator(world, ann)
        cookie = (ann.cookie or "").partition("=")[2]
        for password in (WRONG, FORGED):
            async with world.web.browser() as eve:
                body = {"email": ANN["email"], "password": password}
                await eve.post("/api/login", json=body, headers={b"user-agent": b"x\x9b31m\xe2\x80\xa8"})
                await eve.post("/api/users", json={**ANN, "username": FORGED, "invite": TAMPERED, password: password})
                broken = f'{{"password": "{password}'
                await eve.post("/api/login", content=broken, headers={"content-type": "application/json"})
                await eve.get(f"/invite?confirmation={TAMPERED}", headers={"cookie": f"__Host-session={TAMPERED}"})
                await eve.post("/api/confirm_account", json={"confirmation": TAMPERED})
        invite = (await ann.post("/api/invites", json={"email": "bob@example.org"})).json()
        assert await world.mailed("bob@example.org", "invite") == invite["invite"]
        await ann.post("/api/logout")
    strangers = [
        ("sessions.log_in", "refused", 401, "credentials_invalid"),
        ("accounts.sign_up", "refused", 400, "invalid_fields"),
        ("sessions.log_in", "refused", 400, "malformed_body"),
        ("accounts.confirm", "refused", 404, "confirmation_invalid"),
    ]
    expected = [
        ("accounts.sign_up", "done", 202, None),
        ("accounts.confirm", "done", 200, None),
        ("sessions.log_in", "done", 200, None),
        *strangers * 2,
        ("invites.issue", "done", 201, None),
        ("sessions.log_out", "done", 200, None),
    ]
    async with asyncio.timeout(5):
        while len(security(world.web)) < len(expected):  # noqa: ASYNC110  the lines come through a pipe
            await asyncio.sleep(0.02)
    assert security(world.web) == expected
    secret = world.settings.get("BOTTOMLINE_SECRET_KEYS") or (world.folder / "var" / "secret").read_text()
    key = AesGcmCookieSeal((secret,)).open(cookie)
    assert key is not None
    canaries = [WRONG, TAMPERED, ANN["password"], cookie, secret, key.secret.hex(), repr(key.secret)[2:-1], "argon2id"]
    printed = [line for process in (world.web, world.worker) if process for line in process.lines]
    assert [line for line in printed if any(canary in line for canary in canaries)] == []
    logged = [line for line in printed if not line.startswith(("First invite: ", "Mail to ", "Mails: "))]
    assert [line for line in logged if invite["invite"] in line or "#invite=" in line] == []
    assert all(line.isprintable() for line in printed)


@pytest.mark.parametrize("format", ["json", "text"])
async def test_the_format_is_a_setting(tmp_path: Path, format: str) -> None:
    settings = {**QUICK, "BOTTOMLINE_LOG_FORMAT": format}
    async with WebProcess(tmp_path, settings) as web, httpx.AsyncClient(base_url=web.url) as client:
        answer = await client.post("/api/logout")
        line = await web.said("^.*sessions.log_out.*$")
    assert answer.headers["x-request-id"] in line
    assert line.startswith("{") == (format == "json")
    assert ("outcome=done" in line) == (format == "text")


async def test_a_database_that_fails_is_told_without_what_was_sent(
    embedded_world: AbstractAsyncContextManager[World],
) -> None:
    async with embedded_world as world, world.web.browser() as stranger:
        with closing(sqlite3.connect(world.folder / "var" / "bottomline.db", isolation_level=None)) as database:
            database.execute("ALTER TABLE users RENAME TO elsewhere")
        answer = await stranger.post("/api/login", json={"email": ANN["email"], "password": WRONG})
        assert answer.status_code == 503
        await world.web.said("sessions.log_in.*failed")
        assert security(world.web)[-1] == ("sessions.log_in", "failed", 503, "unavailable")
        (why, what) = [line for line in told(world.web) if line.get("request") == answer.headers["x-request-id"]]
        assert (why["event"].startswith("answered 503"), what["code"]) == (True, "unavailable")
        assert not any(WRONG in line for line in world.web.lines)
