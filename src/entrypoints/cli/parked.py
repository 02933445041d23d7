"""Commands about messages that a consumer gave up."""

import json
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

import click

from entrypoints.cli.start import run, settings

if TYPE_CHECKING:
    from adapters.rabbitmq.parked import ParkedMessage, ParkedMessages

T = TypeVar("T")


def _one_or_all(command: Callable[..., None]) -> Callable[..., None]:
    """What `replay` and `drop` take alike."""
    with_option = click.option("--all", "everything", is_flag=True, help="All of them.")(command)
    return click.argument("message_id", required=False)(with_option)


@click.group()
def parked() -> None:
    """Look at messages that were given up, hand them out again, or drop them.

    A message is parked at once where it cannot be read, and otherwise after its consumer has failed 20 times.
    """


@parked.command("list")
def list_() -> None:
    """List parked messages, the oldest first: id, event, queue, time (UTC), reason."""
    for message in _with_parked(lambda found: found.list()):
        at = f"{message.at:%Y-%m-%d %H:%M}" if message.at else "-"
        click.echo(f"{message.id}  {message.type}  {message.queue}  {at}  {message.reason}")


@parked.command()
@click.argument("message_id")
def show(message_id: str) -> None:
    """Print a parked message as it came."""
    found = [message for message in _with_parked(lambda found: found.list()) if message.id == message_id]
    if not found:
        raise click.ClickException(NO_SUCH)
    click.echo(f"{found[0].reason}\n{_readable(found[0].body)}")


@parked.command()
@_one_or_all
def replay(message_id: str | None, everything: bool) -> None:
    """Hand a message, or all, to its consumer again: once the cause is mended."""
    is_chosen = _choice(message_id, everything)
    _tell(_with_parked(lambda found: found.replay(is_chosen)), "handed out again", everything)


@parked.command()
@_one_or_all
def drop(message_id: str | None, everything: bool) -> None:
    """Forget a message, or all. What it should have caused does not happen."""
    is_chosen = _choice(message_id, everything)
    _tell(_with_parked(lambda found: found.drop(is_chosen)), "dropped", everything)


NO_SUCH = "There is no parked message with this id. See: bottomline parked list"


def _choice(message_id: str | None, everything: bool) -> Callable[["ParkedMessage"], bool]:
    if (message_id is None) is not everything:
        raise click.UsageError("Name one message (see: bottomline parked list), or all with --all.")
    return lambda message: everything or message.id == message_id


def _tell(number: int, what: str, everything: bool) -> None:
    if not number and not everything:
        raise click.ClickException(NO_SUCH)
    click.echo(f"{number} message{'' if number == 1 else 's'} {what}.")


def _with_parked(work: Callable[["ParkedMessages"], Coroutine[Any, Any, T]]) -> T:
    found = settings()
    if found.rabbitmq_url is None:
        raise click.ClickException(
            "BOTTOMLINE_RABBITMQ_URL is not set: then nothing is parked, what fails is tried again for ever."
        )
    from adapters.rabbitmq.parked import ParkedMessages

    return run(work(ParkedMessages(found.rabbitmq_url)))


def _readable(body: bytes) -> str:
    """JSON in lines; what is none, as it is, with what is not printable escaped."""
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=True)
    except ValueError:
        return ascii(body)
