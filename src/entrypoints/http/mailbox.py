"""Routes: the mails of a service that has no mail server, for whoever sits at its machine."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from ipaddress import ip_address
from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, Router, get
from litestar.connection import ASGIConnection
from litestar.di import NamedDependency
from litestar.exceptions import NotFoundException
from litestar.handlers import BaseRouteHandler
from litestar.params import FromPath

from adapters.files.mailbox import FileMailbox, KeptMail
from domain.client_address import ClientAddress
from entrypoints.http.shell import content_security_policy
from entrypoints.http.static_files import answer_with
from entrypoints.settings import Settings
from entrypoints.site import Site

MOST = 100
"""Mails in the list; it is looked at again every few seconds."""
POLICY_OF_MAILS = (
    "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'; sandbox allow-popups"
    " allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation"
)
"""A mail loads nothing and runs nothing; a click on a link in it leads somewhere."""
_NO_STORE: Mapping[str, str] = {"Cache-Control": "no-store"}
_HOST = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?", re.IGNORECASE)
_PASSED_ON = re.compile(r"forwarded|x-forwarded-.*|x-real-ip|via")
_HEAD = re.compile(r"<head(\s[^>]*)?>", re.IGNORECASE)


class MailOut(msgspec.Struct):
    """A mail in the list; `link` is the one that its reader is to follow."""

    id: UUID
    to: str
    subject: str
    at: datetime
    link: str | None

    @classmethod
    def of(cls, mail: KeptMail) -> "MailOut":
        """The answer for this mail."""
        return cls(mail.id, mail.to, mail.subject, mail.at, mail.link)


class WholeMailOut(MailOut):
    """A mail with what stands in it."""

    text: str
    has_html: bool

    @classmethod
    def of(cls, mail: KeptMail) -> "WholeMailOut":
        """The answer for this mail."""
        return cls(mail.id, mail.to, mail.subject, mail.at, mail.link, mail.text, mail.html is not None)


def mailbox_routes(site: Site, settings: Settings) -> list[Router]:
    """The page and what it asks for; nothing of it is there for requests from elsewhere."""
    page_headers = {
        **_NO_STORE,
        "Content-Security-Policy": content_security_policy(settings.assets_url, "frame-src 'self'"),
    }

    @get("/", include_in_schema=False)
    async def page(request: Request[Any, Any, Any]) -> Response[bytes]:
        return answer_with(request, site.pages["mailbox.html"], page_headers)

    return [
        Router(
            "/mailbox",
            route_handlers=[page, list_mails, show_mail, show_html],
            guards=[check_is_from_this_machine],
        )
    ]


@get("/mails", include_in_schema=False)
async def list_mails(mailbox: NamedDependency[FileMailbox]) -> Sequence[MailOut]:
    """List the newest mails."""
    return [MailOut.of(mail) for mail in await mailbox.newest(MOST)]


@get("/mails/{mail_id:uuid}", include_in_schema=False)
async def show_mail(mail_id: FromPath[UUID], mailbox: NamedDependency[FileMailbox]) -> WholeMailOut:
    """Show a mail."""
    return WholeMailOut.of(await _find(mailbox, mail_id))


@get("/mails/{mail_id:uuid}/html", include_in_schema=False)
async def show_html(mail_id: FromPath[UUID], mailbox: NamedDependency[FileMailbox]) -> Response[str]:
    """Show a mail as a program for mails would, in a frame; what is clicked replaces the page around it."""
    mail = await _find(mailbox, mail_id)
    if mail.html is None:
        raise NotFoundException
    html = _HEAD.sub(lambda head: f'{head[0]}<base target="_top">', mail.html, count=1)
    return Response(html, media_type="text/html", headers={"Content-Security-Policy": POLICY_OF_MAILS})


async def _find(mailbox: FileMailbox, id: UUID) -> KeptMail:
    mail = await mailbox.get(id)
    if mail is None:
        raise NotFoundException
    return mail


def check_is_from_this_machine(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """Raise NotFoundException unless a program of this machine asks, for a name of this machine, without a proxy.

    Another name that leads here is a trick to have a browser read what it must not (DNS rebinding). A proxy on this
    machine makes everybody seem to sit at it; one that says nothing of itself may still speak HTTP/1.0, as no browser
    does.
    """
    peer = ClientAddress.parse(connection.client.host if connection.client else "")
    hosts = connection.headers.getall("host", [])
    is_local = peer.is_known and ip_address(peer.text).is_loopback
    is_asked_by_name = len(hosts) == 1 and _HOST.fullmatch(hosts[0]) is not None
    is_old = connection.scope["http_version"] == "1.0"
    is_passed_on = is_old or any(_PASSED_ON.fullmatch(name) for name in connection.headers)
    if not is_local or not is_asked_by_name or is_passed_on:
        raise NotFoundException
