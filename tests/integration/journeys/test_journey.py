"""The main job, walked through from outside, on the embedded run and on real servers."""

import asyncio
import signal
import sqlite3
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from domain.user import Role
from entrypoints.settings import SETTINGS
from tests.integration.journeys.worlds import World
from tests.integration.processes import Browser, Process
from tests.integration.servers import Servers
from tests.integration.servers.ports import LoopbackPort

ANN = {"email": "ann@example.org", "username": "ann", "password": "correct horse battery"}
BOB = {"email": "bob@example.org", "username": "bob", "password": "battery horse correct"}


async def sign_up(world: World, browser: Browser, person: dict[str, str], invite: str) -> None:
    answer = await browser.post("/api/users", json={"invite": invite, **person})
    assert (answer.status_code, answer.json()) == (202, {"status": "check_your_email"})


async def confirm(world: World, browser: Browser, person: dict[str, str]) -> None:
    confirmation = await world.mailed(person["email"], "confirmation")
    answer = await browser.post("/api/confirm_account", json={"confirmation": confirmation})
    assert (answer.status_code, answer.json()) == (200, {"status": "confirmed"})


async def log_in(browser: Browser, person: dict[str, str]) -> None:
    answer = await browser.post("/api/login", json={"email": person["email"], "password": person["password"]})
    assert (answer.status_code, answer.json()["status"]) == (200, "logged_in"), answer.text


async def an_operator(world: World, browser: Browser) -> None:
    await sign_up(world, browser, ANN, await world.an_invite(role=Role.ADMIN))
    await confirm(world, browser, ANN)
    await log_in(browser, ANN)


async def test_an_invite_leads_to_a_session_that_can_invite_others(world: World) -> None:
    async with world.web.browser() as ann, world.web.browser() as bob:
        assert (await ann.get("/api/session")).status_code == 401
        await an_operator(world, ann)
        issued = (await ann.post("/api/invites", json={"email": BOB["email"]})).json()
        mailed = await world.mailed(BOB["email"], "invite")
        assert mailed == issued["invite"]
        verified = (await bob.post("/api/invites/verify", json={"invite": mailed})).json()
        assert (verified["email"], verified["invited_by"]) == (BOB["email"], "ann")
        await sign_up(world, bob, BOB, mailed)
        await confirm(world, bob, BOB)
        await log_in(bob, BOB)
        assert (await bob.get("/api/session")).json()["user"]["username"] == "bob"
        await bob.post("/api/logout")
        assert (await bob.get("/api/session")).status_code == 401
        assert (await ann.get("/api/session")).status_code == 200
    assert len(world.mails(BOB["email"])) == 2, "one invite, one confirmation"


async def test_stopping_and_starting_again_keeps_everything(world: World) -> None:
    async with world.web.browser() as ann:
        await an_operator(world, ann)
        for number in (signal.SIGTERM, signal.SIGKILL):
            status = await world.web.stop(number)
            assert status == (0 if number is signal.SIGTERM else -signal.SIGKILL)
            await world.web.start()
            assert (await ann.get("/api/session")).json()["user"]["username"] == "ann"


async def test_a_copied_cookie_is_dead_after_log_out(world: World) -> None:
    async with world.web.browser() as ann, world.web.browser() as thief:
        await an_operator(world, ann)
        thief.cookie = ann.cookie
        assert (await thief.get("/api/session")).status_code == 200
        await ann.post("/api/logout")
        assert (await thief.get("/api/session")).status_code == 401


async def test_200_sign_ups_at_once_with_one_invite_make_one_account(world: World) -> None:
    invite = await world.an_invite(role=Role.ADMIN)
    async with world.web.browser() as crowd:

        async def claim(number: int) -> int:
            body = {**ANN, "invite": invite, "email": f"p{number}@example.org", "username": f"person{number}"}
            while (answer := await crowd.post("/api/users", json=body)).status_code == 503:  # noqa: ASYNC110  as told
                await asyncio.sleep(int(answer.headers["retry-after"]))
            return answer.status_code

        answers = await asyncio.gather(*map(claim, range(200)))
    assert sorted(answers) == [202] + [404] * 199


async def test_a_kill_at_any_moment_of_a_sign_up_loses_no_mail(world: World) -> None:
    """The web process dies at a moment of chance; the same sign-up again is answered 202, and there is one account."""
    invite = await world.an_invite(role=Role.ADMIN)
    async with world.web.browser() as ann:
        for delay in (0.0, 0.002, 0.01, 0.03):
            attempt = asyncio.create_task(ann.post("/api/users", json={"invite": invite, **ANN}))
            await asyncio.sleep(delay)
            await world.web.stop(signal.SIGKILL)
            await asyncio.gather(attempt, return_exceptions=True)
            await world.web.start()
        await sign_up(world, ann, ANN, invite)
        await confirm(world, ann, ANN)
        await log_in(ann, ANN)
    await asyncio.sleep(1)
    assert len(world.mails(ANN["email"])) == 1


