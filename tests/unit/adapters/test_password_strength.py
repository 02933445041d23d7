"""Which new passwords are refused, and what it costs to find out."""

import asyncio
import hashlib
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from time import perf_counter

import pytest

from adapters.files.breached_passwords import (
    BreachedPasswordsFileDamaged,
    FileBreachedPasswords,
    NoBreachedPasswords,
    examine,
)
from adapters.zxcvbn.password_strength import ZxcvbnPasswordStrength
from application.password_check import PasswordCheck
from application.ports import BreachedPasswords, Unavailable
from domain.errors import InvalidFields
from domain.password import NewPassword, PasswordPolicy
from entrypoints.cli.checkup import check as doctor
from entrypoints.settings import BadSettings, read_settings

WORDS = ("quillfeather", "marigold.pott@thimbleworks.example")


@pytest.fixture
def strength() -> Iterator[ZxcvbnPasswordStrength]:
    opened = ZxcvbnPasswordStrength()
    yield opened
    opened.close()


async def codes(
    password: str, strength: ZxcvbnPasswordStrength, breached: BreachedPasswords | None = None
) -> list[str]:
    """What is wrong with a password that is long enough."""
    accepted = PasswordPolicy().accept(password)
    check = PasswordCheck(strength, breached or NoBreachedPasswords(), "Acme Choir")
    try:
        await check(accepted, words=WORDS, field="new_password")
    except InvalidFields as refusal:
        return [bad.code for bad in refusal.fields if bad.field == "new_password"]
    return []


@pytest.mark.parametrize(
    "password",
    [
        "passwordpassword",
        "p4$$w0rdP4$$w0rd",
        "iloveyouiloveyou",
        "trustno1trustno1",
        "password1password2",
        "letmeinletmeinletmein",
        "qwertyuiopasdfgh",
        "1qaz2wsx3edc4rfv",
        "zxcvbnmasdfghjkl",
        "!@#$%^&*()_+|}{",
        "aaaaaaaaaaaaaaaa",
        "abcabcabcabcabcabc",
        "123456789012345",
        "abcdefghijklmnop",
        "19911991199119911991",
        "日本日本日本日本日本日本日本日本",
        "aaaaaaaaaaaaaaaa" * 60,
    ],
    ids=lambda password: password[:20],
)
async def test_a_long_password_that_is_easy_to_guess_is_refused(
    strength: ZxcvbnPasswordStrength, password: str
) -> None:
    assert await codes(password, strength) == ["password_guessable"]


@pytest.mark.parametrize(
    "password",
    [
        "quillfeather1234",
        "QuillFeather.2024",
        "qu1llf3ather!2024",
        "rehtaeflliuq1234",
        "marigold.pott@thimbleworks.example",
        "Marigold-Pott-1985",
        "thimbleworks!thimbleworks",
        "Acme Choir password",
        "bottomline123456",
        "bottomlineacmechoir",
    ],
)
async def test_the_name_the_address_and_the_brand_are_worth_nothing(
    strength: ZxcvbnPasswordStrength, password: str
) -> None:
    assert await codes(password, strength) == ["password_guessable"]


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery",
        "owls never sing at noon",
        "quillfeather keeps nine lazy otters",
        "наша бабушка любит море",
        "dźwig łódka żółw mgła",
        "川のそばで猫が三匹ねむる静かな午後",
        "🦉🌧🧵🪵🫖🧦🚲🪁🥁🐌🌻🎻🧊🍐🦔",
        "x7#Qv!2mLr9@Tz4&Kd8",
        "4@8({[<369&#!1/|0$5+7%2",
        "wren lattice oboe " * 40,
    ],
    ids=lambda password: password[:20],
)
async def test_a_good_passphrase_is_taken_in_any_script(strength: ZxcvbnPasswordStrength, password: str) -> None:
    assert await codes(password, strength) == []


async def test_a_word_of_one_person_is_nothing_to_another_judged_at_the_same_time(
    strength: ZxcvbnPasswordStrength,
) -> None:
    password = NewPassword("quillfeathermarigold")
    judged = await asyncio.gather(
        *(
            strength.is_guessable(password, ("quillfeather", "marigold") if known else ())
            for known in [True, False] * 20
        )
    )
    assert judged == [True, False] * 20


async def test_the_worst_password_costs_less_than_a_second_and_leaves_the_loop_free(
    strength: ZxcvbnPasswordStrength,
) -> None:
    await strength.is_guessable(NewPassword("loads the word lists"), ())
    chance = random.Random(1)
    letters = "4@8({[<369&#!1/|0$5+7%2"
    longest = pause = 0.0
    for text in (
        letters * 44,
        "19911" * 200,
        "aab" * 300,
        *("".join(chance.choices(letters, k=1000)) for _ in range(5)),
    ):
        started = perf_counter()
        judging = asyncio.create_task(strength.is_guessable(NewPassword(text), WORDS))
        while not judging.done():
            slept = perf_counter()
            await asyncio.sleep(0.001)
            pause = max(pause, perf_counter() - slept)
        longest = max(longest, perf_counter() - started)
    assert longest < 1, "0.17 s on a quiet machine; without bounds it takes 3 s and more"
    assert pause < 0.2, "the loop waits for its turn, not for the judgement"


