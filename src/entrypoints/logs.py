"""The log: whatever the service has to say to whoever runs it, a line each, on standard error."""

import json
import logging
import sys
import traceback
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, TypeAlias

REQUEST: ContextVar[str | None] = ContextVar("request", default=None)
"""The id of the request that is being answered; each line written meanwhile carries it."""
Line: TypeAlias = dict[str, Any]
Write: TypeAlias = Callable[[Line], str]
_OF_EVERY_RECORD = {*logging.makeLogRecord({}).__dict__, "message", "asctime"}
"""What a record has before anybody adds to it, and what other handlers leave on it."""


def log_to_stderr(format: str) -> None:
    """Log in JSON (`json`), readable for people (`text`), or as fits whoever reads standard error (`auto`)."""
    is_terminal = sys.stderr.isatty()
    handler = logging.StreamHandler()
    handler.setFormatter(LogFormatter(in_json=format == "json" or (format == "auto" and not is_terminal)))
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False  # no line tells of them
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for noisy in ("aiormq", "aio_pika", "alembic"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)  # it tells of connections that break as they close
    logging.getLogger("aiormq.connection").setLevel(logging.CRITICAL)  # our own line says that the broker is away


class LogFormatter(logging.Formatter):
    """Turns a record into one line that nobody can forge a part of (ASVS 16.4.1).

    Characters that are not printable are escaped. An exception is its type and the places that it passed through: its
    message may quote what a person typed.
    """

    def __init__(self, *, in_json: bool) -> None:
        super().__init__()
        self._write: Write | None = json.JSONEncoder(default=repr).encode if in_json else None

    def format(self, record: logging.LogRecord) -> str:
        """The line. What writes for people is loaded at their first line, off the start."""
        if self._write is None:
            self._write = _for_people()
        return self._write(_line(record))


def _for_people() -> Write:
    from structlog import dev

    render = dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), timestamp_key="time", exception_formatter=dev.plain_traceback
    )
    return lambda line: render(None, "", line)


def _line(record: logging.LogRecord) -> Line:
    """What stands in the line; asyncio also quotes the exception behind the first line of its message."""
    event = record.getMessage()
    line = {
        "event": event.partition("\n")[0] if record.name == "asyncio" else event,
        "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "level": record.levelname.lower(),
        "logger": record.name,
        **{name: value for name, value in record.__dict__.items() if name not in _OF_EVERY_RECORD},
    }
    if request := REQUEST.get():
        line.setdefault("request", request)
    line = {name: _printable(value) if isinstance(value, str) else value for name, value in line.items()}
    if record.exc_info and record.exc_info[1]:
        line["exception"] = "".join(_way(record.exc_info[1], record.exc_info[2]))
    return line


def _printable(text: str) -> str:
    """Escape what is not printable: no line break, no colour, no reversed writing comes from outside."""
    if text.isprintable():
        return text
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in text)


def _way(error: BaseException, trace: TracebackType | None) -> Iterator[str]:
    """The exception, what it was raised in answer to, and what it is made of: types and places."""
    yield f"{type(error).__module__}.{type(error).__qualname__}\n"
    yield from traceback.format_tb(trace)
    inner = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    for other in (*inner, *([before] if before else [])):
        yield from _way(other, other.__traceback__)
