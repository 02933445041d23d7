"""However many invites there are, a page of them at a time is answered."""

from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from application.invites.list_invites import PAGE
from domain.invite import InviteTerms
from entrypoints.http.app import create_app
from entrypoints.settings import Settings
from tests.asgi import routes_of, running
from tests.described import OPERATIONS
from tests.unit.http.people import BOB, a_member, another_browser, log_in

MANY = 250


@pytest.fixture
async def crowded(settings: Settings, said: list[str]) -> AsyncIterator[httpx.AsyncClient]:
    """The application, with many invites of the command line's."""
    app = create_app(settings, said.append)
    async with running(app) as client:
        issue = routes_of(app).state.container.issue_invite()
        for number in range(MANY):
            await issue(terms=InviteTerms(note=f"{number}"), by=None)
        yield client


@pytest.fixture
async def operator(crowded: httpx.AsyncClient, first_invite: str, said: list[str]) -> httpx.AsyncClient:
    """Ann, who has signed up with the first invite."""
    await a_member(crowded, first_invite, said)
    await log_in(crowded)
    return crowded


@pytest.fixture
def client(crowded: httpx.AsyncClient) -> httpx.AsyncClient:
    return crowded


async def pages_of(client: httpx.AsyncClient, path: str) -> list[list[dict[str, Any]]]:
    """Every page, the first of them at this path, each found by the link of the one before."""
    pages = []
    url: httpx.URL | None = client.base_url.join(path)
    while url is not None:
        answer = await client.get(url)
        assert answer.status_code == 200
        pages.append(answer.json())
        url = answer.url.join(answer.links["next"]["url"]) if "next" in answer.links else None
    return pages


async def test_an_operator_reads_all_invites_page_by_page(operator: httpx.AsyncClient) -> None:
    pages = await pages_of(operator, "/api/invites")
    assert [len(page) for page in pages] == [PAGE, PAGE, MANY + 1 - 2 * PAGE]
    notes = [found["note"] for page in pages for found in page]
    assert notes == [*(f"{number}" for number in reversed(range(MANY))), None]


async def test_a_member_reads_their_own_page_by_page(
    operator: httpx.AsyncClient, settings: Settings, said: list[str]
) -> None:
    invite = (await operator.post("/api/invites", json={})).json()["invite"]
    async with another_browser(operator) as member:
        await a_member(member, invite, said, BOB)
        await log_in(member, BOB)
        for _ in range(PAGE + 1):
            issued = (await member.post("/api/invites", json={})).json()
            assert (await member.delete(f"/api/invites/{issued['id']}")).status_code == 204
        pages = await pages_of(member, "/api/invites")
        assert [len(page) for page in pages] == [PAGE, 1]
        assert {found["issued_by"] for page in pages for found in page} == {"bob"}


async def test_an_operator_reads_their_own_alone_where_they_say_so(operator: httpx.AsyncClient) -> None:
    mine = [(await operator.post("/api/invites", json={})).json()["id"] for _ in range(PAGE + 1)]
    pages = await pages_of(operator, "/api/invites?issued_by=me")
    assert [[found["id"] for found in page] for page in pages] == [mine[:0:-1], mine[:1]]


async def test_a_page_that_is_full_to_the_last_has_none_after_it(operator: httpx.AsyncClient) -> None:
    for _ in range(PAGE):
        await operator.post("/api/invites", json={})
    answer = await operator.get("/api/invites?issued_by=me")
    assert (len(answer.json()), "link" in answer.headers) == (PAGE, False)


async def test_a_page_begins_at_any_id(operator: httpx.AsyncClient) -> None:
    newest = (await operator.get("/api/invites")).json()
    assert (await operator.get(f"/api/invites?before={newest[6]['id']}")).json()[: PAGE - 7] == newest[7:]
    assert (await operator.get(f"/api/invites?before={uuid4().hex}")).status_code == 200
    assert (await operator.get("/api/invites?before=00000000-0000-0000-0000-000000000000")).json() == []


@pytest.mark.parametrize(
    ("query", "field", "code"),
    [
        ("before=nonsense", "before", "wrong_type"),
        ("before=", "before", "wrong_type"),
        ("before=%FF%00", "before", "wrong_type"),
        ("before", "before", "wrong_type"),
        ("issued_by=ann", "issued_by", "wrong_type"),
        ("issued_by=me&issued_by=me", "issued_by", "wrong_type"),
        ("befor=01a20442-b886-7349-820a-2c990f682a6e", "befor", "unknown_field"),
    ],
)
async def test_a_query_that_cannot_be_taken_is_a_400_that_names_the_field(
    operator: httpx.AsyncClient, query: str, field: str, code: str
) -> None:
    answer = await operator.get(f"/api/invites?{query}")
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    problem = answer.json()
    assert problem["code"] == "invalid_fields"
    assert [(bad["field"], bad["code"]) for bad in problem["errors"]] == [(field, code)]


async def test_every_bad_field_of_a_query_is_named_at_once(operator: httpx.AsyncClient) -> None:
    answer = await operator.get("/api/invites?before=x&issued_by=you&zip=1")
    assert {bad["field"]: bad["message"] for bad in answer.json()["errors"]} == {
        "before": "Use a UUID.",
        "issued_by": "Use “me”.",
        "zip": "There is no such field.",
    }


def test_the_description_says_how_many_stand_on_a_page() -> None:
    assert f"At most {PAGE} are" in OPERATIONS["GET /api/invites"].definition.raw["description"]