async def test_the_command_line_issues_lists_and_revokes_invites(world: World) -> None:
    status, lines = await world.command("invite", "create", "--email", "eve@example.org", "--expires", "2")
    assert status == 0
    assert lines[0].startswith(f"{world.web.url}/signup#invite=")
    assert await world.mailed("eve@example.org", "invite") == lines[0].split("=")[1]
    status, lines = await world.command("invite", "list")
    (line,) = [line for line in lines if "eve@example.org" in line]
    invite_id, state, claims, *_ = line.split()
    assert (status, state, claims) == (0, "open", "0/1")
    assert (await world.command("invite", "revoke", invite_id)) == (0, ["The invite cannot be claimed any more."])
    assert (await world.command("invite", "revoke", "nonsense"))[0] == 2
    status, lines = await world.command("invite", "revoke", "01a20442-b886-7349-820a-2c990f682a6e")
    assert (status, lines) == (1, ["Error: You have no invite with this id."])
    status, lines = await world.command("invite", "create", "--max-claims", "0", "--expires", "1000000000000")
    assert (status, lines) == (
        1,
        ["Error: max_claims: Use a whole number from 1 to 10,000. expires_in_days: Use a whole number from 1 to 365."],
    )


async def test_the_doctor_finds_a_healthy_service_healthy(world: World) -> None:
    status, lines = await world.command("doctor")
    bad = [line.split()[1:3] for line in lines if line.startswith("BAD")]
    assert bad == [["rate", "limits:"], ["password", "hashing:"]]
    assert status == 1, "here is no limit, and hashing is too cheap, which the doctor must say"
    assert any("OWASP" in line for line in lines)
    redis = "answers, and tells of changes" if world.worker else "not set, sessions are cached in this process"
    assert f"ok   Redis: {redis}" in lines


async def test_migrating_again_changes_nothing(world: World) -> None:
    assert await world.command("migrate") == (0, ["The schema is already at revision 0002."])


async def test_the_embedded_run_prints_its_first_invite_until_somebody_has_an_account(
    embedded_world: AbstractAsyncContextManager[World],
) -> None:
    async with embedded_world as world, world.web.browser() as ann:
        invite = await world.web.said(r"^First invite: http://localhost:\d+/signup#invite=(\S+)$")
        await world.web.stop()
        await world.web.start()
        assert await world.web.said(r"^First invite: .*#invite=(\S+)$") == invite
        await sign_up(world, ann, ANN, invite)
        line = await world.web.said(r"^Mail to ann@example.org: .*$")
        assert line.endswith(await world.mailed("ann@example.org", "confirmation"))
        await confirm(world, ann, ANN)
        await log_in(ann, ANN)
        assert (await ann.get("/api/session")).json()["user"]["role"] == "admin"
        await world.web.stop()
        await world.web.start()
        assert not [line for line in world.web.lines if line.startswith("First invite")]


async def test_a_second_process_stays_off_the_same_data(
    embedded_world: AbstractAsyncContextManager[World],
) -> None:
    port = LoopbackPort()
    async with embedded_world as world:
        settings = {**world.settings, "BOTTOMLINE_PORT": str(port.number)}
        async with Process("serve", folder=world.folder, settings=settings) as second:
            assert await second.ended() == 1
            assert second.lines == [f"Error: Another Bottomline is using {world.folder / 'var' / 'bottomline.db'}."]
    port.release()


async def test_a_second_process_with_another_folder_stays_off_the_same_file(
    tmp_path: Path, embedded_world: AbstractAsyncContextManager[World]
) -> None:
    port = LoopbackPort()
    async with embedded_world as world:
        record = world.folder / "var" / "bottomline.db"
        settings = {
            **world.settings,
            "BOTTOMLINE_PORT": str(port.number),
            "BOTTOMLINE_DATA_DIR": str(tmp_path / "other"),
            "BOTTOMLINE_DATABASE_URL": f"sqlite:///{record}",
        }
        async with Process("serve", folder=world.folder, settings=settings) as second:
            assert await second.ended() == 1
            assert second.lines == [f"Error: Another Bottomline is using {record}."]
    port.release()


