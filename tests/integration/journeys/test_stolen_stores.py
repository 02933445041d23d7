"""Whoever takes what the servers hold away with them can open nothing with it: no session, no invite, no mailbox."""

import base64
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

import aio_pika
import pytest
from redis import Redis
from sqlalchemy import select

from adapters.crypto.cookies import AesGcmCookieSeal
from adapters.rabbitmq.topology import EVENTS
from adapters.sql.engine import open_engine
from adapters.sql.tables import metadata
from tests.integration.conftest import eventually
from tests.integration.journeys.test_journey import ANN, BOB, an_operator, sign_up
from tests.integration.journeys.worlds import World

NAME = "__Host-session"


def _as_text(value: bytes) -> str:
    return value.decode("latin-1")


WRITTEN: list[Callable[[bytes], str]] = [
    bytes.hex,
    _as_text,
    lambda value: base64.b64encode(value).decode(),
    lambda value: base64.urlsafe_b64encode(value).decode().rstrip("="),
]
"""How the same bytes may stand somewhere."""


@dataclass(frozen=True)
class Secrets:
    """What opens something, in one person's hands or in the operator's."""

    cookie: str
    key: bytes
    tokens: tuple[str, ...]
    password: str
    secret: str

    def found_in(self, text: str) -> list[str]:
        """Those that stand in a text, whatever way they are written; for tokens, their MAC alone would do."""
        canaries = [self.cookie, self.password, self.secret, *self.tokens]
        for value in (self.key, *(_raw(token)[18:] for token in self.tokens), _raw(self.cookie)):
            canaries += [write(value) for write in WRITTEN]
        return [canary for canary in canaries if canary in text]


def _raw(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclass
class Broker:
    """What a stranger's queue was sent."""

    messages: list[bytes]


@pytest.fixture
async def world(servers_world: AbstractAsyncContextManager[World]) -> AsyncIterator[World]:
    async with servers_world as running_world:
        yield running_world


@asynccontextmanager
async def listening(url: str) -> AsyncIterator[Broker]:
    """All that the broker hands out meanwhile."""
    broker = Broker([])

    async def take(message: aio_pika.abc.AbstractIncomingMessage) -> None:
        broker.messages.append(message.body + repr(message.headers).encode())

    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        exchange = await channel.declare_exchange(EVENTS, aio_pika.ExchangeType.TOPIC, durable=True)
        queue = await channel.declare_queue(exclusive=True)
        await queue.bind(exchange, "#")
        await queue.consume(take, no_ack=True)
        yield broker


async def a_life(world: World) -> Secrets:
    """Ann signs up, logs in, invites Bob, who signs up, and asks for a reset and another address: nothing is used."""
    async with world.web.browser() as ann:
        await an_operator(world, ann)
        await ann.get("/api/session")
        spare = (await ann.post("/api/invites", json={})).json()["invite"]
        invite = (await ann.post("/api/invites", json={"email": BOB["email"]})).json()["invite"]
        async with world.web.browser() as bob:
            await sign_up(world, bob, BOB, invite)
        await ann.post("/api/forgot_password", json={"email": ANN["email"]})
        await ann.post("/api/change_email", json={"email": "new@example.org", "password": ANN["password"]})
        tokens = (
            spare,
            invite,
            await world.mailed(BOB["email"], "confirmation"),
            await world.mailed(ANN["email"], "reset"),
            await world.mailed("new@example.org", "confirmation"),
        )
        assert ann.cookie is not None
        cookie = ann.cookie.partition("=")[2]
    secret = world.settings["BOTTOMLINE_SECRET_KEYS"]
    key = AesGcmCookieSeal([secret]).open(cookie)
    assert key is not None
    return Secrets(cookie, key.secret, tokens, ANN["password"], secret)


async def dump_of(url: str) -> tuple[dict[str, str], list[bytes]]:
    """Every table as text, binary columns written in every way; and every binary value."""
    engine = open_engine(url)
    texts, values = {}, []
    async with engine.connect() as connection:
        for table in metadata.sorted_tables:
            cells = [cell for row in await connection.execute(select(table)) for cell in row]
            binary = [cell for cell in cells if isinstance(cell, bytes)]
            texts[table.name] = "\n".join([*map(str, cells), *(write(cell) for cell in binary for write in WRITTEN)])
            values += binary
    await engine.dispose()
    return texts, values


async def opens(world: World, value: str | bytes) -> bool:
    """Whether a text, or some bytes in any way that a header can carry, are a session."""
    written = [value] if isinstance(value, str) else [write(value) for write in WRITTEN if write is not _as_text]
    async with world.web.browser() as thief:
        answers = [await thief.get("/api/session", headers={"cookie": f"{NAME}={text}"}) for text in written]
    assert {answer.status_code for answer in answers} <= {200, 401}
    return any(answer.status_code == 200 for answer in answers)


async def test_neither_the_database_nor_the_broker_holds_what_opens_anything(world: World, rabbitmq_url: str) -> None:
    async with listening(rabbitmq_url) as broker:
        secrets = await a_life(world)
        await eventually(lambda: any(b"email_change" in message for message in broker.messages))
    texts, values = await dump_of(world.settings["BOTTOMLINE_DATABASE_URL"])
    assert {"users", "sessions", "tokens", "invites", "mails", "outbox"} <= {name for name in texts if texts[name]}
    assert {name: found for name, text in texts.items() if (found := secrets.found_in(text))} == {}
    assert secrets.found_in("\n".join(message.decode("latin-1") for message in broker.messages)) == []
    assert "$argon2id$" in texts["users"]
    assert {name for name, text in texts.items() if "$argon2" in text} <= {"users", "invite_claims"}
    assert await opens(world, secrets.cookie), "the cookie itself does"
    assert [value for value in values if await opens(world, value)] == []


async def test_nothing_in_redis_opens_anything(world: World, redis_url: str) -> None:
    secrets = await a_life(world)
    with Redis.from_url(redis_url) as admin:
        held = {name: admin.get(name) for name in admin.scan_iter()}
    assert any(name.startswith(b"s") and len(name) == 14 for name in held), "the session is there"
    pieces = [piece for name, value in held.items() for piece in (name, name[1:], name.partition(b":")[2], value)]
    assert secrets.found_in("\n".join(write(piece) for piece in pieces for write in WRITTEN)) == []
    assert await opens(world, secrets.cookie), "the cookie itself does"
    assert [piece for piece in pieces if await opens(world, piece)] == []
