"""The mailbox of the embedded run: what it shows, and to whom alone."""

import os
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest
from litestar import Litestar

from adapters.files import mailbox as files
from entrypoints.http.app import routed
from entrypoints.http.mailbox import MOST
from entrypoints.settings import Settings, read_settings
from tests.unit.http.people import ANN, a_member, log_in

PATHS = ("/mailbox", "/mailbox/mails", "/mailbox/mails/{id}", "/mailbox/mails/{id}/html")
A_BROWSER = {"accept": "text/html"}
PLAIN = """From: Bottomline <bottomline@localhost>\r
To: {to}\r
Subject: {subject}\r
Date: Thu, 01 Jan 2026 12:00:00 +0000\r
\r
{text}\r
"""


@pytest.fixture
def folder(settings: Settings) -> Path:
    settings.mail_folder.mkdir(exist_ok=True)
    return settings.mail_folder


@pytest.fixture
async def mail(client: httpx.AsyncClient, first_invite: str, said: list[str]) -> dict[str, Any]:
    """The one mail that was sent: Ann's confirmation."""
    await a_member(client, first_invite, said)
    (found,) = (await client.get("/mailbox/mails")).json()
    return dict(found)


def put(folder: Path, *, text: str = "Hello", to: str = "bob@example.org", subject: str = "x", at: int = 0) -> UUID:
    """A mail of text alone, sent so many seconds after another."""
    mail_id = uuid4()
    file = folder / f"{mail_id}.eml"
    file.write_bytes(PLAIN.format(to=to, subject=subject, text=text).encode())
    os.utime(file, (1_767_268_800 + at, 1_767_268_800 + at))
    return mail_id


def reached(client: httpx.AsyncClient, peer: tuple[str, int] | None) -> httpx.AsyncClient:
    """A client of the same application that is somewhere else."""
    transport: Any = client._transport
    elsewhere: Any = peer
    return httpx.AsyncClient(transport=httpx.ASGITransport(transport.app, client=elsewhere), base_url=client.base_url)


async def test_it_is_not_there_in_http_1_0(client: httpx.AsyncClient, mail: dict[str, Any]) -> None:
    transport: Any = client._transport

    async def through_an_old_proxy(scope: Any, receive: Any, send: Any) -> None:
        await transport.app({**scope, "http_version": "1.0"}, receive, send)

    old = httpx.ASGITransport(through_an_old_proxy)
    async with httpx.AsyncClient(transport=old, base_url=client.base_url) as proxied:
        assert (await proxied.get("/live")).status_code == 200
        for path in ("/mailbox", "/mailbox/mails", f"/mailbox/mails/{mail['id']}"):
            assert (await proxied.get(path)).status_code == 404


def paths(app: Litestar) -> set[str]:
    return {route.path for route in app.routes}


async def test_a_sign_up_is_confirmed_with_nothing_but_the_mailbox(
    client: httpx.AsyncClient, first_invite: str
) -> None:
    assert (await client.get("/mailbox/mails")).json() == []
    await client.post("/api/users", json={"invite": first_invite, **ANN})
    found: list[dict[str, Any]] = []
    while not found:
        found = (await client.get("/mailbox/mails")).json()
    token = found[0]["link"].partition("#confirmation=")[2]
    assert (await client.post("/api/confirm_account", json={"confirmation": token})).status_code == 200
    await log_in(client)


async def test_a_mail_is_listed_and_shown_with_its_words(client: httpx.AsyncClient, mail: dict[str, Any]) -> None:
    assert mail.keys() == {"id", "to", "subject", "at", "link"}
    assert (mail["to"], mail["subject"]) == ("ann@example.org", "Confirm your address for Bottomline")
    assert mail["link"].startswith("http://localhost:8000/invite#confirmation=")
    assert datetime.fromisoformat(mail["at"]).tzinfo is not None
    whole = (await client.get(f"/mailbox/mails/{mail['id']}")).json()
    assert {name: whole[name] for name in mail} == mail
    assert "Hello ann" in whole["text"]
    assert mail["link"] in whole["text"]


