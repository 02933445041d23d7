"""Pages and what they load: how they are kept, compressed and filled in, how heavy they are, and where none is."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from html.parser import HTMLParser
from pathlib import Path

import httpx
import msgspec
import pytest

from entrypoints import site as site_module
from entrypoints.faults import CannotStart
from entrypoints.http.app import create_app
from entrypoints.http.pages import PAGES
from entrypoints.settings import Settings
from entrypoints.site import BadPage, read_site
from tests.asgi import running

CDN = "https://cdn.example.org/bottomline"
FOR_EVER = "public, max-age=31536000, immutable"
A_BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
PLAIN = {"accept-encoding": "identity"}
HEAVIEST = 60_000
MOST_REQUESTS = 5


@asynccontextmanager
async def serving(settings: Settings, **changes: object) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the service with some settings changed."""
    async with running(create_app(msgspec.structs.replace(settings, **changes), lambda _: None)) as client:
        yield client


@pytest.fixture
def version(settings: Settings) -> str:
    return read_site(settings).version


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A site of one page and one file, to be changed."""
    made = tmp_path / "site" / "pages"
    made.mkdir(parents=True)
    (made / "page.css").write_text("main { color: red }")
    (made / "index.html").write_text('<title>{{brand}}</title><link rel="stylesheet" href="/assets/page.css">')
    return made


@pytest.mark.parametrize("path", [*PAGES, "/assets/page.css", "/assets/{version}/page.css", "/favicon.ico"])
async def test_what_a_client_has_is_not_sent_again(client: httpx.AsyncClient, version: str, path: str) -> None:
    whole = await client.get(path.format(version=version))
    assert whole.status_code == 200
    tag = whole.headers["etag"]
    for known in (tag, f"W/{tag}", f'"other", {tag}', f'"other",W/{tag}, "third"', "*", " * "):
        again = await client.get(path.format(version=version), headers={"if-none-match": known})
        assert (again.status_code, again.content) == (304, b""), known
        for name in ("etag", "cache-control", "vary", "access-control-allow-origin"):
            assert again.headers.get(name) == whole.headers.get(name), known
    for other in ('"other"', tag[1:-1], "", f'{tag[:-1]}x"', '"*"'):
        again = await client.get(path.format(version=version), headers={"if-none-match": other})
        assert (again.status_code, again.content) == (200, whole.content), other


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_is_asked_for_each_time(client: httpx.AsyncClient, path: str) -> None:
    page = await client.get(path)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["cache-control"] == "no-cache"


async def test_what_a_page_loads_is_kept_for_good(client: httpx.AsyncClient, version: str) -> None:
    for path in PAGES:
        page = await client.get(path)
        loaded = re.findall(r'(?:src|href)="(/assets/[^"]+)"', page.text)
        assert loaded, path
        for target in loaded:
            assert target.startswith(f"/assets/{version}/"), target
            assert (await client.get(target)).headers["cache-control"] == FOR_EVER, target


async def test_a_file_of_another_version_is_the_file_of_this_one_for_now(
    client: httpx.AsyncClient, version: str
) -> None:
    current = await client.get(f"/assets/{version}/page.css")
    for path in ("/assets/000000000000/page.css", "/assets/x/page.css", "/assets/page.css"):
        found = await client.get(path)
        assert (found.status_code, found.content) == (200, current.content), path
        assert found.headers["cache-control"] == "no-cache", path
        assert found.headers["etag"] == current.headers["etag"], path


async def test_a_file_that_is_not_there_is_not_found(client: httpx.AsyncClient, version: str) -> None:
    names = ("none.css", "index.html", "..%2fsite.py", "x/y/page.css")
    for path in (f"/assets/{folder}{name}" for folder in ("", f"{version}/", "x/") for name in names):
        found = await client.get(path, headers=A_BROWSER)
        assert (found.status_code, found.headers["content-type"]) == (404, "application/problem+json"), path


async def test_what_pages_load_may_be_passed_on_by_a_cdn(client: httpx.AsyncClient, version: str) -> None:
    for path in ("/assets/page.css", f"/assets/{version}/page.css"):
        found = await client.get(path)
        assert found.headers["access-control-allow-origin"] == "*"
        assert found.headers["cross-origin-resource-policy"] == "cross-origin"
    page = await client.get("/login")
    assert "access-control-allow-origin" not in page.headers
    assert page.headers["cross-origin-resource-policy"] == "same-origin"


def test_the_version_changes_with_any_file_and_its_name_alone(settings: Settings, folder: Path) -> None:
    first = read_site(settings, folder).version
    assert re.fullmatch("[0-9a-f]{12}", first)
    (folder / "index.html").write_text("another page")
    (folder / "notes.txt").write_text("not served")
    assert read_site(settings, folder).version == first
    assert set(read_site(settings, folder).assets) == {"page.css"}
    (folder / "page.css").rename(folder / "other.css")
    second = read_site(settings, folder).version
    (folder / "other.css").write_text("main { color: rea }")
    assert len({first, second, read_site(settings, folder).version}) == 3


@pytest.mark.parametrize(
    ("accepted", "is_zipped"),
    [
        ("gzip", True),
        ("GZIP", True),
        ("x-gzip", True),
        ("br, gzip;q=0.5", True),
        ("deflate, gzip ; q=1.0, br", True),
        ("*", True),
        ("", False),
        ("identity", False),
        ("br", False),
        ("gzip;q=0", False),
        ("gzip; q=0.000, *", False),
        ("*;q=0", False),
        ("gzip;q=nonsense", False),
        ("notgzip", False),
    ],
)
async def test_it_is_compressed_for_those_who_take_that(
    client: httpx.AsyncClient, version: str, accepted: str, is_zipped: bool
) -> None:
    for path in (f"/assets/{version}/page.css", "/login"):
        plain = await client.get(path, headers=PLAIN)
        found = await client.get(path, headers={"accept-encoding": accepted})
        assert (found.headers.get("content-encoding") == "gzip") is is_zipped
        assert found.content == plain.content
        assert int(found.headers["content-length"]) == found.num_bytes_downloaded
        assert (found.num_bytes_downloaded < len(plain.content)) is is_zipped
        assert (found.headers["etag"] == plain.headers["etag"]) is not is_zipped
        assert found.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"


async def test_the_tag_of_one_encoding_is_not_that_of_another(client: httpx.AsyncClient) -> None:
    zipped = (await client.get("/login", headers={"accept-encoding": "gzip"})).headers["etag"]
    assert (await client.get("/login", headers={**PLAIN, "if-none-match": zipped})).status_code == 200


def test_a_file_that_compressing_makes_longer_is_left_alone(settings: Settings, folder: Path) -> None:
    (folder / "dot.png").write_bytes(b"\x89PNG")
    assert read_site(settings, folder).assets["dot.png"].zipped is None


async def test_the_icon_has_the_type_that_it_has(client: httpx.AsyncClient) -> None:
    icon = await client.get("/favicon.ico")
    assert icon.headers["content-type"] == "image/svg+xml; charset=utf-8"
    assert icon.headers["cache-control"] == "no-cache"


async def test_pages_load_from_the_cdn_that_is_set_and_its_origin_may_be_loaded_from(
    settings: Settings, version: str
) -> None:
    async with serving(settings, assets_url=CDN) as client:
        for path in PAGES:
            page = await client.get(path)
            loaded = re.findall(r'<(?:script|link)[^>]* (?:src|href)="([^"]+)"', page.text)
            assert loaded, path
            assert [target for target in loaded if not target.startswith(f"{CDN}/{version}/")] == [], path
        told = (await client.get("/login")).headers["content-security-policy"]
        policy = dict(part.strip().split(" ", 1) for part in told.split(";"))
        with_cdn = {name for name, value in policy.items() if "cdn.example.org" in value}
        assert with_cdn == {"script-src", "style-src", "img-src"}
        assert {policy[name] for name in with_cdn} == {"'self' https://cdn.example.org"}
        assert (await client.get(f"/assets/{version}/page.css")).headers["cache-control"] == FOR_EVER


async def test_settings_stand_in_pages_as_text(settings: Settings, folder: Path) -> None:
    (folder / "index.html").write_text(
        '<html data-brand="{{brand}}" data-contact="{{contact}}" data-password-min-length="{{password_min_length}}">'
        "<title>{{brand}}</title>"
    )
    changed = msgspec.structs.replace(
        settings,
        brand='A&B <Club> "{{contact}}" \'/assets/',
        contact_url='https://x.example/?a=1&b="><script>',
        password_min_length=17,
    )
    brand = "A&amp;B &lt;Club&gt; &quot;{{contact}}&quot; &#x27;/assets/"
    assert read_site(changed, folder).pages["index.html"].content.decode() == (
        f'<html data-brand="{brand}" data-contact="https://x.example/?a=1&amp;b=&quot;&gt;&lt;script&gt;"'
        f' data-password-min-length="17"><title>{brand}</title>'
    )
    without = msgspec.structs.replace(changed, contact_url=None)
    assert b'data-contact=""' in read_site(without, folder).pages["index.html"].content


async def test_every_page_knows_the_operators_settings(settings: Settings) -> None:
    changes = {"brand": "A&B <Club>", "contact_url": "mailto:help@example.org", "password_min_length": 17}
    async with serving(settings, **changes) as client:
        for path in (*PAGES, "/mailbox", "/nowhere"):
            page = await client.get(path, headers=A_BROWSER)
            assert '<html lang="en" data-brand="A&amp;B &lt;Club&gt;"' in page.text, path
            assert 'data-contact="mailto:help@example.org" data-password-min-length="17"' in page.text, path
            assert "A&B" not in page.text, path
            assert "<Club>" not in page.text, path


@pytest.mark.parametrize("unknown", ["{{brnad}}", "{{ brand }}", "{{}}", "{{secret_keys}}"])
def test_a_placeholder_that_stands_for_nothing_stops_the_start(
    settings: Settings, folder: Path, unknown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "index.html").write_text(f"<title>{unknown}</title>")
    with pytest.raises(BadPage, match=re.escape(f"index.html: nothing is known of {unknown}")):
        read_site(settings, folder)
    monkeypatch.setattr(site_module, "files", lambda _: folder.parent)
    with pytest.raises(CannotStart, match=re.escape(unknown)):
        create_app(settings)


@pytest.mark.parametrize("path", ["/nowhere", "/login/x", "/apis", "/assetsx", "/invite%00", "/../etc/passwd"])
async def test_people_who_go_nowhere_are_shown_a_page(client: httpx.AsyncClient, path: str) -> None:
    page = await client.get(path, headers=A_BROWSER)
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert page.headers["cache-control"] == "no-store"
    assert "<h1" in page.text
    assert path.strip("/.") not in page.text
    head = await client.head(path, headers=A_BROWSER)
    assert (head.status_code, head.headers["content-type"], head.content) == (404, "text/html; charset=utf-8", b"")


@pytest.mark.parametrize(
    ("method", "path", "headers"),
    [
        ("GET", "/nowhere", {}),
        ("GET", "/nowhere", {"accept": "*/*"}),
        ("GET", "/nowhere", {"accept": "application/json"}),
        ("GET", "/api", A_BROWSER),
        ("GET", "/api/nowhere", A_BROWSER),
        ("GET", "/assets", A_BROWSER),
        ("GET", "/assets/nowhere", A_BROWSER),
        ("GET", "/assets/x/nowhere", A_BROWSER),
        ("POST", "/nowhere", {**A_BROWSER, "content-type": "application/json"}),
    ],
)
async def test_programs_that_go_nowhere_are_told_a_problem(
    client: httpx.AsyncClient, method: str, path: str, headers: dict[str, str]
) -> None:
    answer = await client.request(method, path, headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert answer.json()["code"] == "not_found"


class Loaded(HTMLParser):
    """What a page has the browser fetch: styles, icons, and modules."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.targets: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if target := found.get({"script": "src", "img": "src", "link": "href"}.get(tag, "")):
            self.targets.append(target)


