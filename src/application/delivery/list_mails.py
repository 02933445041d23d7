"""List mails."""

from collections.abc import Sequence
from dataclasses import dataclass

from application.ports import Begin
from domain.mail import Mail, MailState


@dataclass(frozen=True, slots=True)
class ListMails:
    """Show the command line what has become of mails."""

    read: Begin

    async def __call__(self, *, state: MailState | None, most: int) -> Sequence[Mail]:
        """The newest mails, newest first; in one state, or in any."""
        async with self.read() as work:
            return await work.mails.newest(most, state)
