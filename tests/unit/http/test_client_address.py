"""Who a client is: its peer, or whom the operator's own proxies have heard from."""

import sqlite3
from datetime import timedelta
from ipaddress import ip_network

import httpx
import msgspec
import pytest

from adapters.memory.rate_limiter import MemoryRateLimiter
from application.ports import Bucket
from domain.errors import TooManyRequests
from domain.limits import Limit
from entrypoints.http.app import create_app
from entrypoints.http.client_address import MOST_HOPS, ClientAddresses
from entrypoints.settings import Settings
from tests.asgi import running
from tests.unit.http.people import a_member, log_in

BEHIND = ClientAddresses((ip_network("10.0.0.0/8"), ip_network("fd00::/8")))


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("192.0.2.1", [], "192.0.2.1"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["192.0.2.1"], "192.0.2.1"),
        ("::ffff:10.0.0.1", ["192.0.2.1"], "192.0.2.1"),
        ("fd00::1", ["2001:db8::1"], "2001:db8::1"),
        ("10.0.0.1", ["192.0.2.1, 10.0.0.2"], "192.0.2.1"),
        ("10.0.0.1", ["192.0.2.1", "10.0.0.2"], "192.0.2.1"),
        ("10.0.0.1", ["198.51.100.9, 192.0.2.1"], "192.0.2.1"),
        ("10.0.0.1", ["10.0.0.9, 192.0.2.1"], "192.0.2.1"),
        ("10.0.0.1", ["10.0.0.3, 10.0.0.2"], "10.0.0.3"),
        ("10.0.0.1", ["192.0.2.1:4711"], "192.0.2.1"),
        ("10.0.0.1", ["[2001:db8::1]"], "2001:db8::1"),
        ("10.0.0.1", ["[2001:db8::1]:4711"], "2001:db8::1"),
        ("10.0.0.1", [" ,192.0.2.1 ,, "], "192.0.2.1"),
        ("10.0.0.1", [""], "10.0.0.1"),
    ],
)
def test_the_client_is_the_rightmost_that_is_no_proxy_of_ours(peer: str, forwarded: list[str], client: str) -> None:
    assert BEHIND.find(peer, forwarded).text == client


@pytest.mark.parametrize("junk", ["unknown", "_hidden", "<b>", "192.0.2.1:", "[192.0.2.1", "1.2.3.4:99999999", "é"])
def test_what_a_proxy_cannot_name_is_counted_as_the_proxy(junk: str) -> None:
    assert BEHIND.find("10.0.0.1", [f"198.51.100.9, {junk}, 10.0.0.2"]).text == "10.0.0.2"


def test_what_a_client_wrote_far_left_is_not_read() -> None:
    padding = ["198.51.100.9"] * 5_000
    assert BEHIND.find("10.0.0.1", [*padding, "192.0.2.1", "10.0.0.2"]).text == "192.0.2.1"
    assert BEHIND.find("10.0.0.1", ["198.51.100.9", *["10.0.0.2"] * MOST_HOPS]).text == "10.0.0.2"


@pytest.mark.parametrize("peer", ["192.0.2.1", "", "/run/socket"])
def test_only_proxies_are_believed(peer: str) -> None:
    assert BEHIND.find(peer, ["198.51.100.9"]) == BEHIND.find(peer, [])
    assert ClientAddresses(()).find("10.0.0.1", ["198.51.100.9"]).text == "10.0.0.1"


async def test_rotating_what_is_forwarded_stays_one_bucket() -> None:
    limiter, limit = MemoryRateLimiter(), Limit("tries", 5, timedelta(hours=1))
    passed = 0
    for number in range(100):
        client = BEHIND.find("192.0.2.1", [f"198.51.100.{number}"])
        try:
            await limiter.take(Bucket(limit, client.network))
        except TooManyRequests:
            continue
        passed += 1
    assert passed == 5


async def addresses_of_sessions(settings: Settings, said: list[str], forwarded: list[str]) -> list[str]:
    """What the record says of sessions that were started with these headers."""
    async with running(create_app(settings, said.append)) as client:
        await a_member(client, said[0].rsplit("=", 1)[1], said)
        client.headers = httpx.Headers([("x-forwarded-for", value) for value in forwarded])
        await log_in(client)
    with sqlite3.connect(settings.data_dir / "bottomline.db") as database:
        return [ip for (ip,) in database.execute("SELECT ip FROM sessions")]


async def test_a_session_remembers_the_client_behind_the_proxy(settings: Settings, said: list[str]) -> None:
    behind = msgspec.structs.replace(settings, trusted_proxies=(ip_network("127.0.0.1"),))
    assert await addresses_of_sessions(behind, said, ["198.51.100.9", "::ffff:192.0.2.1"]) == ["192.0.2.1"]


async def test_without_proxies_a_session_remembers_the_peer(settings: Settings, said: list[str]) -> None:
    assert await addresses_of_sessions(settings, said, ["198.51.100.9"]) == ["127.0.0.1"]