def imports(module: str) -> Iterator[str]:
    """The modules that a module imports."""
    yield from re.findall(r'^\s*(?:import|export)\b[^"\';]*["\']\./([\w.-]+)["\']', module, re.MULTILINE)


async def weights(client: httpx.AsyncClient, path: str) -> dict[str, int]:
    """What a first visit of a page loads, with the bytes of each that go over the wire."""
    found: dict[str, int] = {}
    waiting = [path]
    while waiting:
        target = waiting.pop()
        if target in found:
            continue
        answer = await client.get(target, headers={**A_BROWSER, "accept-encoding": "gzip"})
        assert answer.status_code == (404 if target == "/nowhere" else 200), target
        found[target] = int(answer.headers["content-length"])
        if target == path:
            waiting += Loaded(answer.text).targets
        elif target.endswith(".js"):
            waiting += [f"{target.rpartition('/')[0]}/{name}" for name in imports(answer.text)]
    return found


@pytest.mark.parametrize("path", [*PAGES, "/mailbox", "/nowhere"])
async def test_a_page_is_light(client: httpx.AsyncClient, path: str) -> None:
    found = await weights(client, path)
    assert sum(found.values()) < HEAVIEST, found
    assert len([target for target in found if not target.endswith((".svg", ".png", ".ico"))]) <= MOST_REQUESTS, found
    assert any(target.endswith(".css") for target in found), found


async def test_the_dialog_for_logging_in_again_is_the_same_on_each_page(client: httpx.AsyncClient) -> None:
    pages = [(await client.get(path)).text for path in ("/account", "/invites")]
    dialogs = {
        re.sub(r"\s+", " ", page[page.index('<dialog id="relogin"') : page.rindex("</dialog>")]) for page in pages
    }
    assert len(dialogs) == 1
