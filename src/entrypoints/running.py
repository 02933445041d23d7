"""The service between its start and its end."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, nullcontext

from adapters.sql.migrate import migrate
from entrypoints.container import Container, opened
from entrypoints.delivery import delivering, finishing_log_outs
from entrypoints.faults import CannotStart, cause_of
from entrypoints.settings import Settings


@asynccontextmanager
async def running(
    settings: Settings, announce: Callable[[str], None], swap: Mapping[str, object] | None = None
) -> AsyncIterator[Container]:
    """What a web process stands on, with the loops that belong to it, for as long as the block runs.

    Raises CannotStart. `announce` and `swap` are those of `opened`.
    """
    async with opened(settings, announce=announce, swap=swap) as container:
        if settings.is_embedded:
            await _prepare(container, announce)
        delivery = nullcontext() if settings.rabbitmq_url else delivering(container, settings)
        async with finishing_log_outs(container), delivery:
            yield container


async def _prepare(container: Container, announce: Callable[[str], None]) -> None:
    """Make the only process's database ready. Raises CannotStart."""
    try:
        await migrate(container.engine())
        await container.take_over()()
        await _offer_first_invite(container, announce)
    except Exception as fault:
        raise CannotStart(
            f"Bottomline cannot start on {container.settings().database_url}: {cause_of(fault)}"
        ) from fault


async def _offer_first_invite(container: Container, announce: Callable[[str], None]) -> None:
    invite = await container.offer_first_invite()()
    if invite is not None:
        announce(f"First invite: {container.links().signup(invite.id)}")