async def test_the_html_of_a_mail_is_shown_where_it_can_do_nothing_but_lead_on(
    client: httpx.AsyncClient, mail: dict[str, Any]
) -> None:
    assert (await client.get(f"/mailbox/mails/{mail['id']}")).json()["has_html"] is True
    html = await client.get(f"/mailbox/mails/{mail['id']}/html")
    assert html.headers["content-type"] == "text/html; charset=utf-8"
    assert {part.strip() for part in html.headers["content-security-policy"].split(";")} == {
        "default-src 'none'",
        "style-src 'unsafe-inline'",
        "frame-ancestors 'self'",
        "sandbox allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation",
    }
    assert html.text.count('<base target="_top">') == 1
    assert mail["link"] in html.text


async def test_only_the_mailbox_shows_frames_and_of_this_origin_alone(client: httpx.AsyncClient) -> None:
    page = await client.get("/mailbox")
    policies = [(await client.get(path)).headers["content-security-policy"] for path in ("/mailbox", "/login")]
    assert policies[0] == f"{policies[1]}; frame-src 'self'"
    assert page.headers["content-type"] == "text/html; charset=utf-8"


async def test_a_mail_of_text_alone_has_no_html(client: httpx.AsyncClient, folder: Path) -> None:
    mail_id = put(folder, text="Grüße\r\n\r\nhttps://x.example/login\r\n\r\nhttps://x.example/reset#reset=secret")
    whole = (await client.get(f"/mailbox/mails/{mail_id}")).json()
    assert (whole["has_html"], whole["link"]) == (False, "https://x.example/reset#reset=secret")
    assert "https://x.example/login" in whole["text"]
    answer = await client.get(f"/mailbox/mails/{mail_id}/html")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("text", "link"),
    [
        ("no link", None),
        ("see https://x.example/forgot now", "https://x.example/forgot"),
        ("bye\r\n-- \r\nhttps://x.example", None),
        ("https://x.example/forgot\r\n-- \r\nhttps://x.example/help#us", "https://x.example/forgot"),
        ("javascript:alert(1)#x", None),
    ],
)
async def test_the_link_is_the_one_to_follow(
    client: httpx.AsyncClient, folder: Path, text: str, link: str | None
) -> None:
    put(folder, text=text)
    assert [mail["link"] for mail in (await client.get("/mailbox/mails")).json()] == [link]


async def test_the_newest_hundred_are_listed_newest_first(client: httpx.AsyncClient, folder: Path) -> None:
    made = [str(put(folder, at=second)) for second in range(MOST + 3)]
    for _ in range(2):
        assert [mail["id"] for mail in (await client.get("/mailbox/mails")).json()] == made[:2:-1]
    (folder / f"{made[-1]}.eml").unlink()
    newer = str(put(folder, at=1_000))
    assert [mail["id"] for mail in (await client.get("/mailbox/mails")).json()][:2] == [newer, made[-2]]


async def test_a_mail_that_is_sent_again_is_read_again(client: httpx.AsyncClient, folder: Path) -> None:
    mail_id = put(folder, subject="first")
    assert [mail["subject"] for mail in (await client.get("/mailbox/mails")).json()] == ["first"]
    again = put(folder, subject="second", at=9)
    (folder / f"{again}.eml").replace(folder / f"{mail_id}.eml")
    assert [mail["subject"] for mail in (await client.get("/mailbox/mails")).json()] == ["second"]


