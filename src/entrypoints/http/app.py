"""The HTTP application."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from litestar import Litestar, Request, Router
from litestar.datastructures import State
from litestar.di import Provide
from litestar.exceptions import NotFoundException
from litestar.types import ASGIApp, ControllerRouterHandler

from entrypoints.faults import CannotStart
from entrypoints.http import accounts, email_changes, forward_auth, health, invites, passwords, sessions
from entrypoints.http.bodies import LARGEST, StrictRequest, readers_for
from entrypoints.http.client_address import ClientAddresses, client_address
from entrypoints.http.door import Door
from entrypoints.http.errors import HANDLERS
from entrypoints.http.openapi import openapi
from entrypoints.http.pages import not_found, page_routes
from entrypoints.http.queries import which
from entrypoints.http.security_log import SecurityLog
from entrypoints.http.session_checks import SessionChecks
from entrypoints.http.session_cookie import SessionCookie, logged_in, visiting
from entrypoints.http.shell import Shell, headers_of_all
from entrypoints.settings import Settings
from entrypoints.site import BadPage, Site, read_site

if TYPE_CHECKING:
    from entrypoints.container import Container

log = logging.getLogger(__name__)
PROVIDED = (
    "verify_invite",
    "issue_invite",
    "list_invites",
    "revoke_invite",
    "claim_invite_and_create_user",
    "check_username",
    "confirm_account",
    "resend_confirmation",
    "change_email",
    "confirm_email_change",
    "undo_email_change",
    "delete_user",
    "request_password_reset",
    "reset_password",
    "change_password",
    "log_in",
    "log_out",
    "list_sessions",
    "end_session",
    "end_other_sessions",
    "authenticate",
    "links",
    "mailbox",
    "clock",
    "read",
)
API: Sequence[ControllerRouterHandler] = [
    *accounts.routes,
    *email_changes.routes,
    *passwords.routes,
    *sessions.routes,
    *forward_auth.routes,
    invites.router,
]


def create_app(
    settings: Settings, announce: Callable[[str], None] = print, swap: Mapping[str, object] | None = None
) -> ASGIApp:
    """The application, whole.

    `announce` prints the lines that a person at the console needs; `swap` puts other parts into the container.
    """
    return surrounded(routed(settings, announce, swap), settings)


def surrounded(routes: Litestar, settings: Settings) -> ASGIApp:
    """The routes, and around them what every request passes through."""
    door = Door(routes)
    shell = Shell(door, public_url=settings.public_url, assets_url=settings.assets_url, turns_away=door.objection)
    logged = SecurityLog(shell, ClientAddresses(settings.trusted_proxies))
    return SessionChecks(logged, routes, headers_of_all(settings.public_url, settings.assets_url))


def routed(
    settings: Settings, announce: Callable[[str], None] = print, swap: Mapping[str, object] | None = None
) -> Litestar:
    """The routes and what they need, without what surrounds every request. Raises CannotStart."""
    site = _site(settings)
    api = Router("/api", route_handlers=API)
    mailbox = _mailbox(site, settings) if settings.has_mailbox else []

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        from entrypoints.running import running

        if not settings.rate_limits:
            log.warning("BOTTOMLINE_RATE_LIMITS is off: anybody may guess passwords and invites as fast as they can")
        async with running(settings, announce, swap) as container:
            _hand_over(app.state, container, settings)
            yield

    return Litestar(
        route_handlers=[api, *health.routes, openapi, *page_routes(site), *mailbox],
        dependencies={
            **{name: Provide(_from_container(name)) for name in PROVIDED},
            "cookie": Provide(_cookie),
            "client": Provide(client_address),
            "visitor": Provide(visiting),
            "me": Provide(logged_in),
            "which": Provide(which),
        },
        exception_handlers={**HANDLERS, NotFoundException: not_found},
        lifespan=[lifespan],
        logging_config=None,
        openapi_config=None,
        request_class=StrictRequest,
        request_max_body_size=LARGEST,
        state=State({"site": site}),
    )


def _site(settings: Settings) -> Site:
    try:
        return read_site(settings)
    except BadPage as fault:
        raise CannotStart(f"Bottomline cannot serve its pages: {fault}") from fault


def _mailbox(site: Site, settings: Settings) -> Sequence[ControllerRouterHandler]:
    from entrypoints.http.mailbox import mailbox_routes

    return mailbox_routes(site, settings)


def _hand_over(state: State, container: "Container", settings: Settings) -> None:
    state.container = container
    state.readers = readers_for(container.password_policy())
    state.client_addresses = ClientAddresses(settings.trusted_proxies)
    state.cookie = SessionCookie(
        container.seal(),
        is_secure=settings.has_secure_origin,
        max_age=int(settings.session_life.total_seconds()),
    )


def _from_container(name: str) -> Callable[[Request[Any, Any, Any]], Awaitable[Any]]:
    async def provide(request: Request[Any, Any, Any]) -> Any:
        return getattr(request.app.state.container, name)()

    return provide


async def _cookie(request: Request[Any, Any, Any]) -> SessionCookie:
    cookie: SessionCookie = request.app.state.cookie
    return cookie
