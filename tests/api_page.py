"""docs/api.md: the part of it that is made of the description. `python -m tests.api_page` writes it there."""

import json
import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from tests.described import DESCRIPTION

PAGE = Path(__file__).parents[1] / "docs" / "api.md"
MADE = re.compile(r"(?<=<!-- made by `make api` -->\n).*(?=<!-- /made -->)", re.DOTALL)
SAMPLES = {"uuid": "019a6b2c-0d3e-7c4f-8a5b-6c7d8e9f0a1b", "date-time": "2026-01-31T12:00:00Z"}
KINDS = {"email": "mail address", "password": "text", "uuid": "UUID", "date-time": "time (RFC 3339)"}


def made() -> str:
    """Every operation and every code, in Markdown."""
    return "\n".join([*_operations(), *_codes()]) + "\n"


def _operations() -> Iterator[str]:
    told = ""
    for path, operations in DESCRIPTION["paths"].items():
        for method, operation in operations.items():
            (tag,) = operation["tags"]
            if tag != told:
                about = next(found["description"] for found in DESCRIPTION["tags"] if found["name"] == tag)
                yield f"## {tag.capitalize()}\n"
                if about.removesuffix(".") != tag:
                    yield f"{about[:1].upper()}{about[1:]}\n"
                told = tag
            yield from _operation(method.upper(), path, operation)


def _operation(method: str, path: str, operation: dict[str, Any]) -> Iterator[str]:
    yield f"### {method} {path}\n\n{operation['summary']}.{_session(operation)}\n"
    if "description" in operation:
        yield operation["description"] + "\n"
    if query := [parameter for parameter in operation.get("parameters", ()) if parameter["in"] == "query"]:
        yield "| parameter | | |\n| --- | --- | --- |"
        yield from (_field(parameter["name"], parameter["schema"], False) for parameter in query)
        yield ""
    if body := _body(operation):
        yield "| field | | |\n| --- | --- | --- |"
        yield from (_field(name, field, name in body["required"]) for name, field in body["properties"].items())
        yield ""
    yield f"```sh\n{_curl(method, path, operation, body)}\n```\n"
    yield "| status | answer |\n| --- | --- |"
    yield from (f"| {status} | {_answer(answer)} |" for status, answer in operation["responses"].items())
    yield ""


def _session(operation: dict[str, Any]) -> str:
    match operation.get("security"):
        case None:
            return ""
        case [{"session": _}]:
            return " Needs a session."
    return " A session is heeded, if there is one."


def _body(operation: dict[str, Any]) -> dict[str, Any]:
    if "requestBody" not in operation:
        return {}
    body = _resolved(operation["requestBody"]["content"]["application/json"]["schema"])
    return {"required": [], **body}


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in schema:
        return schema
    found: dict[str, Any] = DESCRIPTION["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return found


def _field(name: str, field: dict[str, Any], is_required: bool) -> str:
    kind = next((option for option in field.get("anyOf", ()) if option != {"type": "null"}), field)
    default = field.get("default")
    need = "required" if is_required else f"default {default}" if default is not None else "optional"
    told = [_kind(kind)]
    told += [f"{kind[least]} to {kind[most]}{unit}" for least, most, unit in _BOUNDS if least in kind and most in kind]
    told += [f"at most {kind['maxLength']} characters"] if "maxLength" in kind and "minLength" not in kind else []
    return f"| `{name}` | {need} | {', '.join(told)}. {kind.get('description', '')}".rstrip() + " |"


def _kind(field: dict[str, Any]) -> str:
    if "enum" in field:
        return " or ".join(f"`{word}`" for word in field["enum"])
    return KINDS.get(field.get("format", ""), {"string": "text", "integer": "whole number"}[field["type"]])


_BOUNDS = (("minimum", "maximum", ""), ("minLength", "maxLength", " characters"))


def _curl(method: str, path: str, operation: dict[str, Any], body: dict[str, Any]) -> str:
    for parameter in operation.get("parameters", ()):
        path = path.replace(f"{{{parameter['name']}}}", _sample(parameter["schema"]))
    implied = "POST" if body else "GET"
    words = [f"curl $URL{path}", *([f"-X {method}"] if method != implied else [])]
    if "security" in operation:
        words.append("-b jar -c jar" if "Set-Cookie" in str(operation["responses"]) else "-b jar")
    if body:
        example = {name: field["examples"][0] for name, field in body["properties"].items() if "examples" in field}
        words.append(f"-H \"$JSON\" \\\n  -d '{json.dumps(example)}'")
    return " ".join(words)


def _answer(answer: dict[str, Any]) -> str:
    ((media_type, content),) = answer.get("content", {"": {}}).items()
    headers = "".join(f", with `{name}`" for name in answer.get("headers", {}))
    if media_type == "application/problem+json":
        return ", ".join(_by_code(content["examples"])) + headers
    if not content:
        return f"{answer['description']}{headers}"
    sample = json.dumps(_sample(content["schema"])) if media_type == "application/json" else media_type
    return f"`{sample}`{headers}"


def _by_code(keys: Iterable[str]) -> Iterator[str]:
    """Each code, with those of the fields behind it that are told apart."""
    for code, found in groupby(
        sorted(keys, key=lambda key: (_problem(key)["code"], key)), lambda key: _problem(key)["code"]
    ):
        fields = [key for key in found if key != code]
        yield f"`{code}`" + (f" ({', '.join(f'`{key}`' for key in fields)})" if fields else "")


def _problem(key: str) -> dict[str, Any]:
    found: dict[str, Any] = DESCRIPTION["components"]["examples"][key]["value"]
    return found


def _sample(schema: dict[str, Any]) -> Any:
    """A value that fits, the alternatives of a word beside each other."""
    schema = _resolved(schema)
    if "anyOf" in schema:
        schema = {**schema["anyOf"][0], **schema}
    if "examples" in schema:
        return schema["examples"][0]
    if "enum" in schema:
        return " or ".join(schema["enum"])
    match schema["type"]:
        case "object":
            return {name: _sample(field) for name, field in schema["properties"].items()}
        case "array":
            return [_sample(schema["items"])]
        case "integer" | "boolean" as plain:
            return {"integer": 1, "boolean": True}[plain]
    return SAMPLES[schema["format"]]


def _codes() -> Iterator[str]:
    yield "## Codes\n\n| code | status | what it means | what to do |\n| --- | --- | --- | --- |"
    examples = DESCRIPTION["components"]["examples"]
    for code in sorted(examples, key=lambda code: (_problem(code)["status"], code)):
        if code == _problem(code)["code"]:
            what = examples[code]
            yield f"| `{code}` | {_problem(code)['status']} | {what['summary']} | {what['description']} |"
    yield "\nAn example:\n\n```json\n" + json.dumps(_problem("invalid_fields"), indent=2) + "\n```\n"
    yield "## Codes of fields\n\nIn `errors` of a problem with the code `invalid_fields`.\n"
    yield "| code | what it means |\n| --- | --- |"
    meanings = DESCRIPTION["components"]["schemas"]["BadFieldOut"]["properties"]["code"]["x-enumDescriptions"]
    yield from (f"| `{code}` | {meaning} |" for code, meaning in sorted(meanings.items()))


if __name__ == "__main__":
    PAGE.write_text(MADE.sub(lambda _: made(), PAGE.read_text()))
