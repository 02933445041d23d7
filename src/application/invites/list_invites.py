"""List invites."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from application.ports import Begin
from domain.invite import Issued
from domain.user import Profile

PAGE = 100
"""Invites on a page: what is read and answered at a time stays small, however many there are."""


@dataclass(frozen=True, slots=True)
class InvitePage:
    """Some invites, newest first. `next` is what the page after it begins before; None on the last one."""

    invites: Sequence[Issued]
    next: UUID | None


@dataclass(frozen=True, slots=True)
class ListInvites:
    """Show a user their invites, and an operator or the command line everybody's, page by page."""

    read: Begin

    async def __call__(self, *, to: Profile | None, only_own: bool = False, before: UUID | None = None) -> InvitePage:
        """At most PAGE invites, the newest or those issued before another, which need not be there any more.

        `to` is None for the command line; `only_own` leaves out what others than this operator have issued.
        """
        by = None if to is None or (to.is_operator and not only_own) else to.id
        async with self.read() as work:
            found = await work.invites.issued(by, before=before, limit=PAGE + 1)
        page = found[:PAGE]
        return InvitePage(page, page[-1].invite.id if len(found) > PAGE else None)
