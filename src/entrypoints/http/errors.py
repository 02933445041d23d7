"""Refusals and faults as problems (RFC 9457): one table, complete."""

import logging
import math
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any

import msgspec
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.types import HTTPResponseStartEvent, Scope, Send

from application.accounts.delete_user import DeletionUnavailable
from application.ports import Overloaded, Unavailable
from domain import errors
from domain.errors import BadField, FieldCode
from entrypoints.http.security_log import note_problem
from entrypoints.http.strict_json import MalformedBody

log = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Problem:
    """How a refusal is told: the status, and a title that is the same each time."""

    status: HTTPStatus
    title: str


PROBLEMS: Mapping[type[errors.Refusal], Problem] = {
    errors.InvalidFields: Problem(HTTPStatus.BAD_REQUEST, "Some fields need another value"),
    errors.InviteInvalid: Problem(HTTPStatus.NOT_FOUND, "The invite cannot be used"),
    errors.InviteNotFound: Problem(HTTPStatus.NOT_FOUND, "No such invite"),
    errors.InviteQuotaReached: Problem(HTTPStatus.FORBIDDEN, "Too many open invites"),
    errors.ConfirmationInvalid: Problem(HTTPStatus.NOT_FOUND, "The confirmation cannot be used"),
    errors.ResetInvalid: Problem(HTTPStatus.NOT_FOUND, "The reset cannot be used"),
    errors.EmailChangeInvalid: Problem(HTTPStatus.NOT_FOUND, "The change of address cannot be used"),
    errors.SessionNotFound: Problem(HTTPStatus.NOT_FOUND, "No such session"),
    errors.CredentialsInvalid: Problem(HTTPStatus.UNAUTHORIZED, "Wrong address or password"),
    errors.NotLoggedIn: Problem(HTTPStatus.UNAUTHORIZED, "Not logged in"),
    errors.TooManyRequests: Problem(HTTPStatus.TOO_MANY_REQUESTS, "Too many requests"),
    MalformedBody: Problem(HTTPStatus.BAD_REQUEST, "The body cannot be read"),
}
"""Every refusal, or the nearest class above it: those that must not be told apart have one row."""

_AGAIN = "The service cannot answer right now. Send the same request again in a moment."
FAULTS: Mapping[type[Unavailable], tuple[str, str]] = {
    Unavailable: ("unavailable", _AGAIN),
    Overloaded: ("overloaded", _AGAIN),
    DeletionUnavailable: (
        "deletion_unavailable",
        "You cannot delete your account at this time. Nothing has changed; try again in a moment.",
    ),
}
"""Every fault that is answered 503."""

_BY_STATUS: Mapping[int, tuple[str, str, str]] = {
    400: ("bad_request", "Bad request", "The request cannot be read."),
    404: ("not_found", "Not found", "There is nothing at this path."),
    405: ("method_not_allowed", "Method not allowed", "This path does not take this method."),
    408: ("request_timeout", "The body is late", "The body did not arrive in time. Send the request again."),
    413: ("body_too_large", "The body is too large", "The body is larger than 16 KiB."),
    415: ("unsupported_media_type", "Not JSON", "Send the body as application/json, in UTF-8."),
}
_ELSE = ("internal_error", "A fault of ours", "Something went wrong on our side. Try again later.")


FIELD_CODES: Mapping[FieldCode, str] = {
    "field_missing": "The field is required.",
    "unknown_field": "There is no such field; send only those that are described.",
    "wrong_type": "The value has another type than the field.",
    "too_long": "The text has more characters than the field takes.",
    "out_of_range": "The number is below or above what the field takes.",
    "characters": "The text has characters that do not fit on one line.",
    "email_invalid": "This is no mail address that a server could deliver to.",
    "email_unchanged": "The account has this address already.",
    "username_length": "The name is too short or too long.",
    "username_characters": "The name has characters other than letters and digits of one script, with _ or - inside.",
    "username_reserved": "The name is kept for the service's own use.",
    "username_taken": "Another account has this name, had it lately, or is about to: choose another.",
    "password_missing": "The password is empty.",
    "password_too_short": "The new password has fewer characters than this service asks for.",
    "password_too_long": "The password has more than 1,024 bytes of UTF-8.",
    "password_guessable": "The new password is easy to guess, also from the address and the username.",
    "password_breached": "The new password is on a list of stolen ones.",
    "password_wrong": "This is not the password of the account.",
    "bound_to_one_address": "An invite for one mail address is good for one account only.",
    "invite_for_another_address": "The invite was sent to another mail address: sign up with that one.",
}
"""What each code of a bad field means."""


class BadFieldOut(msgspec.Struct, frozen=True):
    """A field that cannot be taken."""

    field: str
    code: Annotated[FieldCode, msgspec.Meta(extra_json_schema={"x-enumDescriptions": FIELD_CODES})]
    message: str


