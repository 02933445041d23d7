"""Routes: whether the process runs, and whether it can do its work."""

import asyncio

from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import SkipValidation

from application.ports import Begin, Unavailable
from entrypoints.http.errors import ProblemOut, of_fault, response


@get("/live")
async def live() -> dict[str, str]:
    """Answer as long as the process runs."""
    return {"status": "live"}


@get("/ready")
async def ready(
    read: NamedDependency[SkipValidation[Begin]],
) -> Response[dict[str, str]] | Response[ProblemOut]:
    """Answer 200 while the database answers, else 503."""
    try:
        async with asyncio.timeout(2), read() as work:
            await work.users.any()
    except (Unavailable, TimeoutError):
        return response(of_fault(Unavailable()))
    return Response({"status": "ready"})


routes = [live, ready]
