"""List invites."""

from collections.abc import Sequence
from dataclasses import dataclass

from application.ports import Begin
from domain.invite import Issued
from domain.user import Profile


@dataclass(frozen=True, slots=True)
class ListInvites:
    """Show a user their invites, and an operator or the command line everybody's."""

    read: Begin

    async def __call__(self, *, to: Profile | None) -> Sequence[Issued]:
        """The invites, newest first. `to` is None for the command line."""
        async with self.read() as work:
            return await work.invites.issued(None if to is None or to.is_operator else to.id)
