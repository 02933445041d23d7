"""The description leaves nothing out, and says nothing more."""

import inspect
import pkgutil
import re
from importlib import import_module
from typing import Any, get_args

import httpx
import msgspec
import pytest
from click.testing import CliRunner
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

import domain.errors
import entrypoints.http
from application.accounts.delete_user import DeletionUnavailable
from application.ports import Overloaded, Unavailable
from domain.errors import FieldCode, InvalidFields, NotLoggedIn, Refusal
from domain.password import PasswordPolicy
from entrypoints.cli import main
from entrypoints.http.answers import RULES, STATUS_RULES, TO_DO, every_problem
from entrypoints.http.app import routed
from entrypoints.http.bodies import readers_for
from entrypoints.http.errors import _BY_STATUS, FIELD_CODES, ProblemOut
from entrypoints.http.strict_json import MalformedBody
from entrypoints.http.wire import texts
from tests.described import DESCRIPTION, OPERATIONS, SETTINGS, description
from tests.unit.http.test_errors import every_refusal

ROUTES: dict[str, HTTPRouteHandler] = {
    f"{method} {path.path_format}": route
    for path in routed(SETTINGS).routes
    if isinstance(path, HTTPRoute)
    for route in path.route_handlers
    for method in route.http_methods
    if method != "OPTIONS"
}
GO_WITHOUT_SAYING = {InvalidFields, MalformedBody, NotLoggedIn, Unavailable, Overloaded}
"""What is raised by what surrounds a use case."""
FAULTS = {kind.__name__: kind for kind in (Unavailable, Overloaded, DeletionUnavailable)}


def codes_of(operation: dict[str, Any]) -> set[str]:
    """The codes of the problems that an operation can answer with."""
    keys = {
        key
        for answer in operation["responses"].values()
        for content in answer.get("content", {}).values()
        for key in content.get("examples", ())
    }
    return {DESCRIPTION["components"]["examples"][key]["value"]["code"] for key in keys}


def test_every_route_is_described_but_pages_and_the_description_itself() -> None:
    silent = set(ROUTES) - set(OPERATIONS)
    assert set(OPERATIONS) <= set(ROUTES)
    assert silent.isdisjoint(label for label in ROUTES if re.match(r"\w+ /(api/|live|ready)", label))
    assert "GET /openapi.json" in silent
    modules = {ROUTES[label].fn.__module__.removeprefix("entrypoints.http.") for label in silent}
    assert modules == {"pages", "mailbox", "openapi"}


def test_every_code_of_the_service_is_described() -> None:
    told = {found["value"]["code"] for found in DESCRIPTION["components"]["examples"].values()}
    constants = {
        found.code
        for module in pkgutil.walk_packages(entrypoints.http.__path__, "entrypoints.http.")
        for found in vars(import_module(module.name)).values()
        if isinstance(found, ProblemOut)
    }
    assert (
        told == {kind.code for kind in every_refusal()} | {found.code for found in every_problem().values()} | constants
    )
    assert told == set(TO_DO)


def test_every_code_is_that_of_some_operation_but_that_of_other_methods() -> None:
    of_operations = set().union(*(codes_of(found) for path in DESCRIPTION["paths"].values() for found in path.values()))
    assert set(TO_DO) - of_operations == {"method_not_allowed"}


def test_every_answer_of_the_framework_has_its_rule() -> None:
    assert set(STATUS_RULES) == {*_BY_STATUS, 500}


def test_every_code_of_a_field_has_its_meaning() -> None:
    assert set(FIELD_CODES) == set(get_args(FieldCode))


def test_every_value_that_is_read_from_text_is_described_as_text() -> None:
    policy = PasswordPolicy()
    assert set(texts(policy)) == set(readers_for(policy))


def raised(route: HTTPRouteHandler) -> set[type[Exception]]:
    """What a route raises, or its use case says that it does."""
    source = inspect.getsource(route.fn)
    found = {kind for word in re.findall(r"raise (\w+)", source) if (kind := _kind(word))}
    for name, field in route.parsed_fn_signature.parameters.items():
        for method in re.findall(rf"await {name}(?:\.(\w+))?\(", source):
            promise = inspect.getdoc(getattr(field.annotation, method or "__call__")) or ""
            for sentence in re.findall(r"Raises ([^.]*)", promise):
                found |= {kind for word in re.findall(r"\w+", sentence) if (kind := _kind(word))}
    return found


def _kind(word: str) -> type[Exception] | None:
    kind: Any = FAULTS.get(word) or getattr(domain.errors, word, None)
    return kind if isinstance(kind, type) and issubclass(kind, Refusal | Unavailable) else None


@pytest.mark.parametrize("label", OPERATIONS)
def test_a_route_names_what_its_use_case_raises_and_nothing_that_goes_without_saying(label: str) -> None:
    route = ROUTES[label]
    implied = {kind for kind, applies in RULES.items() if applies(route)}
    assert set(route.opt) <= {"problems"}
    assert set(route.opt.get("problems", ())) == raised(route) - implied
    assert implied - raised(route) <= GO_WITHOUT_SAYING


def test_references_lead_somewhere() -> None:
    for reference in re.findall(r'"\$ref":"#/([^"]+)"', msgspec.json.encode(DESCRIPTION).decode()):
        found: Any = DESCRIPTION
        for part in reference.split("/"):
            found = found[part]


def test_names_of_operations_are_unique() -> None:
    names = [found["operationId"] for path in DESCRIPTION["paths"].values() for found in path.values()]
    assert len(set(names)) == len(names)
    assert "sessions.log_in" in names


def test_it_has_the_shortest_password_and_the_cookie_of_the_settings() -> None:
    found = description(msgspec.structs.replace(SETTINGS, password_min_length=20, public_url="http://bottomline.lan"))
    assert found["components"]["schemas"]["SignUpBody"]["properties"]["password"]["minLength"] == 20
    assert found["components"]["schemas"]["PasswordBody"]["properties"]["password"]["minLength"] == 1
    assert found["components"]["securitySchemes"]["session"]["name"] == "session"
    assert found["servers"] == [{"url": "http://bottomline.lan"}]


async def test_it_is_served_and_printed_alike(client: httpx.AsyncClient) -> None:
    answer = await client.get("/openapi.json")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == DESCRIPTION
    assert (await client.get("/openapi.json")).content == answer.content
    printed = CliRunner().invoke(main, ["openapi"], env={"BOTTOMLINE_SECRET_KEYS": "0" * 32})
    assert (printed.exit_code, msgspec.json.decode(printed.output)) == (0, DESCRIPTION)
