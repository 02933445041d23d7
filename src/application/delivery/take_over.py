"""Take over from a dead process."""

from dataclasses import dataclass

from application.ports import Begin


@dataclass(frozen=True, slots=True)
class TakeOver:
    """Free all leases, so that nothing waits for those of a dead process: for the only process, at its start."""

    begin: Begin

    async def __call__(self) -> None:
        """Whatever was leased is due again."""
        async with self.begin() as work:
            await work.outbox.free_leases()
            await work.mails.free_leases()
