"""The security log: one line for each event, and no secret in any."""

import asyncio
import base64
import io
import json
import logging
import re
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from application.ports import Unavailable
from entrypoints.http import shell
from entrypoints.http.app import create_app
from entrypoints.logs import LogFormatter
from entrypoints.settings import Settings, read_settings
from tests.asgi import routes_of, running
from tests.unit.http.people import ANN, CREDENTIALS, a_member, mailed

Lines = Callable[[], list[dict[str, Any]]]
OPERATIONS = Path(__file__).parents[3] / "docs" / "operations.md"
WRONG = "canary wrong password"
TAMPERED = "canaryTAMPEREDcanaryTAMPERED"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """All that anything logs, down to debug level."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(LogFormatter(in_json=True))
    handler.addFilter(lambda record: record.name != "httpx")  # the client's own, with the whole URL
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(before)


@pytest.fixture
def events(log: io.StringIO) -> Lines:
    """The lines of the security log since the last time; each has been checked for what all have."""

    def read() -> list[dict[str, Any]]:
        found = [line for line in map(json.loads, log.getvalue().splitlines()) if line["logger"] == "security"]
        log.seek(0)
        log.truncate()
        for line in found:
            assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", line.pop("time"))
            assert re.fullmatch("[0-9a-f]{16}", line.pop("request"))
            assert 0 <= line.pop("milliseconds") < 60_000
            assert line.pop("client") == "127.0.0.1"
            assert line.pop("level") == ("warning" if line["status"] >= 500 else "info")
            del line["logger"]
        return found

    return read


def done(event: str, status: int = 200, **more: str) -> dict[str, Any]:
    return {"event": event, "outcome": "done", "status": status, **more}


def refused(event: str, status: int, code: str, **more: str) -> dict[str, Any]:
    return {"event": event, "outcome": "refused", "status": status, "code": code, **more}


async def test_each_event_leaves_one_line(
    client: httpx.AsyncClient, first_invite: str, said: list[str], events: Lines
) -> None:
    await client.post("/api/invites/verify", json={"invite": "nonsense"})
    await client.post("/api/users", json={"invite": first_invite, **ANN, "password": "passwordpassword"})
    await client.post("/api/users", json={"invite": first_invite, **ANN})
    await client.post("/api/confirm_account", json={"confirmation": await mailed(ANN["email"], "confirmation", said)})
    assert events() == [
        refused("invites.verify", 404, "invite_invalid"),
        refused("accounts.sign_up", 400, "password_guessable"),
        done("accounts.sign_up", 202),
        done("accounts.confirm"),
    ]
    await client.post("/api/login", json={**CREDENTIALS, "password": WRONG})
    await client.get("/api/session")
    user = (await client.post("/api/login", json=CREDENTIALS)).json()["user"]["id"]
    session = (await client.get("/api/session")).json()["session"]["id"]
    who = {"user": user, "session": session}
    assert events() == [
        refused("sessions.log_in", 401, "credentials_invalid"),
        refused("sessions.current", 401, "not_logged_in"),
        done("sessions.log_in", **who),
    ]
    invite = (await client.post("/api/invites", json={})).json()["id"]
    await client.delete(f"/api/invites/{invite}")
    await client.delete(f"/api/invites/{user}")
    await client.post("/api/logout")
    await client.post("/api/logout")
    assert events() == [
        done("invites.issue", 201, **who),
        done("invites.revoke", 204, **who),
        refused("invites.revoke", 404, "invite_not_found", **who),
        done("sessions.log_out", **who),
        done("sessions.log_out"),
    ]


async def test_what_cannot_be_read_or_reached_leaves_a_line_too(client: httpx.AsyncClient, events: Lines) -> None:
    json_type = {"content-type": "application/json"}
    await client.post("/api/login", content="{", headers=json_type)
    await client.post("/api/login", content="{}", headers={"content-type": "text/plain"})
    await client.post("/api/login", content=b"x" * 20_000, headers=json_type)
    await client.post("/api/nothing", json={})
    await client.put("/api/login", json={})
    assert events() == [
        refused("sessions.log_in", 400, "malformed_body"),
        refused("unrouted", 415, "unsupported_media_type"),
        refused("sessions.log_in", 413, "body_too_large"),
        refused("unrouted", 404, "not_found"),
        refused("unrouted", 405, "method_not_allowed"),
    ]


async def test_what_another_site_sends_or_asks_without_a_session_leaves_a_line(
    client: httpx.AsyncClient, events: Lines
) -> None:
    await client.post("/api/login", json=CREDENTIALS, headers={"origin": "https://evil.example"})
    await client.head("/api/session")
    await client.options("/api/session")
    assert events() == [
        refused("unrouted", 403, "cross_site"),
        refused("sessions.current", 401, "not_logged_in"),
    ]


async def test_the_fields_are_those_that_the_documentation_explains(
    client: httpx.AsyncClient, first_invite: str, said: list[str], log: io.StringIO
) -> None:
    await a_member(client, first_invite, said)
    await client.post("/api/login", json=CREDENTIALS)
    await client.delete("/api/invites/01a20442-b886-7349-820a-2c990f682a6e")
    found = [line for line in map(json.loads, log.getvalue().splitlines()) if line["logger"] == "security"]
    section = OPERATIONS.read_text().split("## The log")[1].split("\n## ")[0]
    documented = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
    assert set(documented) == {name for line in found for name in line}


async def test_reading_and_pages_leave_no_line(
    client: httpx.AsyncClient, first_invite: str, said: list[str], events: Lines
) -> None:
    await a_member(client, first_invite, said)
    await client.post("/api/login", json=CREDENTIALS)
    events()
    for path in ("/", "/login", "/live", "/ready", "/api/session", "/api/invites", "/no/such/page"):
        await client.get(path)
    assert events() == []


async def test_each_answer_has_a_request_id_of_ours(client: httpx.AsyncClient, log: io.StringIO) -> None:
    answers = [
        await client.request(method, path, headers={"X-Request-Id": "0123456789abcdef"})
        for method, path in (("GET", "/"), ("GET", "/nothing"), ("POST", "/api/login"), ("GET", "/api/session"))
    ]
    ids = [answer.headers.get_list("x-request-id") for answer in answers]
    assert all(len(found) == 1 and re.fullmatch("[0-9a-f]{16}", found[0]) for found in ids)
    assert len({found[0] for found in ids}) == 4
    assert ["0123456789abcdef"] not in ids
    told = [json.loads(line)["request"] for line in log.getvalue().splitlines() if '"security"' in line]
    assert told == [ids[2][0], ids[3][0]]


async def test_the_client_is_told_from_the_operators_own_proxies_alone(
    tmp_path: Path, empty_database: Path, log: io.StringIO
) -> None:
    shutil.copy(empty_database, tmp_path / "bottomline.db")
    environ = {"BOTTOMLINE_DATA_DIR": str(tmp_path), "BOTTOMLINE_RATE_LIMITS": "off"}
    forged = {"x-forwarded-for": f"{TAMPERED}, 203.0.113.7"}
    for proxies in ("127.0.0.1", "192.0.2.1"):
        settings = read_settings({**environ, "BOTTOMLINE_TRUSTED_PROXIES": proxies})
        async with running(create_app(settings, lambda _: None)) as client:
            await client.post("/api/logout", headers=forged)
    lines = [line for line in map(json.loads, log.getvalue().splitlines()) if line["logger"] == "security"]
    assert [line["client"] for line in lines] == ["203.0.113.7", "127.0.0.1"]
    assert TAMPERED not in log.getvalue()


class Failing:
    """A record that fails with a secret in its words."""

    def __init__(self, fault: Exception) -> None:
        self._fault = fault

    @asynccontextmanager
    async def __call__(self) -> AsyncIterator[Any]:
        raise self._fault
        yield


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [(RuntimeError(WRONG), 500, "internal_error"), (Unavailable("no answer"), 503, "unavailable")],
)
async def test_a_fault_is_told_with_the_request_that_met_it(
    settings: Settings, log: io.StringIO, fault: Exception, status: int, code: str
) -> None:
    async with running(create_app(settings, lambda _: None, swap={"read": Failing(fault)})) as client:
        answer = await client.post("/api/login", json={**CREDENTIALS, "password": WRONG})
    assert answer.status_code == status
    lines = [json.loads(line) for line in log.getvalue().splitlines()]
    why, what = (line for line in lines if line.get("request") == answer.headers["x-request-id"])
    assert (what["event"], what["outcome"], what["code"]) == ("sessions.log_in", "failed", code)
    assert ("RuntimeError" in why.get("exception", "")) == (status == 500)
    assert WRONG not in log.getvalue()


async def test_a_late_answer_leaves_one_line(
    client: httpx.AsyncClient, events: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shell, "DEADLINE", 0)
    assert (await client.post("/api/login", json=CREDENTIALS)).status_code == 503
    (line,) = events()
    assert line.pop("event") in {"sessions.log_in", "unrouted"}, "as far as it came"
    assert line == {"outcome": "failed", "status": 503, "code": "unavailable"}


async def test_a_request_that_is_cut_off_is_no_fault_of_ours(settings: Settings, events: Lines) -> None:
    """As when the process is stopped and the client has gone, or its answer takes longer than the stop."""
    asked, gone = asyncio.Event(), asyncio.Event()
    answers: list[Any] = []

    async def receive() -> Any:
        asked.set()
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        answers.append(message)

    headers = [(b"host", b"localhost"), (b"content-type", b"application/json"), (b"content-length", b"9")]
    scope: Any = {"type": "http", "method": "POST", "path": "/api/login", "raw_path": b"/api/login", "headers": headers}
    scope |= {"asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http", "query_string": b"", "root_path": ""}
    scope |= {"client": ("127.0.0.1", 50_000), "server": ("localhost", 8000), "state": {}}
    app = create_app(settings, lambda _: None)
    async with running(app):
        request = asyncio.ensure_future(app(scope, receive, send))
        await asked.wait()
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
        assert not answers
        gone.set()
    assert events() == [{"event": "sessions.log_in", "outcome": "cut_off", "status": 499}]


async def test_no_secret_reaches_the_log_at_any_level(
    client: httpx.AsyncClient, first_invite: str, said: list[str], log: io.StringIO, settings: Settings
) -> None:
    secrets = [WRONG, TAMPERED, ANN["password"], first_invite, *settings.secret_keys]
    for forged in (WRONG, f'{WRONG}"\r\n{{"event": "forged"}}'):
        await client.post("/api/login", json={**CREDENTIALS, "password": forged}, headers={"user-agent": "a\x1b[31m"})
        await client.post("/api/users", json={forged: forged, "invite": forged, "email": forged, "password": forged})
        await client.post(
            "/api/login", content=f'{{"password": "{forged}', headers={"content-type": "application/json"}
        )
    await client.get("/api/session", headers={"cookie": f"__Host-session={TAMPERED}"})
    await client.get(f"/invite?confirmation={TAMPERED}")
    await client.get(f"/api/{TAMPERED}?confirmation={TAMPERED}")
    await client.post("/api/confirm_account", json={"confirmation": TAMPERED})
    await a_member(client, first_invite, said)
    secrets.append(await mailed(ANN["email"], "confirmation", said))
    logged_in = await client.post("/api/login", json=CREDENTIALS)
    cookie = logged_in.cookies["__Host-session"]
    app: Any = client._transport
    key = routes_of(app.app).state.container.seal().open(cookie).secret
    secrets += [cookie, key.hex(), repr(key)[2:-1], base64.b64encode(key).decode()]
    issued = (await client.post("/api/invites", json={"email": "bob@example.org"})).json()
    secrets.append(issued["invite"])
    await client.delete(f"/api/invites/{issued['id']}")
    await client.get("/api/session", headers={"cookie": f"__Host-session={cookie[:-1]}x; __Host-session={cookie}"})
    await client.post("/api/logout")
    text = log.getvalue()
    assert text.count('"logger": "security"') == 16
    assert "aiosqlite" in text, "debug level is on"
    assert [secret for secret in secrets if secret in text] == []
    assert all(line.isprintable() and json.loads(line)["event"] != "forged" for line in text.splitlines())