async def test_strange_files_are_left_out(client: httpx.AsyncClient, folder: Path, tmp_path: Path) -> None:
    mail_id = put(folder)
    secret = tmp_path / "elsewhere.eml"
    secret.write_text(PLAIN.format(to="x@example.org", subject="elsewhere", text="secret"))
    strange: dict[str, bytes] = {
        "empty": b"",
        "half-written": b"From: x\r\nTo: y@exam",
        "bytes": bytes(range(256)) * 9,
        "no date": PLAIN.replace("Date:", "Sent:").encode(),
        "another date": PLAIN.replace("Thu, 01 Jan 2026 12:00:00 +0000", "soon").encode(),
        "another charset": PLAIN.replace("\r\n\r\n", "\r\nContent-Type: text/plain; charset=nope\r\n\r\n").encode(),
        "another type": PLAIN.replace("\r\n\r\n", "\r\nContent-Type: image/png\r\n\r\n").encode(),
        "huge": PLAIN.encode() + b"x" * files.LARGEST,
    }
    ids = {what: uuid4() for what in (*strange, "link", "folder")}
    for what, content in strange.items():
        (folder / f"{ids[what]}.eml").write_bytes(content)
    (folder / f"{ids['link']}.eml").symlink_to(secret)
    (folder / f"{ids['folder']}.eml").mkdir()
    for name in ("notes.txt", f".{uuid4()}.eml.part", f"{uuid4()}.eml~", "x.eml", f"{uuid4()}.eml\n"):
        (folder / name).write_text(PLAIN)
    for _ in range(2):
        assert [mail["id"] for mail in (await client.get("/mailbox/mails")).json()] == [str(mail_id)]
    for what, strange_id in ids.items():
        for path in (f"/mailbox/mails/{strange_id}", f"/mailbox/mails/{strange_id}/html"):
            answer = await client.get(path)
            assert (answer.status_code, "secret" in answer.text) == (404, False), what


async def test_there_is_no_mail_that_is_not_in_the_folder(client: httpx.AsyncClient, folder: Path) -> None:
    (folder.parent / "outside.eml").write_text(PLAIN)
    for name in (uuid4(), "..%2foutside", "outside", "%00", f"{put(folder)}.eml"):
        assert (await client.get(f"/mailbox/mails/{name}")).status_code == 404


async def test_nothing_of_it_is_kept(client: httpx.AsyncClient, mail: dict[str, Any]) -> None:
    for path in PATHS:
        answer = await client.get(path.format(id=mail["id"]))
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store"), path


async def check_is_nowhere(client: httpx.AsyncClient, mail_id: str, headers: list[tuple[str, str]], what: str) -> None:
    """Every path of the mailbox is answered as one that leads nowhere is."""
    for accepted in ([], list(A_BROWSER.items())):
        nowhere = await client.get("/nowhere", headers=[*headers, *accepted])
        for path in PATHS:
            answer = await client.get(path.format(id=mail_id), headers=[*headers, *accepted])
            assert (answer.status_code, answer.content) == (nowhere.status_code, nowhere.content), (what, path)
            assert answer.status_code in (400, 404), "400 is what no Host is answered, wherever it leads"
            plain = {name: value for name, value in answer.headers.items() if name != "x-request-id"}
            assert plain == {name: nowhere.headers[name] for name in plain}, (what, path)


@pytest.mark.parametrize("peer", ["203.0.113.7", "10.0.0.1", "192.168.1.2", "::2", "::ffff:203.0.113.7", "unix", ""])
async def test_it_is_not_there_for_other_machines(client: httpx.AsyncClient, mail: dict[str, Any], peer: str) -> None:
    async with reached(client, (peer, 40_000)) as elsewhere:
        await check_is_nowhere(elsewhere, mail["id"], [], peer)


async def test_it_is_not_there_for_nobody_knows_whom(client: httpx.AsyncClient, mail: dict[str, Any]) -> None:
    async with reached(client, None) as elsewhere:
        await check_is_nowhere(elsewhere, mail["id"], [], "no peer")


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize("host", ["localhost", "localhost:8000", "LocalHost:1", "127.0.0.1:8000", "[::1]", "[::1]:80"])
async def test_it_is_there_for_this_machine(
    client: httpx.AsyncClient, mail: dict[str, Any], peer: str, host: str
) -> None:
    async with reached(client, (peer, 40_000)) as here:
        for path in PATHS:
            assert (await here.get(path.format(id=mail["id"]), headers={"host": host})).status_code == 200


