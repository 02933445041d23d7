"""Commands about invites."""

from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

import click

from entrypoints.cli.start import with_container

if TYPE_CHECKING:
    from domain.invite import Issued
    from entrypoints.container import Container


@click.group()
def invite() -> None:
    """Issue, list and revoke invites."""


@invite.command()
@click.option("--email", help="Bind the invite to this mail address, and mail it there.")
@click.option("--expires", default=7, show_default=True, metavar="DAYS", help="Days until it ends.")
@click.option("--max-claims", default=1, show_default=True, metavar="N", help="How many accounts it is good for.")
@click.option("--note", help="What it is for; only operators and you see it.")
@click.option("--operator", is_flag=True, help="Whoever claims it becomes an operator.")
def create(email: str | None, expires: int, max_claims: int, note: str | None, operator: bool) -> None:
    """Issue an invite and print its sign-up link."""
    from domain.email_address import EmailAddress
    from domain.invite import InviteTerms
    from domain.user import Role

    async def work(container: "Container") -> str:
        terms = InviteTerms(
            email=EmailAddress.parse(email) if email is not None else None,
            expires_in_days=expires,
            max_claims=max_claims,
            note=note,
            role=Role.ADMIN if operator else Role.MEMBER,
        )
        issued = await container.issue_invite()(terms=terms, by=None)
        return container.links().signup(issued.id)

    click.echo(with_container(work))


@invite.command("list")
def list_() -> None:
    """List all invites, newest first: id, state, claims, end, issuer, address, note."""

    async def work(container: "Container") -> None:
        now, list_invites = container.clock().now(), container.list_invites()
        page = await list_invites(to=None)
        if not page.invites:
            click.echo("There are no invites. Make one: bottomline invite create")
        while page.invites:
            click.echo("\n".join(_line(issued, now) for issued in page.invites))
            if page.next is None:
                break
            page = await list_invites(to=None, before=page.next)

    with_container(work)


def _line(issued: "Issued", at: datetime) -> str:
    found = issued.invite
    return (
        f"{found.id}  {found.state(at):<7}  {found.claims}/{found.max_claims}  {found.expires_at:%Y-%m-%d %H:%M}"
        f"  {issued.issuer or '-'}  {found.email or '-'}  {found.note or ''}"
    ).rstrip()


@invite.command()
@click.argument("invite_id", type=click.UUID)
def revoke(invite_id: UUID) -> None:
    """Take an invite back; accounts made with it stay."""

    async def work(container: "Container") -> None:
        await container.revoke_invite()(invite_id=invite_id, by=None)

    with_container(work)
    click.echo("The invite cannot be claimed any more.")
