"""Lines of the log: nobody can forge one, and no exception tells what a person typed."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from entrypoints.logs import REQUEST, LogFormatter

CANARY = "hunter2-canary"
FORGED = f'x\n{{"event":"forged"}}\r\n\x1b[31mred\x1b[0m \x9b31m \u2028 \u202e {chr(0xD800)} \0'


def lines_of(text: str) -> list[str]:
    return text.removesuffix("\n").split("\n")


@pytest.fixture(params=[True, False], ids=["json", "text"])
def written(request: pytest.FixtureRequest) -> Iterator[Callable[[], str]]:
    """What the logger `forge` has written so far, in either format."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(LogFormatter(in_json=request.param))
    for name in ("forge", "asyncio"):
        logging.getLogger(name).addHandler(handler)
    logging.getLogger("forge").setLevel(logging.DEBUG)
    yield stream.getvalue
    for name in ("forge", "asyncio"):
        logging.getLogger(name).removeHandler(handler)


@pytest.fixture
def in_json() -> Callable[[logging.LogRecord], dict[str, Any]]:
    formatter = LogFormatter(in_json=True)
    return lambda record: json.loads(formatter.format(record))


def a_record(message: str, *args: object, name: str = "forge") -> logging.LogRecord:
    return logging.LogRecord(name, logging.WARNING, "forge.py", 1, message, args, None)


def test_nothing_that_comes_from_outside_makes_or_colours_a_line(written: Callable[[], str]) -> None:
    logging.getLogger("forge").info("agent %s", FORGED, extra={"user_agent": FORGED, "outcome": "done"})
    (line,) = lines_of(written())
    assert line.isprintable()
    assert "forged" in line


def test_a_value_cannot_pass_for_another_field_in_text() -> None:
    record = a_record("agent")
    record.outcome = "refused status=200 code=none"
    assert "outcome='refused status=200 code=none'" in LogFormatter(in_json=False).format(record)


def test_a_line_in_json_has_time_level_logger_event_and_request(
    in_json: Callable[[logging.LogRecord], dict[str, Any]],
) -> None:
    token = REQUEST.set("0123456789abcdef")
    line = in_json(a_record("answered %s", "é"))
    REQUEST.reset(token)
    assert line.pop("time").endswith("Z")
    assert line == {"event": "answered é", "level": "warning", "logger": "forge", "request": "0123456789abcdef"}
    assert "request" not in in_json(a_record("between requests"))


def fail() -> None:
    try:
        int(CANARY)
    except ValueError as error:
        raise ExceptionGroup(CANARY, [KeyError(CANARY), OSError(CANARY)]) from error


def test_an_exception_is_told_by_its_types_and_places_never_by_its_words(written: Callable[[], str]) -> None:
    try:
        fail()
    except ExceptionGroup:
        logging.getLogger("forge").exception("it failed")
    text = written()
    assert CANARY not in text
    for word in ("it failed", "ExceptionGroup", "KeyError", "OSError", "ValueError", "in fail", "int(CANARY)"):
        assert word in text


def test_an_exception_without_a_cause_hides_what_it_hides() -> None:
    record = a_record("it failed")
    try:
        try:
            int(CANARY)
        except ValueError:
            raise LookupError(CANARY) from None
    except LookupError as error:
        record.exc_info = (LookupError, error, error.__traceback__)
    line = LogFormatter(in_json=True).format(record)
    assert "LookupError" in line
    assert "ValueError" not in line


def test_asyncio_quotes_no_exception_either(written: Callable[[], str]) -> None:
    logging.getLogger("asyncio").error("Task exception was never retrieved\nfuture: <Task exception=%s>", CANARY)
    assert "Task exception was never retrieved" in written()
    assert CANARY not in written()


def test_what_another_handler_has_left_on_a_record_stays_out(
    in_json: Callable[[logging.LogRecord], dict[str, Any]],
) -> None:
    record = a_record("once")
    logging.Formatter("%(message)s").format(record)
    assert "message" not in in_json(record)
