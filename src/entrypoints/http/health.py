"""Routes: whether the process runs, and whether it can do its work."""

from litestar import get
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from application.ports import Begin


@get("/live")
async def live() -> dict[str, str]:
    """Answer as long as the process runs."""
    return {"status": "live"}


@get("/ready")
async def ready(read: NamedDependency[SkipValidation[Begin]]) -> dict[str, str]:
    """Answer 200 while the database answers, else 503."""
    async with read() as work:
        await work.users.any()
    return {"status": "ready"}


routes = [live, ready]
