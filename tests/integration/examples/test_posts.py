"""The example application, nginx and Bottomline, each as its README starts it."""

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.integration.journeys.test_journey import ANN
from tests.integration.processes import QUICK, Browser, WebProcess
from tests.integration.servers import ServersMissing
from tests.integration.servers.local_nginx import LocalNginx
from tests.integration.servers.ports import LoopbackPort

EXAMPLE = Path(__file__).parents[3] / "examples" / "posts"
PAGE = {"accept": "text/html", "sec-fetch-mode": "navigate"}
BOB = {**ANN, "email": "bob@example.org", "username": "bjørn"}


@dataclass
class Site:
    """One origin: Bottomline, and the posts behind it."""

    url: str
    bottomline: WebProcess
    posts: str
    """Where the application listens, past nginx."""

    async def let_in(self, person: dict[str, str], browser: Browser, invite: str) -> None:
        """Sign somebody up and log them in, all through nginx."""
        assert (await browser.post("/api/users", json={"invite": invite, **person})).status_code == 202
        confirmation = await self.bottomline.said(rf"^Mail to {person['email']}: .*#confirmation=(\S+)$")
        assert (await browser.post("/api/confirm_account", json={"confirmation": confirmation})).status_code == 200
        credentials = {"email": person["email"], "password": person["password"]}
        assert (await browser.post("/api/login", json=credentials)).status_code == 200


@asynccontextmanager
async def posts_at(port: int) -> AsyncIterator[str]:
    process = await asyncio.create_subprocess_exec(sys.executable, EXAMPLE / "posts.py", "--port", str(port))
    try:
        async with asyncio.timeout(15):
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port)).close()
                except OSError:
                    await asyncio.sleep(0.02)
                else:
                    break
        yield f"127.0.0.1:{port}"
    finally:
        process.kill()
        await process.wait()


@pytest.fixture(scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    try:
        nginx = LocalNginx()
    except ServersMissing as missing:
        pytest.fail(str(missing), pytrace=False)
    port = LoopbackPort()
    bottomline = WebProcess(tmp_path_factory.mktemp("posts"), {**QUICK, "BOTTOMLINE_PUBLIC_URL": nginx.url})
    config = (EXAMPLE / "nginx.conf").read_text()
    async with bottomline, posts_at(port.number) as posts:
        here = {"8080": nginx.address, "8000": bottomline.url.removeprefix("http://"), "8001": posts}
        for number, address in here.items():
            config = config.replace(f"127.0.0.1:{number}", address)
        nginx.config = config
        with nginx:
            yield Site(nginx.url, bottomline, posts)
    port.release()


@pytest.fixture(scope="module")
async def ann(site: Site) -> AsyncIterator[Browser]:
    invite = await site.bottomline.said(r"^First invite: \S+#invite=(\S+)$")
    async with Browser(site.url) as browser:
        await site.let_in(ANN, browser, invite)
        yield browser


@pytest.fixture(scope="module")
async def bob(site: Site, ann: Browser) -> AsyncIterator[Browser]:
    invite = (await ann.post("/api/invites", json={})).json()["invite"]
    async with Browser(site.url) as browser:
        await site.let_in(BOB, browser, invite)
        yield browser


async def posts_of(browser: Browser, **headers: str) -> dict[str, object]:
    answer = await browser.get("/posts", headers=headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, object] = answer.json()
    return found


async def test_a_client_without_a_session_is_told_so(site: Site) -> None:
    async with Browser(site.url) as browser:
        for answer in (
            await browser.get("/posts"),
            await browser.post("/posts", data={"text": "x"}),
            await browser.post("/posts", data={"text": "x"}, headers=PAGE),
            await browser.get("/posts", headers={"x-username": "ann", "x-user-id": "1"}),
        ):
            assert (answer.status_code, answer.json()["code"]) == (401, "not_logged_in")
            assert answer.headers["content-type"] == "application/problem+json"


async def test_a_page_load_is_led_to_the_log_in_page_and_knows_the_way_back(site: Site) -> None:
    async with Browser(site.url) as browser:
        answer = await browser.get("/posts?page=2&sort=new", headers=PAGE)
        assert answer.status_code == 302
        assert answer.headers["location"] == f"{site.url}/login?return_to=/posts%3Fpage%3D2%26sort%3Dnew"
        assert "Log in" in (await browser.get(answer.headers["location"])).text


@pytest.mark.parametrize("sent", [{"x-forwarded-uri": "//evil.example"}, {"x-forwarded-method": "GET"}])
async def test_a_client_does_not_choose_its_way_back(site: Site, sent: dict[str, str]) -> None:
    async with Browser(site.url) as browser:
        answer = await browser.get("/posts", headers={**PAGE, **sent, "x-forwarded-host": "evil.example"})
        assert answer.headers["location"] == f"{site.url}/login?return_to=/posts"
        assert (await browser.post("/posts", headers={**PAGE, **sent})).status_code == 401


async def test_each_sees_their_own_posts(ann: Browser, bob: Browser) -> None:
    added = await ann.post("/posts", data={"text": "Ann's <first>"})
    assert (added.status_code, added.headers["location"]) == (303, "/posts")
    await bob.post("/posts", data={"text": "Bjørn's"})
    assert await posts_of(ann) == {"username": "ann", "posts": ["Ann's <first>"]}
    assert await posts_of(bob) == {"username": "bjørn", "posts": ["Bjørn's"]}
    page = (await ann.get("/posts", headers=PAGE)).text
    assert "Posts of ann" in page
    assert "<li>Ann&#x27;s &lt;first&gt;</li>" in page
    assert "Posts of bjørn" in (await bob.get("/posts", headers=PAGE)).text


@pytest.mark.parametrize("name", ["X-Username", "x-username", "X_Username"])
async def test_a_client_that_says_who_it_is_is_not_believed(ann: Browser, bob: Browser, name: str) -> None:
    bobs_id = (await bob.get("/api/session")).json()["user"]["id"]
    lies = {name: "bj%C3%B8rn", name.replace("Username", "User-Id").replace("username", "user-id"): bobs_id}
    assert (await posts_of(ann, **lies))["username"] == "ann"
    assert await posts_of(ann, **lies) == await posts_of(ann)


async def test_a_post_that_another_site_sends_is_refused(ann: Browser) -> None:
    answer = await ann.post("/posts", data={"text": "x"}, headers={"sec-fetch-site": "same-site"})
    assert answer.status_code == 403


async def test_past_nginx_nobody_is_anybody(site: Site) -> None:
    async with httpx.AsyncClient() as client:
        assert (await client.get(f"http://{site.posts}/posts")).status_code == 500


async def test_who_has_logged_out_is_out_at_once(site: Site, bob: Browser) -> None:
    stolen = bob.cookie
    assert (await posts_of(bob))["username"] == "bjørn"
    assert (await bob.post("/api/logout")).status_code == 200
    bob.cookie = stolen
    assert (await bob.get("/posts")).status_code == 401
    assert (await bob.get("/posts", headers=PAGE)).status_code == 302
