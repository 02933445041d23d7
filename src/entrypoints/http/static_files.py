"""How a file is answered: compressed for those who take that, and not at all to those who have it (RFC 9110)."""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from litestar import Request, Response

from entrypoints.site import File

_TAG = re.compile(r'(?:W/)?("[^"]*")')
_CODING = re.compile(r"\s*(?:x-)?(gzip|\*)\s*(?:;\s*q\s*=\s*([0-9.]+)\s*)?", re.IGNORECASE)


def answer_with(request: Request[Any, Any, Any], file: File, headers: Mapping[str, str]) -> Response[bytes]:
    """The file with these headers; 304 without it, where the client names its tag."""
    accepted = request.headers.getall("accept-encoding", [])
    zipped = file.zipped if takes_gzip(accepted) else None
    tag = f'"{file.digest}"' if zipped is None else f'"{file.digest}-gzip"'
    told = {**headers, "ETag": tag, "Vary": "Accept-Encoding"}
    if is_known(tag, request.headers.getall("if-none-match", [])):
        return Response(b"", status_code=HTTPStatus.NOT_MODIFIED, headers=told)
    told["Content-Type"] = file.media_type
    if zipped is None:
        return Response(file.content, headers=told)
    return Response(zipped, headers={**told, "Content-Encoding": "gzip"})


def is_known(tag: str, known: Sequence[str]) -> bool:
    """Whether the values of If-None-Match name the tag, or anything (section 13.1.2: weak tags count)."""
    return any(value.strip() == "*" or tag in _TAG.findall(value) for value in known)


def takes_gzip(accepted: Sequence[str]) -> bool:
    """Whether the values of Accept-Encoding allow it (section 12.5.3): q=0 forbids, what is named goes before `*`."""
    weights: dict[str, bool] = {}
    for coding in ",".join(accepted).split(","):
        if found := _CODING.fullmatch(coding):
            weights[found[1].lower()] = (found[2] or "1").strip("0.") != ""
    return weights.get("gzip", weights.get("*", False))
