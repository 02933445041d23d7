"""Fixtures: the whole application, embedded, spoken to over HTTP."""

import re
from collections.abc import AsyncIterator

import httpx
import pytest

from entrypoints.http.app import create_app
from entrypoints.settings import Settings
from tests.asgi import running


@pytest.fixture
async def client(settings: Settings, said: list[str]) -> AsyncIterator[httpx.AsyncClient]:
    async with running(create_app(settings, said.append)) as running_client:
        yield running_client


@pytest.fixture
def first_invite(client: httpx.AsyncClient, said: list[str]) -> str:
    """The token of the invite that the first start prints."""
    (found,) = re.findall(r"^First invite: http://localhost:8000/signup#invite=(\S+)$", "\n".join(said), re.MULTILINE)
    return str(found)