async def test_an_address_that_is_not_of_this_machine_is_said_in_a_line(tmp_path: Path) -> None:
    async with Process("serve", folder=tmp_path, settings={"BOTTOMLINE_HOST": "192.0.2.1"}) as process:
        assert await process.ended() == 1
        (line,) = process.lines
        assert line.startswith("Error: Cannot listen on 192.0.2.1:8000: ")
        assert line.endswith("See to BOTTOMLINE_HOST.")


async def test_a_folder_that_cannot_be_made_is_said_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    settings = {"BOTTOMLINE_SECRET_KEYS": "s" * 32, "BOTTOMLINE_DATA_DIR": str(tmp_path / "file" / "var")}
    async with Process("serve", folder=tmp_path, settings=settings) as process:
        assert (await process.ended(), len(process.lines)) == (1, 1)
        assert process.lines[0].startswith("Error: ")


async def test_the_settings_are_explained(tmp_path: Path) -> None:
    async with Process("settings", folder=tmp_path, settings={}) as process:
        assert await process.ended() == 0
        for name, setting in SETTINGS.items():
            assert any(line.startswith(f"BOTTOMLINE_{name}") for line in process.lines)
            assert f"    {setting.meaning}." in process.lines


async def test_a_port_that_is_taken_is_said_in_a_line(
    tmp_path: Path, embedded_world: AbstractAsyncContextManager[World]
) -> None:
    async with embedded_world as world:
        port = str(world.web.port)
        settings = {"BOTTOMLINE_PORT": port, "BOTTOMLINE_DATA_DIR": str(tmp_path / "other")}
        async with Process("serve", folder=tmp_path, settings=settings) as second:
            assert await second.ended() == 1
            assert second.lines[0].startswith(f"Error: Cannot listen on 127.0.0.1:{port}: Address already in use.")


async def test_an_invite_can_be_the_first_thing_that_is_made(tmp_path: Path) -> None:
    async with Process("invite", "create", "--operator", folder=tmp_path, settings={}) as process:
        assert await process.ended() == 0
    assert process.lines[0].startswith("http://localhost:8000/signup#invite=")


async def test_data_and_mails_are_for_their_owner_alone(
    embedded_world: AbstractAsyncContextManager[World],
) -> None:
    async with embedded_world as world:
        assert (world.folder / "var").stat().st_mode & 0o077 == 0
        connection = sqlite3.connect(world.folder / "var" / "bottomline.db")
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        connection.close()


async def test_the_embedded_run_says_where_its_mails_are_shown(
    embedded_world: AbstractAsyncContextManager[World],
) -> None:
    async with embedded_world as world:
        page = await world.web.said(r"^Mails: (\S+)$")
        assert page == f"{world.web.url}/mailbox"
        async with world.web.browser() as reader:
            assert (await reader.get("/mailbox/mails")).status_code == 200
            assert (await reader.get("/mailbox/mails", headers={"x-forwarded-for": "127.0.0.1"})).status_code == 404


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"BOTTOMLINE_PROT": "1"}, "BOTTOMLINE_PROT: there is no such setting. Did you mean BOTTOMLINE_PORT?"),
        ({"BOTTOMLINE_PORT": "x"}, "BOTTOMLINE_PORT: write a whole number from 1 to 65,535."),
        (
            {"BOTTOMLINE_REDIS_URL": "redis://localhost"},
            "BOTTOMLINE_SECRET_KEYS: needed with BOTTOMLINE_REDIS_URL. Make one with: openssl rand -hex 32",
        ),
    ],
)
@pytest.mark.parametrize("command", [("serve",), ("worker",), ("migrate",), ("doctor",), ("invite", "list")])
async def test_a_bad_setting_stops_every_command_with_a_line(
    tmp_path: Path, settings: dict[str, str], line: str, command: tuple[str, ...]
) -> None:
    async with Process(*command, folder=tmp_path, settings=settings) as process:
        assert (await process.ended(), process.lines) == (2, [line])


@pytest.mark.parametrize("command", [("serve",), ("worker",), ("invite", "create")])
async def test_a_database_without_its_schema_stops_the_start_with_what_to_do(
    tmp_path: Path, servers: Servers, command: tuple[str, ...]
) -> None:
    settings = {
        "BOTTOMLINE_DATABASE_URL": servers.postgres,
        "BOTTOMLINE_RABBITMQ_URL": servers.rabbitmq,
        "BOTTOMLINE_SECRET_KEYS": "s" * 32,
    }
    async with Process(*command, folder=tmp_path, settings=settings) as process:
        assert (await process.ended(), process.lines) == (
            1,
            ["Error: The schema is at nothing and must be at 0002. Run: bottomline migrate"],
        )
