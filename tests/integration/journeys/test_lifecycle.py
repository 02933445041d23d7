"""The rest of an account's life, from outside, on the embedded run and on real servers."""

import asyncio

from tests.integration.journeys.test_journey import ANN, an_operator, log_in
from tests.integration.journeys.worlds import World

NEW_PASSWORD = "another horse battery"


async def test_a_password_is_forgotten_an_address_changes_and_an_account_is_deleted(world: World) -> None:
    async with world.web.browser() as ann, world.web.browser() as elsewhere:
        await an_operator(world, ann)
        await log_in(elsewhere, ANN)
        assert len((await ann.get("/api/sessions")).json()) == 2

        assert (await ann.post("/api/forgot_password", json={"email": ANN["email"]})).status_code == 202
        reset = {"reset": await world.mailed(ANN["email"], "reset"), "password": NEW_PASSWORD}
        assert (await ann.post("/api/reset_password", json=reset)).status_code == 200
        assert [(await browser.get("/api/session")).status_code for browser in (ann, elsewhere)] == [401, 401]
        await log_in(ann, {**ANN, "password": NEW_PASSWORD})

        change = {"email": "new@example.org", "password": NEW_PASSWORD}
        assert (await ann.post("/api/change_email", json=change)).status_code == 202
        confirmation = {"confirmation": await world.mailed("new@example.org", "confirmation")}
        assert (await ann.post("/api/confirm_email", json=confirmation)).status_code == 200
        assert (await ann.get("/api/session")).json()["user"]["email"] == "new@example.org"
        assert await world.mailed(ANN["email"], "undo")

        deleted = await ann.request("DELETE", "/api/user", json={"password": NEW_PASSWORD})
        assert deleted.status_code == 204, deleted.text
        assert (await ann.get("/api/session")).status_code == 401
        async with asyncio.timeout(15):
            while not any("is deleted" in text for text in world.mails("new@example.org")):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        again = {"email": "new@example.org", "password": NEW_PASSWORD}
        assert (await ann.post("/api/login", json=again)).status_code == 401