class ProblemOut(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A problem in JSON."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: tuple[BadFieldOut, ...] = ()

    @classmethod
    def of(cls, code: str, status: int, title: str, detail: str, *fields: BadField) -> "ProblemOut":
        """A problem of this code."""
        bad = tuple(BadFieldOut(field.field, field.code, field.message) for field in fields)
        return cls(type=f"urn:bottomline:{code}", title=title, status=status, detail=detail, code=code, errors=bad)


def of_refusal(refusal: errors.Refusal) -> ProblemOut:
    """The problem of a refusal: its own row in the table, or that of the nearest class above."""
    problem = next(PROBLEMS[kind] for kind in type(refusal).__mro__ if kind in PROBLEMS)
    fields = refusal.fields if isinstance(refusal, errors.InvalidFields) else ()
    return ProblemOut.of(refusal.code, problem.status, problem.title, refusal.message, *fields)


def of_status(status: int) -> ProblemOut:
    """The problem of an answer that the framework gives."""
    code, title, detail = _BY_STATUS.get(status, _ELSE)
    return ProblemOut.of(code, status, title, detail)


def of_fault(fault: Unavailable) -> ProblemOut:
    """The problem of a server that is away."""
    code, detail = next(FAULTS[kind] for kind in type(fault).__mro__ if kind in FAULTS)
    return ProblemOut.of(code, HTTPStatus.SERVICE_UNAVAILABLE, "Temporarily unavailable", detail)


def response(
    request: Request[Any, Any, Any], problem: ProblemOut, headers: Mapping[str, str] | None = None
) -> Response[ProblemOut]:
    """The problem as an answer, noted for the log."""
    note_problem(request.scope, problem.errors[0].code if len(problem.errors) == 1 else problem.code)
    return Response(problem, status_code=problem.status, media_type=MEDIA_TYPE, headers=headers)


async def tell(send: Send, problem: ProblemOut, headers: Mapping[str, str] | None = None) -> None:
    """Answer with a problem where no route does."""
    body = msgspec.json.encode(problem)
    own = {"content-type": MEDIA_TYPE, "content-length": str(len(body)), **(headers or {})}
    start: HTTPResponseStartEvent = {
        "type": "http.response.start",
        "status": problem.status,
        "headers": [(name.lower().encode(), value.encode()) for name, value in own.items()],
    }
    await send(start)
    await send({"type": "http.response.body", "body": body, "more_body": False})


async def turn_away(scope: Scope, send: Send, fault: Unavailable) -> None:
    """Answer when to come again, before any route is asked."""
    problem = of_fault(fault)
    note_problem(scope, problem.code)
    await tell(send, problem, again_after(fault))


def _refused(request: Request[Any, Any, Any], refusal: errors.Refusal) -> Response[ProblemOut]:
    return response(request, of_refusal(refusal), _headers_of(refusal))


def _headers_of(refusal: errors.Refusal) -> Mapping[str, str]:
    """What a refusal says in headers: Retry-After in whole seconds, rounded up so that nobody comes too early."""
    return again_after(refusal) if isinstance(refusal, errors.TooManyRequests) else {}


def again_after(what: errors.TooManyRequests | Unavailable) -> Mapping[str, str]:
    """The header that says when to come again."""
    return {"Retry-After": str(max(1, math.ceil(what.retry_after.total_seconds())))}


def _away(request: Request[Any, Any, Any], fault: Unavailable) -> Response[ProblemOut]:
    log.warning("answered 503: %s (%r)", fault, fault.__cause__)
    return response(request, of_fault(fault), again_after(fault))


def deletion_unavailable(request: Request[Any, Any, Any], fault: Unavailable) -> Response[ProblemOut]:
    """Any fault on the way to a deletion: its user is told that the account stays as it is."""
    return _away(request, fault if isinstance(fault, DeletionUnavailable) else DeletionUnavailable(*fault.args))


def refused_by_framework(request: Request[Any, Any, Any], error: HTTPException) -> Response[ProblemOut]:
    """The problem of what no route has refused: an unknown path, a method that it does not take."""
    allow = {"Allow": error.headers["allow"]} if error.headers and "allow" in error.headers else None
    return response(request, of_status(error.status_code), allow)


def _unexpected(request: Request[Any, Any, Any], error: Exception) -> Response[ProblemOut]:
    log.error("an answer failed", exc_info=error)
    return response(request, of_status(HTTPStatus.INTERNAL_SERVER_ERROR))


HANDLERS: Mapping[Any, Any] = {
    errors.Refusal: _refused,
    Unavailable: _away,
    HTTPException: refused_by_framework,
    Exception: _unexpected,
}
