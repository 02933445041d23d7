"""People and what they do, over HTTP."""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

ANN = {"email": "ann@example.org", "username": "ann", "password": "correct horse battery"}
CREDENTIALS = {"email": ANN["email"], "password": ANN["password"]}
BOB = {"email": "bob@example.org", "username": "bob", "password": "correct horse battery"}


async def mailed(address: str, what: str, said: list[str]) -> str:
    """The token after `#what=` in the newest mail with one to an address, waited for."""
    return await told(rf"Mail to {address}: .*#{what}=(\S+)", said)


async def told(pattern: str, said: list[str]) -> str:
    """What stands in the group of a pattern in the newest line on the console with it, waited for."""
    for _ in range(100):
        if found := re.findall(pattern, "\n".join(said)):
            return str(found[-1])
        await asyncio.sleep(0.02)
    raise AssertionError(f"not on the console: {pattern}")


async def a_member(client: httpx.AsyncClient, invite: str, said: list[str], person: dict[str, str] = ANN) -> None:
    assert (await client.post("/api/users", json={"invite": invite, **person})).status_code == 202
    confirmation = await mailed(person["email"], "confirmation", said)
    assert (await client.post("/api/confirm_account", json={"confirmation": confirmation})).status_code == 200


async def log_in(client: httpx.AsyncClient, person: dict[str, str] = ANN) -> dict[str, Any]:
    answer = await client.post("/api/login", json={"email": person["email"], "password": person["password"]})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@asynccontextmanager
async def another_browser(client: httpx.AsyncClient) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the same application, with cookies of its own."""
    async with httpx.AsyncClient(transport=client._transport, base_url=client.base_url) as other:
        yield other
