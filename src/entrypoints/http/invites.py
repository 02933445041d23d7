"""Routes: invites."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal
from urllib.parse import urlencode
from uuid import UUID

import msgspec
from litestar import Response, Router, delete, get, post
from litestar.datastructures import ResponseHeader
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, SkipValidation

from adapters.crypto.links import Links
from application.invites.issue_invite import IssueInvite
from application.invites.list_invites import ListInvites
from application.invites.revoke_invite import RevokeInvite
from application.invites.verify_invite import OpenInvite, VerifyInvite
from application.ports import Clock
from domain.client_address import ClientAddress
from domain.email_address import EmailAddress
from domain.errors import InviteInvalid, InviteNotFound, InviteQuotaReached
from domain.invite import LIFE_DAYS, LONGEST_LIFE_DAYS, LONGEST_NOTE, MOST_CLAIMS, InviteState, InviteTerms, Issued
from domain.session import LoggedIn
from entrypoints.http.wire import Moment

UtcClock = SkipValidation[Clock]
LINK = "Where there are older ones: the path of the next page."


class VerifyBody(msgspec.Struct):
    """An invite's token."""

    invite: str


class OpenInviteOut(msgspec.Struct):
    """What the holder of an open invite may know."""

    expires_at: Moment
    email: str | msgspec.UnsetType = msgspec.UNSET
    invited_by: str | msgspec.UnsetType = msgspec.UNSET

    @classmethod
    def of(cls, invite: OpenInvite) -> "OpenInviteOut":
        """The answer for this invite."""
        return cls(
            invite.expires_at,
            invite.email.address if invite.email else msgspec.UNSET,
            invite.invited_by or msgspec.UNSET,
        )


class InviteBody(msgspec.Struct):
    """What whoever issues an invite may choose."""

    email: EmailAddress | None = None
    max_claims: Annotated[int, msgspec.Meta(ge=1, le=MOST_CLAIMS)] = 1
    expires_in_days: Annotated[int, msgspec.Meta(ge=1, le=LONGEST_LIFE_DAYS)] = LIFE_DAYS
    note: Annotated[str, msgspec.Meta(max_length=LONGEST_NOTE)] | None = None


class WhichInvites(msgspec.Struct):
    """Which invites to list."""

    before: Annotated[UUID, msgspec.Meta(description="An id: list what was issued before it.")] | None = None
    issued_by: Annotated[Literal["me"], msgspec.Meta(description="Leave out those of others.")] | None = None


class InviteOut(msgspec.Struct):
    """An invite as its issuer sees it; token and link while it can be claimed.

    `issued_by` is a username; null where the command line issued the invite, or an account that is deleted.
    """

    id: UUID
    invite: str | None
    link: str | None
    email: str | None
    max_claims: int
    claims: int
    note: str | None
    issued_by: str | None
    created_at: Moment
    expires_at: Moment
    state: InviteState

    @classmethod
    def of(cls, issued: Issued, links: Links, at: datetime) -> "InviteOut":
        """The answer for this invite."""
        invite = issued.invite
        is_open = invite.is_open(at)
        return cls(
            id=invite.id,
            invite=links.invite_token(invite.id) if is_open else None,
            link=links.signup(invite.id) if is_open else None,
            email=invite.email.address if invite.email else None,
            max_claims=invite.max_claims,
            claims=invite.claims,
            note=invite.note,
            issued_by=issued.issuer.name if issued.issuer else None,
            created_at=invite.created_at,
            expires_at=invite.expires_at,
            state=invite.state(at),
        )


@post("/verify", status_code=200, problems=(InviteInvalid,))
async def verify(
    data: JSONBody[VerifyBody],
    verify_invite: NamedDependency[VerifyInvite],
    client: NamedDependency[ClientAddress],
) -> OpenInviteOut:
    """Tell whether an invite is open; changes nothing."""
    return OpenInviteOut.of(await verify_invite(invite=data.invite, client=client))


@post("/", problems=(InviteQuotaReached,))
async def issue(
    data: JSONBody[InviteBody],
    me: NamedDependency[LoggedIn],
    issue_invite: NamedDependency[IssueInvite],
    links: NamedDependency[Links],
    clock: NamedDependency[UtcClock],
) -> InviteOut:
    """Issue an invite."""
    terms = InviteTerms(
        email=data.email, max_claims=data.max_claims, expires_in_days=data.expires_in_days, note=data.note
    )
    invite = await issue_invite(terms=terms, by=me.user)
    return InviteOut.of(Issued(invite, me.user.username), links, clock.now())


@get("/", response_headers=[ResponseHeader(name="Link", description=LINK, documentation_only=True)])
async def list_mine(
    which: NamedDependency[WhichInvites],
    me: NamedDependency[LoggedIn],
    list_invites: NamedDependency[ListInvites],
    links: NamedDependency[Links],
    clock: NamedDependency[UtcClock],
) -> Response[Sequence[InviteOut]]:
    """List my invites, newest first; for an operator, everybody's.

    At most 100 are answered at a time. Where there are older ones, `Link` leads to the next page (RFC 8288):
    `</api/invites?before=019a6b2c-0d3e-7c4f-8a5b-6c7d8e9f0a1b>; rel="next"`.
    """
    page = await list_invites(to=me.user, only_own=which.issued_by is not None, before=which.before)
    now = clock.now()
    return Response([InviteOut.of(issued, links, now) for issued in page.invites], headers=_link(which, page.next))


def _link(which: WhichInvites, next: UUID | None) -> dict[str, str]:
    if next is None:
        return {}
    query = urlencode(
        {name: value for name, value in msgspec.structs.asdict(which).items() if value} | {"before": next}
    )
    return {"Link": f'</api/invites?{query}>; rel="next"'}


@delete("/{invite_id:uuid}", problems=(InviteNotFound,))
async def revoke(
    invite_id: FromPath[UUID], me: NamedDependency[LoggedIn], revoke_invite: NamedDependency[RevokeInvite]
) -> None:
    """Take an invite back."""
    await revoke_invite(invite_id=invite_id, by=me.user)


router = Router("/invites", route_handlers=[verify, issue, list_mine, revoke])
