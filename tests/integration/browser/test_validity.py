"""Pages are valid HTML, as they are served."""

import asyncio
from pathlib import Path

import httpx

from entrypoints.http.pages import PAGES
from tests.html_checker import check
from tests.integration.journeys.worlds import World

ALLOWED_SINCE = "The autofill field name “username” is not allowed in this context"
"""With `type=email` it is: the standard took it in in September 2020, and the checker is of June."""


async def test_every_page_is_valid_html(world: World, tmp_path: Path) -> None:
    files = []
    async with httpx.AsyncClient(base_url=world.web.url, headers={"accept": "text/html"}) as client:
        for path in (*PAGES, "/mailbox", "/nowhere"):
            answer = await client.get(path)
            assert answer.headers["content-type"] == "text/html; charset=utf-8", path
            file = tmp_path / f"{path.strip('/') or 'index'}.html"
            file.write_text(answer.text)
            files.append(file)
    found = await asyncio.to_thread(check, files)
    assert [fault for fault in found if ALLOWED_SINCE not in fault] == []
