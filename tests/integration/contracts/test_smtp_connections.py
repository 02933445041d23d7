"""How SMTP connections are used again: never at a mail's cost."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from time import monotonic
from uuid import UUID

import pytest
from aiosmtplib.protocol import SMTPProtocol

from adapters.smtp import connection, connections, mailer
from adapters.smtp.mailer import SmtpMailer, SmtpServer
from application.ports import MailDeferred, MailRefused, MailUnanswered
from domain.mail import MailKind
from entrypoints.container import opened
from entrypoints.settings import read_settings
from tests.integration.conftest import eventually
from tests.integration.contracts.test_mailers import COMPOSER, MAILS
from tests.integration.smtp_sink import SmtpSink

MAIL = MAILS[MailKind.CONFIRMATION]


@pytest.fixture
async def smtp(smtp_sink: SmtpSink) -> AsyncIterator[SmtpMailer]:
    opened_mailer = SmtpMailer(SmtpServer.parse(smtp_sink.url), COMPOSER)
    yield opened_mailer
    await opened_mailer.close()


async def test_a_hundred_mails_take_few_connections(smtp: SmtpMailer, smtp_sink: SmtpSink) -> None:
    mails = [replace(MAIL, id=UUID(int=number)) for number in range(100)]
    await asyncio.gather(*map(smtp.send, mails))
    assert len({mail["Message-ID"] for mail in smtp_sink.taken}) == len(smtp_sink.taken) == 100
    assert smtp_sink.connections == connections.AT_MOST
    await smtp.send(MAIL)
    assert smtp_sink.connections == connections.AT_MOST


async def test_a_connection_is_left_after_so_many_mails(
    smtp: SmtpMailer, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "LETTERS", 3)
    for _ in range(7):
        await smtp.send(MAIL)
    assert smtp_sink.connections == 3
    await eventually(lambda: smtp_sink.heard.count("QUIT") == 2)


async def test_an_idle_connection_is_closed_with_a_goodbye(
    smtp: SmtpMailer, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "IDLE", 0.2)
    for _ in range(3):
        await smtp.send(MAIL)
    assert smtp_sink.connections == 1
    await eventually(lambda: smtp_sink.heard.count("QUIT") == 1)
    await smtp.send(MAIL)
    assert smtp_sink.connections == 2


@pytest.mark.parametrize("is_noticed", [True, False])
async def test_a_connection_that_the_server_has_closed_costs_nothing(
    smtp: SmtpMailer, smtp_sink: SmtpSink, is_noticed: bool
) -> None:
    await smtp.send(MAIL)
    smtp_sink.hang_up()
    if is_noticed:
        await asyncio.sleep(0.1)
    await smtp.send(MAIL)
    assert len(smtp_sink.taken) == smtp_sink.connections == 2


async def test_a_restart_of_the_server_costs_nothing(smtp: SmtpMailer, smtp_sink: SmtpSink) -> None:
    await asyncio.gather(*(smtp.send(MAIL) for _ in range(16)))
    smtp_sink.stop()
    smtp_sink.start()
    await asyncio.gather(*(smtp.send(MAIL) for _ in range(16)))
    assert len(smtp_sink.taken) == 32


async def test_a_server_that_is_away_is_found_again(smtp: SmtpMailer, smtp_sink: SmtpSink) -> None:
    await smtp.send(MAIL)
    smtp_sink.stop()
    with pytest.raises(MailDeferred):
        await smtp.send(MAIL)
    smtp_sink.start()
    await smtp.send(MAIL)
    assert len(smtp_sink.taken) == 2


@pytest.mark.parametrize("command", ["MAIL", "RCPT"])
async def test_a_server_that_has_had_enough_of_a_connection_gets_a_new_one(
    smtp: SmtpMailer, smtp_sink: SmtpSink, command: str
) -> None:
    smtp_sink.mails_a_connection, smtp_sink.enough_at = 1, command
    await asyncio.gather(*(smtp.send(MAIL) for _ in range(4)))
    await smtp.send(MAIL)
    assert len(smtp_sink.taken) == smtp_sink.connections == 5


async def test_a_kept_connection_that_is_silent_is_given_up_for_another(
    smtp: SmtpMailer, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailer, "COMMAND", 0.3)
    await smtp.send(MAIL)
    smtp_sink.delays["MAIL"] = 1.0
    sending = asyncio.create_task(smtp.send(MAIL))
    await eventually(lambda: smtp_sink.heard.count("MAIL") == 2)
    smtp_sink.delays.clear()
    await sending
    assert len(smtp_sink.taken) == smtp_sink.connections == 2


async def test_a_new_connection_that_fails_is_not_tried_twice(smtp: SmtpMailer, smtp_sink: SmtpSink) -> None:
    smtp_sink.mails_a_connection = 0
    with pytest.raises(MailDeferred, match="421"):
        await smtp.send(MAIL)
    assert smtp_sink.connections == 1


async def test_a_mail_whose_content_was_sent_is_not_sent_again(smtp: SmtpMailer, smtp_sink: SmtpSink) -> None:
    await smtp.send(MAIL)
    smtp_sink.delays["DATA"] = 5.0
    sending = asyncio.create_task(smtp.send(MAIL))
    await eventually(lambda: smtp_sink.heard.count("DATA") == 2)
    smtp_sink.hang_up()
    with pytest.raises(MailDeferred):
        await sending
    assert smtp_sink.heard.count("MAIL") == 2
    assert smtp_sink.connections == 1


async def test_a_mail_whose_time_is_up_amid_its_content_may_have_been_sent(
    smtp: SmtpMailer, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    smtp_sink.delays["DATA"] = 5.0
    monkeypatch.setattr(mailer, "WHOLE", 1.0)
    with pytest.raises(MailUnanswered):
        await smtp.send(MAIL)
    assert "DATA" in smtp_sink.heard


async def test_a_late_answer_is_not_taken_for_that_to_another_mail(
    smtp: SmtpMailer, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "CONTENT", 0.3)
    smtp_sink.delays["DATA"] = 0.6
    with pytest.raises(MailUnanswered, match="may be sent"):
        await smtp.send(MAIL)
    smtp_sink.delays.clear()
    smtp_sink.answer = "554 no thanks"
    with pytest.raises(MailRefused, match="554"):
        await smtp.send(MAIL)
    assert smtp_sink.connections == 2


@pytest.mark.parametrize("to", ["recipient", "data"])
async def test_a_refused_mail_leaves_its_connection_to_the_next(smtp: SmtpMailer, smtp_sink: SmtpSink, to: str) -> None:
    refused, welcome = "554 no thanks", "250 yes"
    await smtp.send(MAIL)
    smtp_sink.to_recipient, smtp_sink.answer = (refused, welcome) if to == "recipient" else (welcome, refused)
    with pytest.raises(MailRefused):
        await smtp.send(MAIL)
    assert smtp_sink.heard.count("MAIL") == 2, "it is not asked again"
    smtp_sink.to_recipient = smtp_sink.answer = welcome
    await smtp.send(MAIL)
    assert len(smtp_sink.taken) == 2
    assert smtp_sink.connections == 1


async def test_a_connection_over_which_the_server_says_goodbye_is_not_used_again(
    smtp: SmtpMailer, smtp_sink: SmtpSink
) -> None:
    smtp_sink.answer = "421 going down"
    with pytest.raises(MailDeferred, match="421"):
        await smtp.send(MAIL)
    smtp_sink.answer = "250 back again"
    await smtp.send(MAIL)
    assert smtp_sink.heard == ["EHLO", "MAIL", "RCPT", "DATA"] * 2


@pytest.mark.parametrize("command", ["EHLO", "MAIL", "RCPT", "DATA"])
async def test_a_cancelled_mail_leaves_nothing_to_the_next(smtp: SmtpMailer, smtp_sink: SmtpSink, command: str) -> None:
    smtp_sink.delays[command] = 5.0
    sending = asyncio.create_task(smtp.send(replace(MAIL, id=UUID(int=9))))
    await eventually(lambda: command in smtp_sink.heard)
    sending.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sending
    await eventually(lambda: smtp_sink.open_connections == 0, within=2)
    smtp_sink.delays.clear()
    await smtp.send(MAIL)
    assert [mail["Message-ID"] for mail in smtp_sink.taken] == [f"<{MAIL.id}@bottomline.example>"]
    assert smtp_sink.connections == 2


async def test_a_cancellation_that_comes_with_an_answer_is_heeded(
    smtp: SmtpMailer, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive = SMTPProtocol.data_received

    def receive_and_cancel(protocol: SMTPProtocol, data: bytes) -> None:
        receive(protocol, data)
        if smtp_sink.to_recipient.encode() in data:
            sending.cancel()

    monkeypatch.setattr(SMTPProtocol, "data_received", receive_and_cancel)
    sending = asyncio.create_task(smtp.send(MAIL))
    with pytest.raises(asyncio.CancelledError):
        await sending
    await eventually(lambda: smtp_sink.open_connections == 0)
    assert smtp_sink.taken == []


async def test_content_that_waits_to_be_sent_is_not_sent_after_the_end() -> None:
    """Else the server would take a mail that was said to be deferred."""
    received = bytearray()
    going_on, gone = asyncio.Event(), asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hello\r\n")
        while not (await reader.readline()).startswith(b"DATA"):
            writer.write(b"250 go on\r\n")
        writer.write(b"354 go on\r\n")
        await going_on.wait()
        with suppress(ConnectionError):
            while chunk := await reader.read(1_000_000):
                received.extend(chunk)
        writer.close()
        gone.set()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    address = SmtpServer("127.0.0.1", server.sockets[0].getsockname()[1])
    pool = connections.SmtpConnections(lambda: mailer.connect(address))
    content = b"more than the system takes in advance\r\n" * 500_000
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(2):
            await pool.hand_in(connection.Letter("us@example.org", "ann@example.org", content))
    going_on.set()
    await gone.wait()
    assert 0 < len(received) < len(content)
    await pool.close()
    server.close()
    await server.wait_closed()


async def test_a_mail_takes_no_longer_than_it_may(
    smtp: SmtpMailer, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailer, "WHOLE", 0.5)
    smtp_sink.delays["RCPT"] = 5.0
    with pytest.raises(MailDeferred):
        await smtp.send(MAIL)
    await eventually(lambda: smtp_sink.open_connections == 0, within=2)


async def test_its_wait_for_a_connection_is_part_of_the_time_that_a_mail_may_take(
    smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "AT_MOST", 1)
    smtp = SmtpMailer(SmtpServer.parse(smtp_sink.url), COMPOSER)
    smtp_sink.delays["RCPT"] = 5.0
    first = asyncio.create_task(smtp.send(MAIL))
    await eventually(lambda: "RCPT" in smtp_sink.heard)
    monkeypatch.setattr(mailer, "WHOLE", 0.2)
    with pytest.raises(MailDeferred):
        await smtp.send(MAIL)
    assert smtp_sink.connections == 1
    first.cancel()
    await asyncio.wait([first])
    await smtp.close()


async def test_the_end_is_said_over_every_connection_but_no_answer_is_waited_for_long(
    smtp: SmtpMailer, smtp_sink: SmtpSink, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "_FAREWELL", 0.2)
    await asyncio.gather(*(smtp.send(MAIL) for _ in range(16)))
    smtp_sink.delays["QUIT"] = 5.0
    started = monotonic()
    await smtp.close()
    assert monotonic() - started < 2
    assert smtp_sink.heard.count("QUIT") == smtp_sink.connections == connections.AT_MOST


async def test_the_service_says_goodbye_at_its_end(smtp_sink: SmtpSink, tmp_path: Path) -> None:
    settings = read_settings(
        {
            "BOTTOMLINE_SMTP_URL": smtp_sink.url,
            "BOTTOMLINE_SECRET_KEYS": "a secret of at least thirty-two characters",
            "BOTTOMLINE_DATA_DIR": str(tmp_path),
        }
    )
    async with opened(settings, announce=print) as container:
        await container.mailer().send(MAIL)
        assert "QUIT" not in smtp_sink.heard
    assert "QUIT" in smtp_sink.heard