def test_the_word_lists_are_not_loaded_at_the_start() -> None:
    code = "import sys, entrypoints.http.app; print([name for name in ('zxcvbn', 'structlog') if name in sys.modules])"
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)  # noqa: S603
    assert ran.stdout == "[]\n"


def a_list(file: Path, passwords: list[str], end: str = "\r\n") -> Path:
    hashes = sorted(hashlib.sha1(password.encode()).hexdigest().upper() for password in passwords)  # noqa: S324
    file.write_bytes("".join(f"{found}:{number}{end}" for number, found in enumerate(hashes, 1)).encode())
    return file


@pytest.mark.parametrize("end", ["\r\n", "\n"])
@pytest.mark.parametrize("size", [1, 2, 3, 10, 1000])
async def test_every_password_on_the_list_is_found_and_no_other(tmp_path: Path, size: int, end: str) -> None:
    listed = [f"password number {number}" for number in range(size)]
    breached = FileBreachedPasswords(a_list(tmp_path / "list.txt", listed, end))
    assert all([await breached.has(NewPassword(password)) for password in listed])
    assert not any([await breached.has(NewPassword(f"another {number}")) for number in range(100)])


async def test_a_list_without_an_end_to_its_last_line_is_read_to_the_last(tmp_path: Path) -> None:
    file = a_list(tmp_path / "list.txt", ["one", "two", "three"])
    file.write_bytes(file.read_bytes().rstrip())
    assert [await FileBreachedPasswords(file).has(NewPassword(word)) for word in ("one", "two", "three")] == [True] * 3


async def test_a_long_list_is_searched_in_few_reads(tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    line = b"%040X:1\n"
    with file.open("wb") as lines:
        for number in range(100_000):
            lines.write(line % (number << 140))
    started = perf_counter()
    wanted = hashlib.sha1(b"not there").hexdigest()  # noqa: S324
    for _ in range(100):
        assert not FileBreachedPasswords(file)._has(wanted.upper().encode())
    assert perf_counter() - started < 2, "100 searches of 17 steps each, not 10 million lines"


async def test_a_stolen_password_is_refused_however_good(strength: ZxcvbnPasswordStrength, tmp_path: Path) -> None:
    stolen = "correct horse battery staple"
    breached = FileBreachedPasswords(a_list(tmp_path / "list.txt", [stolen, "something else"]))
    assert await codes(stolen, strength, breached) == ["password_breached"]
    assert await codes("owls never sing at noon", strength, breached) == []


async def test_nobody_gets_past_a_list_that_cannot_be_read(strength: ZxcvbnPasswordStrength, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.txt"
    damaged.write_bytes(b"\x00" * 4096)
    for file in (tmp_path / "missing.txt", damaged):
        with pytest.raises(Unavailable):
            await codes("owls never sing at noon", strength, FileBreachedPasswords(file))


def test_a_list_is_examined_by_samples(tmp_path: Path) -> None:
    listed = [f"password number {number}" for number in range(500)]
    file = a_list(tmp_path / "list.txt", listed)
    assert examine(file) == file.stat().st_size
    shuffled = file.read_bytes().splitlines(keepends=True)
    random.Random(1).shuffle(shuffled)
    for content in (b"", b"password\npassword\n" * 100, b"".join(shuffled)):
        file.write_bytes(content)
        with pytest.raises(BreachedPasswordsFileDamaged):
            examine(file)


async def test_the_doctor_tells_of_the_list(tmp_path: Path) -> None:
    file = a_list(tmp_path / "list.txt", ["one", "two"])
    settings = read_settings({"BOTTOMLINE_DATA_DIR": str(tmp_path), "BOTTOMLINE_BREACHED_PASSWORDS": str(file)})
    said: list[str] = []
    assert await doctor(settings, said.append)
    assert f"ok   breached passwords: {file}, {file.stat().st_size} bytes" in said
    file.write_bytes(b"<html>")
    assert not await doctor(settings, said.append)
    assert [line for line in said if line.startswith("BAD  breached passwords")]
    file.unlink()
    assert not await doctor(settings, said.append)
    with pytest.raises(BadSettings, match="BREACHED_PASSWORDS: write the path of a file that is there"):
        read_settings({"BOTTOMLINE_DATA_DIR": str(tmp_path), "BOTTOMLINE_BREACHED_PASSWORDS": str(file)})
