"""What hashes leave behind in memory."""

import subprocess
import sys

import pytest

A_HASH = 19.0
"""Megabytes, and a little more."""
A_MORNING = """
import asyncio, re
from pathlib import Path
from adapters.argon2 import memory
from adapters.argon2.password_hasher import Argon2Cost, Argon2PasswordHasher
from domain.password import Password

memory.QUIET = 0.2

def resident():
    return int(re.search(r"RssAnon:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) / 1024

async def morning():
    hasher = Argon2PasswordHasher(Argon2Cost(), threads=2)
    before = resident()
    for _ in range(3):
        with hasher.place() as place:
            await hasher.verify(Password("a password"), None, place)
    after = resident()
    await asyncio.sleep(1)
    print(after - before, resident() - before)
    hasher.close()

asyncio.run(morning())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux what is resident")
def test_their_memory_is_kept_for_the_next_and_given_back_when_it_is_quiet() -> None:
    ran = subprocess.run([sys.executable, "-c", A_MORNING], check=True, capture_output=True, text=True)  # noqa: S603  our own words
    kept, at_rest = map(float, ran.stdout.split())
    assert kept > A_HASH / 2
    assert at_rest < A_HASH / 4