@pytest.mark.parametrize(
    "hosts",
    [
        ["evil.example"],
        ["evil.example:8000"],
        ["localhost.evil.example"],
        ["evil.localhost:8000"],
        ["127.0.0.1.evil.example"],
        ["localhost:8000@evil.example"],
        ["evil@localhost"],
        ["localhost."],
        ["localhost:"],
        ["localhost:80:80"],
        ["localhost, evil.example"],
        ["0.0.0.0:8000"],
        ["10.0.0.1"],
        ["2130706433"],
        ["::1"],
        ["[::1]evil.example"],
        ["[::1].evil.example"],
        [""],
        ["localhost:8000", "evil.example"],
        ["evil.example", "localhost:8000"],
        ["localhost", "localhost"],
    ],
)
async def test_it_is_not_there_by_another_name(
    client: httpx.AsyncClient, mail: dict[str, Any], hosts: list[str]
) -> None:
    await check_is_nowhere(client, mail["id"], [("host", host) for host in hosts], str(hosts))


@pytest.mark.parametrize(
    "name",
    [
        "X-Forwarded-For",
        "x-forwarded-host",
        "X-Forwarded-Proto",
        "x-forwarded-anything",
        "Forwarded",
        "X-Real-IP",
        "Via",
    ],
)
@pytest.mark.parametrize("value", ["127.0.0.1", ""])
async def test_it_is_not_there_for_what_a_proxy_passes_on(
    client: httpx.AsyncClient, mail: dict[str, Any], name: str, value: str
) -> None:
    await check_is_nowhere(client, mail["id"], [(name, value)], name)


@pytest.mark.parametrize(
    "environ",
    [
        {"DATABASE_URL": "postgresql://u:p@localhost/b"},
        {"SMTP_URL": "smtp://localhost"},
        {"HOST": "0.0.0.0"},  # noqa: S104
        {"HOST": "::"},
        {"HOST": "192.168.1.2"},
        {"PUBLIC_URL": "https://accounts.example.org"},
        {"PUBLIC_URL": "http://bottomline.lan:8000"},
        {"PUBLIC_URL": "http://localhost.evil.example"},
        {"TRUSTED_PROXIES": "127.0.0.1"},
    ],
)
def test_it_is_not_there_where_others_are_meant_to_come(tmp_path: Path, environ: dict[str, str]) -> None:
    own = {"DATA_DIR": str(tmp_path), "SECRET_KEYS": "s" * 32}
    settings = read_settings({f"BOTTOMLINE_{name}": value for name, value in {**own, **environ}.items()})
    assert not [path for path in paths(routed(settings)) if path.startswith("/mailbox")]


@pytest.mark.parametrize(
    "environ", [{}, {"HOST": "::1"}, {"HOST": "localhost"}, {"PUBLIC_URL": "http://127.0.0.1:8000"}]
)
def test_it_is_there_in_the_embedded_run(tmp_path: Path, environ: dict[str, str]) -> None:
    settings = read_settings(
        {f"BOTTOMLINE_{name}": value for name, value in {"DATA_DIR": str(tmp_path), **environ}.items()}
    )
    assert {"/mailbox", "/mailbox/mails"} < paths(routed(settings))


def test_a_mail_that_is_read_does_not_show_its_link(folder: Path) -> None:
    mail_id = put(folder, text="https://x.example/reset#reset=secret")
    assert "secret" not in repr(files.FileMailbox(folder)._get(mail_id))


async def test_a_folder_that_is_not_there_yet_has_no_mails(tmp_path: Path) -> None:
    mailbox = files.FileMailbox(tmp_path / "none")
    assert list(await mailbox.newest(9)) == []
    assert await mailbox.get(uuid4()) is None
