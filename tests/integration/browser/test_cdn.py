"""Pages work with their scripts and styles on another origin, as a CDN has them."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.async_api import expect

from entrypoints.settings import read_settings
from entrypoints.site import read_site
from tests.integration.browser.people import a_member, account_is_shown, section
from tests.integration.browser.visitors import Visitors
from tests.integration.journeys.worlds import embedded


class Cdn(SimpleHTTPRequestHandler):
    """Files, for any site."""

    def end_headers(self) -> None:
        self.send_header("Access-Control-Allow-Origin", "*")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def cdn(tmp_path: Path) -> Iterator[str]:
    """Where what `bottomline assets` writes is served from."""
    read_site(read_settings({"BOTTOMLINE_DATA_DIR": str(tmp_path / "var")})).write_assets(tmp_path / "cdn")
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Cdn, directory=str(tmp_path / "cdn"))) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


async def test_pages_take_their_scripts_and_styles_from_a_cdn(visitors: Visitors, tmp_path: Path, cdn: str) -> None:
    page = await visitors.come()
    asked: set[str] = set()
    page.on("request", lambda request: asked.add(request.url))
    async with embedded(tmp_path, BOTTOMLINE_ASSETS_URL=cdn) as world, a_member(world) as member:
        await member.enter(page)
        await page.goto(f"{world.web.url}/account")
        await account_is_shown(page)
        await expect(section(page, "Profile")).to_contain_text(member.person.email)
        from_cdn = {url.rsplit("/", 1)[1] for url in asked if url.startswith(cdn)}
        assert {"page.css", "account.js", "form.js", "api.js", "session.js", "invite_list.js"} <= from_cdn
        assert not [url for url in asked if url.startswith(f"{world.web.url}/assets/")]
