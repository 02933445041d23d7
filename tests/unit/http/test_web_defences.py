"""What browsers may be made to send, and what they are told: on every route, and where there is none."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec
import pytest

from entrypoints.http import shell
from entrypoints.http.app import create_app
from entrypoints.http.cross_site import origin_of
from entrypoints.http.pages import PAGES
from entrypoints.settings import Settings
from tests.asgi import routes_of, running
from tests.unit.http.people import CREDENTIALS, a_member, log_in

OURS = "http://localhost:8000"
UUID = "01a20442-b886-7349-820a-2c990f682a6e"
SAFE = ("GET", "HEAD", "OPTIONS")
UNSAFE = ("POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW")
JSON = ("content-type", "application/json")

OWN: list[list[tuple[str, str]]] = [
    [],
    [("origin", OURS)],
    [("sec-fetch-site", "same-origin")],
    [("sec-fetch-site", "none")],
    [("origin", OURS), ("sec-fetch-site", "same-origin")],
]
FOREIGN: list[list[tuple[str, str]]] = [
    *(
        [("origin", origin), *more]
        for origin in (
            "null",
            "",
            "https://evil.example",
            "http://localhost",
            "http://localhost:8001",
            "https://localhost:8000",
            "http://127.0.0.1:8000",
            "http://localhost:8000.evil.example",
            "http://evil.localhost:8000",
            "http://evil@localhost:8000",
            "HTTP://LOCALHOST:8000",
            f"{OURS}/",
            f"{OURS} https://evil.example",
        )
        for more in ([], [("sec-fetch-site", "same-origin")])
    ),
    [("origin", OURS), ("origin", OURS)],
    [("origin", OURS), ("origin", "https://evil.example")],
    *(
        [("sec-fetch-site", site), *more]
        for site in ("cross-site", "same-site", "", "same-origin, cross-site")
        for more in ([], [("origin", OURS)])
    ),
    [("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")],
]
JSON_TYPES: list[list[tuple[str, str]]] = [
    [JSON],
    [("content-type", "application/json; charset=utf-8")],
    [("content-type", 'Application/JSON;charset="UTF-8"')],
    [("content-type", "application/json; profile=x")],
]
OTHER_TYPES: list[list[tuple[str, str]]] = [
    [],
    [JSON, JSON],
    *(
        [("content-type", value)]
        for value in (
            "",
            "text/plain",
            "text/plain; application/json",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/jsonp",
            "application/problem+json",
            "text/json",
            "application/json; charset=utf-16",
            "application/json; charset=utf-8; charset=latin-1",
            "application/json, text/plain",
        )
    ),
]


@dataclass
class Service:
    """The application, a client of it, and every path that it has, and some that it has not."""

    client: httpx.AsyncClient
    routes: dict[str, set[str]]

    @property
    def paths(self) -> list[str]:
        return [*self.routes, "/api/nothing", "/nothing", "/assets/none", "/assets/page.css", "/assets/x/page.css"]

    async def ask(self, method: str, path: str, headers: list[tuple[str, str]], **body: Any) -> httpx.Response:
        answer = await self.client.request(method, path, headers=headers, **body)
        check_headers(answer)
        assert "strict-transport-security" not in answer.headers, "there is no TLS on this machine's own address"
        assert answer.status_code < 500, (method, path, headers)
        return answer


def check_headers(answer: httpx.Response) -> None:
    headers = answer.headers
    is_mailbox = answer.request.url.path == "/mailbox" and answer.status_code == 200
    assert {directive.strip() for directive in headers["content-security-policy"].split(";")} == {
        *(["frame-src 'self'"] if is_mailbox else []),
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self'",
        "connect-src 'self'",
        "form-action 'none'",
        "base-uri 'none'",
        "object-src 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    }
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["server"] == "bottomline"
    path, is_file = answer.request.url.path, answer.status_code == 200
    is_alike_for_all = is_file and (path in PAGES or path.startswith(("/assets/", "/favicon.ico")))
    assert headers["cache-control"] == ("no-cache" if is_alike_for_all else "no-store")
    is_for_any_site = is_file and path.startswith("/assets/")
    assert headers["cross-origin-resource-policy"] == ("cross-origin" if is_for_any_site else "same-origin")
    allowed = {name: value for name, value in headers.items() if name.startswith("access-control-")}
    assert allowed == ({"access-control-allow-origin": "*"} if is_for_any_site else {})


def all_but_the_id(answer: httpx.Response) -> list[tuple[str, str]]:
    """The headers, without the id that each request has of its own."""
    return [(name, value) for name, value in answer.headers.multi_items() if name != "x-request-id"]


def paths_of(app: Any) -> dict[str, set[str]]:
    """Each path with the methods that it takes."""
    return {
        re.sub(r"\{[^}]*\}", "x", re.sub(r"\{[^}]*:uuid\}", UUID, route.path)): set(route.methods)
        for route in routes_of(app).routes
    }


@pytest.fixture
async def service(settings: Settings, said: list[str]) -> AsyncIterator[Service]:
    app = create_app(settings, said.append)
    async with running(app) as client:
        yield Service(client, paths_of(app))


def is_refused(answer: httpx.Response, status: int, code: str) -> bool:
    return answer.status_code == status and answer.json()["code"] == code


async def chunks() -> AsyncIterator[bytes]:
    yield b"{}"


def bodies() -> Iterator[dict[str, Any]]:
    """The same body with its length, and in chunks."""
    yield {"content": b"{}"}
    yield {"content": chunks()}


async def test_what_another_site_sends_is_refused_on_every_route(service: Service) -> None:
    for path in service.paths:
        for method in UNSAFE:
            for headers in FOREIGN:
                answer = await service.ask(method, path, [JSON, *headers], content=b"{}")
                assert is_refused(answer, 403, "cross_site"), (method, path, headers, answer.text)


async def test_reading_is_free_wherever_the_browser_comes_from(service: Service) -> None:
    for path in service.paths:
        for method in SAFE:
            plain = await service.ask(method, path, [])
            for headers in FOREIGN:
                assert (await service.ask(method, path, headers)).status_code == plain.status_code, (method, path)


async def test_another_site_is_refused_before_its_body_is_looked_at(service: Service) -> None:
    for body in (b"{", b"{}" + b" " * 20_000):
        answer = await service.ask("POST", "/api/login", [("origin", "null")], content=body)
        assert is_refused(answer, 403, "cross_site")


async def test_a_refusal_tells_the_operator_what_to_set_and_shows_no_setting(service: Service) -> None:
    answer = await service.ask("POST", "/api/login", [("origin", "https://evil.example"), JSON], content=b"{}")
    assert "BOTTOMLINE_PUBLIC_URL" in answer.json()["detail"]
    assert "localhost" not in answer.text
    assert "evil" not in answer.text


async def test_a_body_that_is_not_json_is_refused_on_every_route(service: Service) -> None:
    for path in service.paths:
        for method in UNSAFE:
            for headers in OTHER_TYPES:
                for body in bodies():
                    answer = await service.ask(method, path, headers, **body)
                    assert is_refused(answer, 415, "unsupported_media_type"), (method, path, headers, answer.text)


async def test_json_from_our_own_pages_and_from_no_browser_passes_on_every_route(service: Service) -> None:
    for path in service.paths:
        for method in UNSAFE:
            for headers in [[*own, *kind] for own in OWN for kind in JSON_TYPES]:
                for body in bodies():
                    answer = await service.ask(method, path, headers, **body)
                    assert answer.status_code not in {403, 415}, (method, path, headers, answer.text)


async def test_no_body_needs_no_content_type(service: Service) -> None:
    for path in service.paths:
        for method in UNSAFE:
            for headers in OWN:
                assert (await service.ask(method, path, headers)).status_code not in {403, 415}, (method, path)
    assert (await service.ask("POST", "/api/logout", [])).status_code == 200


async def test_another_site_ends_no_session(service: Service, said: list[str]) -> None:
    await a_member(service.client, said[0].rsplit("=", 1)[1], said)
    await log_in(service.client)
    for headers in FOREIGN:
        await service.ask("POST", "/api/logout", headers)
    assert (await service.ask("GET", "/api/session", [])).status_code == 200


async def test_head_answers_as_get_does_without_the_body(service: Service) -> None:
    for path, methods in service.routes.items():
        if "GET" in methods:
            by_get, by_head = await service.ask("GET", path, []), await service.ask("HEAD", path, [])
            assert by_head.content == b""
            assert by_head.status_code == by_get.status_code, path
            assert all_but_the_id(by_head) == all_but_the_id(by_get), path


async def test_what_a_path_takes_stands_in_allow(service: Service) -> None:
    for path, methods in service.routes.items():
        allowed = methods | {"HEAD"} if "GET" in methods else methods
        for method in {*UNSAFE, *SAFE} - allowed | {"OPTIONS"}:
            answer = await service.ask(method, path, [])
            assert answer.status_code == (204 if method == "OPTIONS" else 405), (method, path)
            assert set(answer.headers["allow"].split(", ")) == allowed, (method, path)


async def test_a_preflight_from_another_site_is_told_nothing(service: Service) -> None:
    asked = [("origin", "https://evil.example"), ("access-control-request-method", "POST")]
    for path in service.paths:
        await service.ask("OPTIONS", path, [*asked, ("access-control-request-headers", "content-type")])


HOSTILE_HOSTS = [
    [("host", "evil.example")],
    [("host", "localhost:8000@evil.example")],
    [("host", "localhost:8000"), ("host", "evil.example")],
    [("host", "")],
    [("x-forwarded-host", "evil.example"), ("x-forwarded-proto", "https"), ("x-forwarded-port", "1")],
    [("forwarded", "host=evil.example;proto=https"), ("x-original-url", "/evil"), ("x-rewrite-url", "/evil")],
]


async def test_what_host_a_request_names_changes_no_answer_but_the_mailboxs(service: Service) -> None:
    for path in [path for path in service.paths if not path.startswith("/mailbox")]:
        plain = await service.ask("GET", path, [])
        for headers in HOSTILE_HOSTS:
            answer = await service.ask("GET", path, headers)
            assert (answer.status_code, all_but_the_id(answer), answer.content) == (
                plain.status_code,
                all_but_the_id(plain),
                plain.content,
            ), (path, headers)


async def test_links_start_with_public_url_whatever_host_a_request_names(service: Service, said: list[str]) -> None:
    await a_member(service.client, said[0].rsplit("=", 1)[1], said)
    await log_in(service.client)
    cookie = ("cookie", f"__Host-session={service.client.cookies['__Host-session']}")
    service.client.cookies.clear()  # kept for a host, and not sent to another
    for headers in HOSTILE_HOSTS:
        answer = await service.ask("POST", "/api/invites", [JSON, cookie, *headers], content=b"{}")
        assert answer.json()["link"].startswith(f"{OURS}/signup#invite="), headers
    assert all(f": {OURS}/" in line or f" {OURS}/" in line for line in said), said


async def test_a_session_that_ends_makes_the_browser_forget_what_it_kept_but_no_other_sites_cookies(
    service: Service, said: list[str]
) -> None:
    await a_member(service.client, said[0].rsplit("=", 1)[1], said)
    await log_in(service.client)
    assert "clear-site-data" not in (await service.ask("GET", "/api/session", [])).headers
    deleted = await service.ask("DELETE", "/api/user", [JSON], json={"password": CREDENTIALS["password"]})
    assert deleted.status_code == 204
    for answer in (deleted, await service.ask("POST", "/api/logout", [])):
        assert answer.headers["clear-site-data"] == '"cache", "storage"'


@pytest.mark.parametrize("sent", [b"", b'{"email": "ann@'])
async def test_a_body_that_is_too_slow_is_answered_408(
    service: Service, sent: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shell, "BODY_WITHIN", 0.05)

    async def slow() -> AsyncIterator[bytes]:
        yield sent
        await asyncio.sleep(60)

    async with asyncio.timeout(5):
        answer = await service.ask("POST", "/api/login", [JSON], content=slow())
    assert is_refused(answer, 408, "request_timeout")


async def test_a_late_answer_to_head_has_no_body_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shell, "DEADLINE", 0.05)

    async def hanging(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.Event().wait()

    app: Any = shell.Shell(hanging, public_url=OURS)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=OURS) as client:
        answer = await client.head("/anything")
    assert (answer.status_code, answer.content) == (503, b"")
    check_headers(answer)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://localhost:8000", "http://localhost:8000"),
        ("https://accounts.example.org", "https://accounts.example.org"),
        ("https://accounts.example.org:443", "https://accounts.example.org"),
        ("http://accounts.example.org:80", "http://accounts.example.org"),
        ("https://accounts.example.org:80", "https://accounts.example.org:80"),
        ("HTTPS://Accounts.Example.ORG:8443", "https://accounts.example.org:8443"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_an_origin_is_written_as_browsers_write_it(url: str, origin: str) -> None:
    assert origin_of(url) == origin.encode()


async def test_the_origin_is_that_of_public_url(settings: Settings, said: list[str]) -> None:
    public = "https://Accounts.example.org:443"
    elsewhere = msgspec.structs.replace(settings, public_url=public)
    async with running(create_app(elsewhere, said.append), public) as client:
        for origin, status in (("https://accounts.example.org", 401), (OURS, 403), (public, 403)):
            answer = await client.post("/api/login", json=CREDENTIALS, headers={"origin": origin})
            assert answer.status_code == status, origin
            assert answer.headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
