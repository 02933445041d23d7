"""Try mails again."""

from dataclasses import dataclass
from uuid import UUID

from application.ports import Begin, Clock


@dataclass(frozen=True, slots=True)
class RetryMails:
    """Have mails that have failed, or that wait for another try, tried now. What is sent is never sent again."""

    begin: Begin
    clock: Clock

    async def __call__(self, *, mail_id: UUID | None) -> int:
        """How many: the one of this id, or every failed one; none where it is sent, being sent or unknown."""
        async with self.begin() as work:
            return await work.mails.requeue(mail_id, self.clock.now())
