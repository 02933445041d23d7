"""Commands about mails."""

from typing import TYPE_CHECKING
from uuid import UUID

import click

from domain.mail import MailState
from entrypoints.cli.start import with_container

if TYPE_CHECKING:
    from entrypoints.container import Container


@click.group()
def mail() -> None:
    """Look at mails and try them again."""


@mail.command("list")
@click.option("--state", type=click.Choice([state.value for state in MailState]), help="Only those in this state.")
@click.option("--most", default=50, show_default=True, type=click.IntRange(1, 10_000), help="How many at most.")
def list_(state: str | None, most: int) -> None:
    """List mails, newest first: id, state, tries, kind, time (UTC), address, and why it is not sent.

    Mails are forgotten 30 days after they were sent or have failed.
    """

    async def work(container: "Container") -> list[str]:
        return [
            f"{found.id}  {found.state:<7}  {found.attempts:>3}  {found.kind:<16}  {found.created_at:%Y-%m-%d %H:%M}"
            f"  {found.to}  {found.reason or ''}".rstrip()
            for found in await container.list_mails()(state=MailState(state) if state else None, most=most)
        ]

    for line in with_container(work) or ["There are no such mails."]:
        click.echo(line)


@mail.command()
@click.argument("mail_id", type=click.UUID, required=False)
@click.option("--failed", is_flag=True, help="All that have failed.")
def retry(mail_id: UUID | None, failed: bool) -> None:
    """Try a mail again, now: one that has failed, or that waits for its next try.

    The service sends it, if it is running. A mail whose link cannot be used any more fails again.
    """
    if (mail_id is None) is not failed:
        raise click.UsageError("Name one mail (see: bottomline mail list), or all with --failed.")

    async def work(container: "Container") -> int:
        return await container.retry_mails()(mail_id=mail_id)

    tried = with_container(work)
    if not tried and not failed:
        raise click.ClickException("There is no mail with this id that has failed or waits.")
    click.echo(f"{tried} mail{'' if tried == 1 else 's'} will be tried again now.")
