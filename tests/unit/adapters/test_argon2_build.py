"""Whether passwords could be hashed faster on this machine."""

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest

from adapters.argon2 import build
from entrypoints.cli.checkup import check
from entrypoints.settings import read_settings


@dataclass
class Installed:
    """A distribution, as `importlib.metadata` tells of it."""

    tag: str
    version: str = "26.2.0"

    def read_text(self, name: str) -> str | None:
        return {"WHEEL": f"Wheel-Version: 1.0\nTag: {self.tag}\n"}.get(name)


def installed(monkeypatch: pytest.MonkeyPatch, tag: str, machine: str = "x86_64") -> None:
    monkeypatch.setattr(build, "distribution", lambda _: Installed(tag))
    monkeypatch.setattr("platform.machine", lambda: machine)


@pytest.mark.parametrize("tag", ["cp310-abi3-manylinux_2_28_x86_64", "cp310-abi3-musllinux_1_2_x86_64"])
async def test_the_doctor_says_what_building_argon2_gains(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tag: str
) -> None:
    installed(monkeypatch, tag)
    said = await hashing(tmp_path)
    assert "takes about half of that" in said
    assert "argon2-cffi-bindings==26.2.0" in said


@pytest.mark.parametrize(
    ("tag", "machine"),
    [("cp310-abi3-linux_x86_64", "x86_64"), ("cp310-abi3-manylinux_2_28_aarch64", "aarch64")],
)
async def test_the_doctor_is_content_with_what_was_built_here_and_where_building_gains_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, tag: str, machine: str
) -> None:
    installed(monkeypatch, tag, machine)
    assert "takes about half" not in await hashing(tmp_path)


def test_bindings_that_no_package_brought_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody(name: str) -> Installed:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(build, "distribution", nobody)
    assert build.published_for_any_processor() is None


async def hashing(folder: Path) -> str:
    """What the doctor says of password hashing."""
    lines = list[str]()
    assert await check(read_settings({"BOTTOMLINE_DATA_DIR": str(folder)}), lines.append)
    start = next(nth for nth, line in enumerate(lines) if "password hashing" in line)
    return "\n".join(lines[start : start + 2])
