"""The API keeps to its description, whatever it is sent."""

import json
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import negative_data_rejection

from tests.described import CONFORMS, OPERATIONS
from tests.unit.http.people import a_member, log_in

FOR_MEMBERS = [label for label, operation in OPERATIONS.items() if "security" in operation.definition.raw]
WITH_BODY = [label for label, operation in OPERATIONS.items() if operation.body]
BEYOND_SCHEMAS = {
    "bound_to_one_address",
    "characters",
    "email_invalid",
    "password_guessable",
    "password_wrong",
    "username_characters",
    "username_reserved",
}
"""Codes of what no schema tells: which letters make a name, what mail programs misread, what the database holds."""

examples = settings(
    max_examples=30,
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much, HealthCheck.too_slow],
)


def fitting(label: str) -> st.SearchStrategy[Any]:
    """Requests as they are described."""
    found: st.SearchStrategy[Any] = OPERATIONS[label].as_strategy(generation_mode=GenerationMode.POSITIVE)
    return found


def any_request(label: str) -> st.SearchStrategy[Any]:
    """Requests as they are described and, where there is anything to get wrong, such as are not."""
    operation, right = OPERATIONS[label], fitting(label)
    if not operation.body and not operation.path_parameters and not operation.query:
        return right
    wrong: st.SearchStrategy[Any] = operation.as_strategy(generation_mode=GenerationMode.NEGATIVE)
    return right | wrong


async def answer_to(case: Any, client: httpx.AsyncClient) -> httpx.Response:
    request = case.as_transport_kwargs(base_url=str(client.base_url))
    content = json.dumps(request["json"]) if "json" in request else None
    url, params = httpx.URL(request["url"]), request.get("params")
    return await client.request(
        request["method"], url.copy_merge_params(params) if params else url, headers=request["headers"], content=content
    )


async def check(case: Any, client: httpx.AsyncClient) -> None:
    case.validate_response(
        await answer_to(case, client), checks=[not_a_server_error, *CONFORMS, negative_data_rejection]
    )


@pytest.fixture
async def member(client: httpx.AsyncClient, first_invite: str, said: list[str]) -> httpx.AsyncClient:
    """A client with a session."""
    await a_member(client, first_invite, said)
    await log_in(client)
    return client


@pytest.mark.parametrize("label", OPERATIONS)
@examples
@given(data=st.data())
async def test_strangers_are_answered_as_described(client: httpx.AsyncClient, label: str, data: st.DataObject) -> None:
    await check(data.draw(any_request(label)), client)


@pytest.mark.parametrize("label", FOR_MEMBERS)
@examples
@given(data=st.data())
async def test_members_are_answered_as_described(member: httpx.AsyncClient, label: str, data: st.DataObject) -> None:
    await check(data.draw(any_request(label)), member)


@pytest.mark.parametrize("label", WITH_BODY)
@examples
@given(data=st.data())
async def test_a_body_as_described_is_refused_only_for_what_no_schema_can_tell(
    member: httpx.AsyncClient, label: str, data: st.DataObject
) -> None:
    answer = await answer_to(data.draw(fitting(label)), member)
    if answer.status_code == 400:
        assert {bad["code"] for bad in answer.json()["errors"]} <= BEYOND_SCHEMAS


@pytest.mark.parametrize("label", WITH_BODY)
async def test_the_example_of_each_body_can_be_sent(member: httpx.AsyncClient, label: str) -> None:
    operation = OPERATIONS[label]
    (body,) = operation.body
    fields = body.definition["schema"]["properties"]
    example = {name: field["examples"][0] for name, field in fields.items() if "examples" in field}
    answer = await member.request(operation.method.upper(), operation.path, json=example)
    assert answer.status_code != 400 or {bad["code"] for bad in answer.json()["errors"]} <= BEYOND_SCHEMAS
