"""JSON Schemas of what is sent and answered, made from the very types that the routes read and write."""

from collections.abc import Mapping
from datetime import datetime
from functools import reduce
from operator import or_
from typing import Annotated, Any, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec
from msgspec import Meta

from domain import email_address, password, username
from domain.email_address import EmailAddress
from domain.password import NewPassword, Password, PasswordPolicy
from domain.username import Username

Schema = dict[str, Any]
Moment = Annotated[datetime, Meta(tz=True)]
"""A time with its zone, as RFC 3339 writes it."""

REFERENCE = "#/components/schemas/{name}"
EXAMPLES: Mapping[str, Any] = {
    "address": "203.0.113.7",
    "available": False,
    "confirmation": "AwIBmmssDT58T4pbbH2Onwob6COw103kiISQO5GziKDSWA",
    "current_password": "tulips under seven bridges",
    "device": "Firefox on Linux",
    "email": "ann@example.org",
    "invite": "AwEBmmssDT58T4pbbH2OnwoblvHTDqGOe2U8qOgulwLUQQ",
    "invited_by": "bob",
    "link": "http://localhost:8000/signup#invite=AwEBmmssDT58T4pbbH2OnwoblvHTDqGOe2U8qOgulwLUQQ",
    "note": "from the choir",
    "issued_by": "ann",
    "password": "a lighthouse keeps no secrets",
    "reason": "username_taken",
    "reset": "AwMBmmssDT58T4pbbH2OnwobuEZs8T6A6pMy7i3N8_lm1A",
    "undo": "AwUBmmssDT58T4pbbH2OnwobcsAEEVZ0jUafG7y53vVUPQ",
    "username": "ann",
}
"""What may stand in a field of this name, in whichever body or answer."""


def texts(policy: PasswordPolicy) -> Mapping[type, Any]:
    """The text that becomes each kind of value. What a schema cannot say stands in the description."""
    at_most = f"at most {password.LONGEST_BYTES:,} bytes of UTF-8"
    return {
        EmailAddress: _text(
            "A mail address that a server can deliver to; blanks around it are dropped.",
            longest=email_address.LONGEST,
            format="email",
        ),
        Username: _text(
            "Letters and digits of one script, with `_` and `-` inside; some names are reserved. Counted in NFKC,"
            " without blanks around it.",
            shortest=username.SHORTEST,
            longest=username.LONGEST,
        ),
        Password: _text(
            f"The password as it was chosen; {at_most}.", shortest=1, longest=password.LONGEST_BYTES, format="password"
        ),
        NewPassword: _text(
            f"The password to be; {at_most}. Counted in NFKC.",
            shortest=policy.min_length,
            longest=password.LONGEST_BYTES,
            format="password",
        ),
    }


def _text(description: str, *, longest: int, shortest: int | None = None, format: str | None = None) -> Any:
    extra = {"format": format} if format else None
    return Annotated[
        str, Meta(min_length=shortest, max_length=longest, description=description, extra_json_schema=extra)
    ]


class Schemas:
    """The schemas of one description: each type is named once, and referred to."""

    def __init__(self, policy: PasswordPolicy) -> None:
        self._texts = texts(policy)
        self.named: dict[str, Schema] = {}

    def of_body(self, body: type[msgspec.Struct]) -> Schema:
        """A body: text in place of the domain's values, and no field besides its own."""
        hints = get_type_hints(body, include_extras=True)
        fields = [
            (field.name, self._as_text(hints[field.name]), *([] if field.required else [field.default]))
            for field in msgspec.structs.fields(body)
        ]
        return self.of(
            msgspec.defstruct(body.__name__, fields, forbid_unknown_fields=True, namespace={"__doc__": body.__doc__})
        )

    def of_path(self, name: str, kind: type) -> Schema:
        """A part of a path, which is text where it is nothing stricter."""
        return self.of(UUID) if kind is UUID else {"type": "string", "examples": [EXAMPLES[name]]}

    def of_query(self, query: type[msgspec.Struct]) -> dict[str, Schema]:
        """The parameters of a query: each may be left out, and is never null then."""
        hints = get_type_hints(query, include_extras=True)
        return {
            field.name: self.of(reduce(or_, (kind for kind in get_args(hints[field.name]) if kind is not type(None))))
            for field in msgspec.structs.fields(query)
        }

    def of(self, kind: Any) -> Schema:
        """Anything that is answered."""
        (schema,), named = msgspec.json.schema_components([kind], ref_template=REFERENCE)
        for component in named.values():
            for name, field in component.get("properties", {}).items():
                if name in EXAMPLES:
                    field["examples"] = [EXAMPLES[name]]
        if get_origin(kind) is not None and "$ref" in schema:
            (component,) = named.values()
            return {**component, "title": get_origin(kind).__name__}
        self.named |= named
        return schema

    def _as_text(self, hint: Any) -> Any:
        if hint in self._texts:
            return self._texts[hint]
        return reduce(or_, map(self._as_text, get_args(hint))) if type(None) in get_args(hint) else hint
