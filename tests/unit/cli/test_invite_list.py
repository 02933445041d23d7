"""`bottomline invite list` prints all invites there are, however many."""

import asyncio
from pathlib import Path

from click.testing import CliRunner

from application.invites.list_invites import PAGE
from domain.invite import InviteTerms
from entrypoints.cli import main
from entrypoints.container import opened
from entrypoints.settings import Settings

MANY = 2 * PAGE + 50


def listed(data: Path) -> list[str]:
    result = CliRunner().invoke(main, ["invite", "list"], env={"BOTTOMLINE_DATA_DIR": str(data)})
    assert result.exit_code == 0, result.output
    return result.output.splitlines()


async def issue(settings: Settings, many: int) -> list[str]:
    async with opened(settings, announce=lambda _: None) as container:
        issued = [await container.issue_invite()(terms=InviteTerms(), by=None) for _ in range(many)]
    return [str(invite.id) for invite in issued]


def test_all_invites_are_printed_newest_first(settings: Settings, tmp_path: Path) -> None:
    issued = asyncio.run(issue(settings, MANY))
    assert [line.split()[0] for line in listed(tmp_path)] == issued[::-1]


def test_where_there_are_none_it_says_how_to_make_one(settings: Settings, tmp_path: Path) -> None:
    assert listed(tmp_path) == ["There are no invites. Make one: bottomline invite create"]
