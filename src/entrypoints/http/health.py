"""Routes: whether the process runs, and whether it can do its work."""

from typing import Literal

from litestar import get
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from application.ports import Begin
from entrypoints.http.accounts import StatusOut


@get("/live")
async def live() -> StatusOut[Literal["live"]]:
    """Answer as long as the process runs."""
    return StatusOut("live")


@get("/ready")
async def ready(read: NamedDependency[SkipValidation[Begin]]) -> StatusOut[Literal["ready"]]:
    """Answer 200 while the database answers, else 503."""
    async with read() as work:
        await work.users.any()
    return StatusOut("ready")


routes = [live, ready]
