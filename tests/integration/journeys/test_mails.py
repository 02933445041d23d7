"""What an operator sees of mails, and does about them."""

import asyncio
import signal
import socket
import time
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from domain.user import Role
from tests.integration.conftest import eventually
from tests.integration.journeys.test_journey import ANN, confirm, log_in, sign_up
from tests.integration.journeys.worlds import World
from tests.integration.processes import QUICK, WebProcess
from tests.integration.smtp_sink import SmtpSink

NOBODY = "01a20442-b886-7349-820a-2c990f682a6e"


async def listed(world: World, state: str) -> list[str]:
    """The lines of mails in this state, waited for."""
    async with asyncio.timeout(20):
        while True:
            status, lines = await world.command("mail", "list", "--state", state)
            assert status == 0, lines
            if lines != ["There are no such mails."]:
                return lines


async def test_a_mail_that_was_refused_is_seen_and_sent_once_it_can_be(
    servers_world: AbstractAsyncContextManager[World], smtp_sink: SmtpSink
) -> None:
    async with servers_world as world, world.web.browser() as ann:
        smtp_sink.to_recipient = "550 5.1.1 no such mailbox"
        await sign_up(world, ann, ANN, await world.an_invite(role=Role.ADMIN))
        (line,) = await listed(world, "failed")
        mail_id, state, tries, kind = line.split()[:4]
        assert (state, tries, kind) == ("failed", "1", "confirmation")
        assert ANN["email"] in line
        assert "no such mailbox" in line
        smtp_sink.to_recipient = "250 welcome"
        assert await world.command("mail", "retry", mail_id) == (0, ["1 mail will be tried again now."])
        await confirm(world, ann, ANN)
        await log_in(ann, ANN)
        (line,) = await listed(world, "sent")
        assert line.split()[0] == mail_id
        for given in (mail_id, NOBODY):
            status, lines = await world.command("mail", "retry", given)
            assert (status, lines) == (1, ["Error: There is no mail with this id that has failed or waits."])
        assert await world.command("mail", "retry", "--failed") == (0, ["0 mails will be tried again now."])
        assert (await world.command("mail", "retry"))[0] == 2
    assert len(world.mails(ANN["email"])) == 1


async def test_no_answer_waits_for_a_mail_server_that_hangs(tmp_path: Path) -> None:
    """Not in the one process that answers and sends: who asks cannot tell by it whether there is a mail to send."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as silent:
        smtp = f"smtp://127.0.0.1:{silent.getsockname()[1]}"
        keys = {"BOTTOMLINE_SECRET_KEYS": "a secret of at least thirty-two characters"}
        async with WebProcess(tmp_path, {**QUICK, **keys, "BOTTOMLINE_SMTP_URL": smtp}) as web, web.browser() as ann:
            invite = await web.said(r"^First invite: .*#invite=(\S+)$")
            for number in range(20):
                before = time.monotonic()
                sign_up_again = await ann.post("/api/users", json={"invite": invite, **ANN})
                answers = [
                    await ann.post("/api/forgot_password", json={"email": email})
                    for email in (ANN["email"], f"nobody{number}@example.org")
                ]
                assert {answer.status_code for answer in (sign_up_again, *answers)} == {202}
                assert time.monotonic() - before < 3.5, "for three answers; the mailer waits for longer than that"
        silent.settimeout(5)
        silent.accept()[0].close()  # somebody did try to send a mail


async def test_a_worker_that_is_asked_to_stop_finishes_the_mail_in_hand(
    servers_world: AbstractAsyncContextManager[World], smtp_sink: SmtpSink
) -> None:
    async with servers_world as world, world.web.browser() as ann:
        smtp_sink.delays["DATA"] = 1.0
        await sign_up(world, ann, ANN, await world.an_invite())
        await eventually(lambda: "DATA" in smtp_sink.heard)
        assert world.worker is not None
        assert await world.worker.stop(signal.SIGTERM) == 0
        (line,) = await listed(world, "sent")
        assert line.split()[2] == "1", "one try"
        await world.worker.start()
        await confirm(world, ann, ANN)
    assert len(smtp_sink.to(ANN["email"])) == 1
