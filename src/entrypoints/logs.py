"""The log: whatever the service has to say to whoever runs it, a line each, on standard error."""

import logging
import sys
import traceback
from collections.abc import Iterator, MutableMapping
from contextvars import ContextVar
from types import TracebackType
from typing import Any

REQUEST: ContextVar[str | None] = ContextVar("request", default=None)
"""The id of the request that is being answered; each line written meanwhile carries it."""
Line = MutableMapping[str, Any]


def log_to_stderr(format: str) -> None:
    """Log in JSON (`json`), readable for people (`text`), or as fits whoever reads standard error (`auto`)."""
    is_terminal = sys.stderr.isatty()
    handler = logging.StreamHandler()
    handler.setFormatter(LogFormatter(in_json=format == "json" or (format == "auto" and not is_terminal)))
    logging.basicConfig(level=logging.INFO, handlers=[handler])
    for noisy in ("aiormq", "aio_pika", "alembic"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)  # it tells of connections that break as they close
    logging.getLogger("aiormq.connection").setLevel(logging.CRITICAL)  # our own line says that the broker is away


class LogFormatter(logging.Formatter):
    """Turns a record into one line that nobody can forge a part of (ASVS 16.4.1).

    Characters that are not printable are escaped. An exception is its type and the places that it passed through: its
    message may quote what a person typed. structlog does the work; it is loaded at the first line, off the start.
    """

    def __init__(self, *, in_json: bool) -> None:
        super().__init__()
        self._in_json = in_json
        self._pipeline: logging.Formatter | None = None

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        if self._pipeline is None:
            self._pipeline = _pipeline(in_json=self._in_json)
        return self._pipeline.format(record)


def _pipeline(*, in_json: bool) -> logging.Formatter:
    from structlog import dev, processors, stdlib

    renderer = (
        processors.JSONRenderer()
        if in_json
        else dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), timestamp_key="time", exception_formatter=dev.plain_traceback
        )
    )
    return stdlib.ProcessorFormatter(
        processors=[
            processors.TimeStamper(fmt="iso", utc=True, key="time"),
            stdlib.add_log_level,
            stdlib.add_logger_name,
            stdlib.ExtraAdder(),
            _in_its_request,
            _without_messages,
            stdlib.ProcessorFormatter.remove_processors_meta,
            _printable,
            renderer,
        ]
    )


def _in_its_request(_: object, __: str, line: Line) -> Line:
    line.pop("message", None)  # what another handler has made of the record
    if request := REQUEST.get():
        line.setdefault("request", request)
    return line


def _without_messages(_: object, __: str, line: Line) -> Line:
    """Put an exception's way in the place of the exception; asyncio also quotes it behind its first line."""
    if exc_info := line.pop("exc_info", None):
        line["exception"] = "".join(_way(exc_info[1], exc_info[2]))
    if line["logger"] == "asyncio":
        line["event"] = line["event"].partition("\n")[0]
    return line


def _way(error: BaseException, trace: TracebackType | None) -> Iterator[str]:
    """The exception, what it was raised in answer to, and what it is made of: types and places."""
    yield f"{type(error).__module__}.{type(error).__qualname__}\n"
    yield from traceback.format_tb(trace)
    inner = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    for other in (*inner, *([before] if before else [])):
        yield from _way(other, other.__traceback__)


def _printable(_: object, __: str, line: Line) -> Line:
    """Escape what is not printable: no line break, no colour, no reversed writing comes from outside."""
    for name, value in line.items():
        if isinstance(value, str) and name != "exception" and not value.isprintable():
            line[name] = "".join(
                character if character.isprintable() else ascii(character)[1:-1] for character in value
            )
    return line
