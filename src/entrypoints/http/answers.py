"""Which problems each route can answer with, and what each of them looks like.

A route names what its use case refuses, in `problems=(…)` beside its path. The rest follows from what it is made of:
whether it has a body, wants a session, can fail at all. The tests hold every answer that they get against this.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import get_args, get_type_hints

import msgspec
from litestar.handlers import HTTPRouteHandler

from application.ports import Overloaded, Unavailable
from domain import errors
from domain.errors import BadField, InvalidFields, Refusal
from domain.password import Password
from entrypoints.http import cross_site
from entrypoints.http.errors import FAULTS, PROBLEMS, ProblemOut, of_fault, of_refusal, of_status
from entrypoints.http.strict_json import MalformedBody

Kind = type[Refusal] | type[Unavailable]

_SPOKEN: Mapping[type[Refusal], Refusal] = {
    InvalidFields: InvalidFields(
        BadField("email", "email_invalid", "Enter a mail address such as name@example.org."),
        BadField("zip", "unknown_field", "There is no such field."),
    ),
    errors.InviteQuotaReached: errors.InviteQuotaReached(5),
    errors.TooManyRequests: errors.TooManyRequests(timedelta(minutes=2)),
    MalformedBody: MalformedBody("The body is JSON, but not an object: send {…}."),
}
"""An example of each refusal that has more to say than that it happened."""


def body_of(route: HTTPRouteHandler) -> type[msgspec.Struct] | None:
    """What the route reads, if anything."""
    field = route.parsed_data_field
    return field.annotation if field else None


def query_of(route: HTTPRouteHandler) -> type[msgspec.Struct] | None:
    """What the route reads from behind the path, if anything."""
    field = route.parsed_fn_signature.parameters.get("which")
    return field.annotation if field else None


def wants_session(route: HTTPRouteHandler) -> bool:
    """Whether the route is for those who are logged in."""
    return "me" in route.parsed_fn_signature.parameters


def heeds_session(route: HTTPRouteHandler) -> bool:
    """Whether a session makes a difference to the route."""
    return bool({"me", "visitor", "cookie"} & route.parsed_fn_signature.parameters.keys())


def _can_fail(route: HTTPRouteHandler) -> bool:
    """Whether the route does anything besides answering."""
    return bool(route.parsed_fn_signature.parameters)


def _has_body(route: HTTPRouteHandler) -> bool:
    return body_of(route) is not None


def _has_fields(route: HTTPRouteHandler) -> bool:
    return _has_body(route) or query_of(route) is not None


def _may_change(route: HTTPRouteHandler) -> bool:
    """Whether the route may change anything: then it is looked at where it comes from, and what body it has."""
    return not route.http_methods <= cross_site.SAFE


def _reads_password(route: HTTPRouteHandler) -> bool:
    """Whether a password comes in: it is hashed, and only so many may wait for that."""
    body = body_of(route)
    kinds = get_type_hints(body).values() if body else ()
    return any(issubclass(kind, Password) for hint in kinds for kind in get_args(hint) or (hint,))


def _may_be_overloaded(route: HTTPRouteHandler) -> bool:
    """Whether that too many passwords wait is told as such: a deletion has a word of its own for every fault."""
    return _reads_password(route) and Unavailable not in (route.exception_handlers or {})


def _has_typed_path(route: HTTPRouteHandler) -> bool:
    """Whether a part of the path must be of some form: what is not, is no path of ours."""
    return any(":uuid}" in path for path in route.paths)


RULES: Mapping[Kind, Callable[[HTTPRouteHandler], bool]] = {
    MalformedBody: _has_body,
    InvalidFields: _has_fields,
    errors.NotLoggedIn: wants_session,
    errors.TooManyRequests: _has_body,
    Unavailable: _can_fail,
    Overloaded: _may_be_overloaded,
}
"""The problems that no route has to name, and which routes have them. Whatever takes a body is counted."""

STATUS_RULES: Mapping[int, Callable[[HTTPRouteHandler], bool]] = {
    400: _has_body,
    404: _has_typed_path,
    405: lambda _: False,
    408: _has_body,
    413: _has_body,
    415: _may_change,
    500: _can_fail,
}
"""The answers that the framework gives; 405 is none of a route's own: it takes the method."""

TO_DO: Mapping[str, str] = {
    "bad_request": "Send the request again, whole.",
    "body_too_large": "Send at most 16 KiB.",
    "confirmation_invalid": "Have another one sent: `POST /api/resend_confirmation`.",
    "credentials_invalid": "Ask for both again; who has forgotten the password resets it: `POST /api/forgot_password`.",
    "cross_site": "Send it from the service's own pages, or without `Origin`. Where these are refused, the operator has"
    " to set `BOTTOMLINE_PUBLIC_URL` to the address in the browser.",
    "deletion_unavailable": "Nothing has changed. Send the same request again in a few minutes.",
    "email_change_invalid": "Log in and ask for the change again: `POST /api/change_email`.",
    "internal_error": "A fault of the service: tell its operator. The same request may work later.",
    "invalid_fields": "Show the message of each of the `errors` beside its field.",
    "invite_invalid": "Ask whoever sent the invite for another one.",
    "invite_not_found": "List the invites again: `GET /api/invites`.",
    "invite_quota_reached": "Revoke an open invite, or wait until one is used.",
    "malformed_body": "Send one JSON object, as described above.",
    "method_not_allowed": "Use one of the methods that `Allow` names.",
    "not_found": "Look up the path; an id in it has to be a UUID.",
    "not_logged_in": "Log in: `POST /api/login`.",
    "overloaded": "Send the same request again after `Retry-After`.",
    "request_timeout": "Send the request again, the body without a pause.",
    "reset_invalid": "Have another one sent: `POST /api/forgot_password`.",
    "session_not_found": "List the sessions again: `GET /api/sessions`.",
    "too_many_requests": "Wait for as many seconds as `Retry-After` says.",
    "unavailable": "Send the same request again after `Retry-After`. It may have been done the first time: then it is"
    " not done again, but for `POST /api/invites`, which may have issued an invite that is in the list.",
    "unsupported_media_type": "Send the body with `content-type: application/json`.",
}
"""What a client does about each code."""


def problems_of(route: HTTPRouteHandler) -> dict[str, ProblemOut]:
    """An example of each problem that the route can answer with, under its most telling code."""
    kinds = (*(kind for kind, applies in RULES.items() if applies(route)), *route.opt.get("problems", ()))
    statuses = [status for status, applies in STATUS_RULES.items() if applies(route)]
    at_the_door = (cross_site.PROBLEM,) if _may_change(route) else ()
    return _by_code((*map(_example, kinds), *map(of_status, statuses), *at_the_door))


def every_problem() -> dict[str, ProblemOut]:
    """An example of each problem that any answer of the service can be."""
    kinds: tuple[Kind, ...] = (*PROBLEMS, *FAULTS)
    return _by_code((*map(_example, kinds), *map(of_status, STATUS_RULES), cross_site.PROBLEM))


def _example(kind: Kind) -> ProblemOut:
    if issubclass(kind, Unavailable):
        return of_fault(kind())
    return of_refusal(_SPOKEN[kind] if kind in _SPOKEN else kind())  # type: ignore[call-arg]


def _by_code(problems: Iterable[ProblemOut]) -> dict[str, ProblemOut]:
    """A refusal of one certain field goes by the field's code."""
    return {problem.errors[0].code if len(problem.errors) == 1 else problem.code: problem for problem in problems}
