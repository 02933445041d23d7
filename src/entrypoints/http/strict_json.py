"""JSON bodies, read strictly."""

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, TypeVar, get_type_hints

import msgspec

from domain.errors import BadField, FieldCode, InvalidFields, Refusal

DEEPEST = 8
MOST_PROBLEMS = 50
T = TypeVar("T", bound=msgspec.Struct)

Readers = Mapping[type, Callable[[str, str], Any]]
"""How text becomes a value of the domain: reader(text, field name), raising InvalidFields."""


class MalformedBody(Refusal):
    """The body is no JSON object that can be taken: broken, ambiguous, too deep, or with characters no text has."""

    code = "malformed_body"


def read_body(body: bytes, into: type[T], readers: Readers) -> T:
    """A body as a Struct; every bad field is named at once.

    Raises MalformedBody, or InvalidFields for missing, unknown and unfit fields alike (RFC 8259; ASVS 1.5.3, 2.2.1,
    15.3.3).
    """
    return read_fields(_object(body), into, readers)


def read_fields(found: Mapping[str, Any], into: type[T], readers: Readers) -> T:
    """What was sent as a Struct. Raises InvalidFields, as `read_body` does."""
    fields = {field.name: field for field in msgspec.structs.fields(into)}
    problems = [
        BadField(printable(name), "unknown_field", "There is no such field.") for name in found if name not in fields
    ]
    values = {}
    for name, field in fields.items():
        if name not in found:
            if field.required:
                problems.append(BadField(name, "field_missing", "This field is required."))
            continue
        try:
            values[name] = _value(found[name], name, _hints(into)[name], readers)
        except InvalidFields as refusal:
            problems.extend(refusal.fields)
    if problems:
        raise InvalidFields(*problems[:MOST_PROBLEMS])
    return into(**values)


@lru_cache
def _hints(struct: type[msgspec.Struct]) -> dict[str, Any]:
    return get_type_hints(struct, include_extras=True)


def _value(raw: Any, name: str, wanted: Any, readers: Readers) -> Any:
    optional = getattr(wanted, "__args__", ())
    reader = readers.get(wanted) or next((readers[kind] for kind in optional if kind in readers), None)
    if reader is not None:
        if raw is None and type(None) in optional:
            return None
        if not isinstance(raw, str):
            raise InvalidFields(BadField(name, "wrong_type", "Use text."))
        return reader(raw, name)
    if isinstance(raw, float) and raw.is_integer():
        raw = int(raw)  # to JSON, 3.0 and 3 are one number
    try:
        return msgspec.convert(raw, wanted)
    except msgspec.ValidationError as error:
        raise InvalidFields(_misfit(raw, name, wanted)) from error


def _misfit(raw: Any, name: str, wanted: Any) -> BadField:
    """What to write instead of a value that is of no such kind, or out of bounds."""
    kind = msgspec.inspect.type_info(wanted)
    options = kind.types if isinstance(kind, msgspec.inspect.UnionType) else (kind,)
    found = next(option for option in options if not isinstance(option, msgspec.inspect.NoneType))
    match found.type if isinstance(found, msgspec.inspect.Metadata) else found:
        case msgspec.inspect.UUIDType():
            return BadField(name, "wrong_type", "Use a UUID.")
        case msgspec.inspect.LiteralType(values=words):
            return BadField(name, "wrong_type", f"Use {' or '.join(f'“{word}”' for word in words)}.")
        case msgspec.inspect.IntType(ge=least, le=most):
            is_whole = isinstance(raw, int) and not isinstance(raw, bool)
            code: FieldCode = "out_of_range" if is_whole else "wrong_type"
            return BadField(name, code, f"Use a whole number from {least:,} to {most:,}.")
        case msgspec.inspect.StrType(max_length=int(most)) if isinstance(raw, str):
            return BadField(name, "too_long", f"Use at most {most:,} characters.")
    return BadField(name, "wrong_type", "Use text.")


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body.decode(), object_pairs_hook=_pairs, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise MalformedBody("The body is not JSON that can be read: send one JSON object in UTF-8.") from error
    if not isinstance(found, dict):
        raise MalformedBody("The body is JSON, but not an object: send {…}.")
    _check(found, DEEPEST)
    return found


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise MalformedBody("A name stands twice in one object; which value is meant cannot be told.")
    return found


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _check(value: Any, depth: int) -> None:
    """Refuse what is nested too deeply, and text with NUL or half a surrogate pair, which no database stores."""
    if depth < 0:
        raise MalformedBody(f"The body is nested more than {DEEPEST} deep.")
    match value:
        case str():
            if "\0" in value or (not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value)):
                raise MalformedBody("The body has text with a NUL or a lone surrogate in it.")
        case dict():
            for name, inner in value.items():
                _check(name, depth)
                _check(inner, depth - 1)
        case list():
            for inner in value:
                _check(inner, depth - 1)


def printable(name: str) -> str:
    """A name that a client has thought of, fit to be shown and logged."""
    return "".join(character if character.isprintable() else "?" for character in name[:64])
