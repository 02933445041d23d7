"""Where to go after logging in: a path of ours, or nowhere. `pages/return_to.js` keeps the same rule."""

import re

LONGEST = 2_048
_VISIBLE = re.compile(r"/[!-\[\]-~]*")
"""What a browser sends as the target of a request: visible ASCII, and no backslash, which it takes for a slash."""
_ENCODED = re.compile("%([0-9a-fA-F]{2})")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f\\]")
"""Browsers drop some of these from a URL before they read it, so what stands behind would count."""


def path_of_ours(target: str) -> str | None:
    r"""The target, if it can only lead to our own origin, however often somebody on the way decodes it; else None.

    That is: path and query, not `//host`, `/\host` or `scheme:`, neither plain nor percent-encoded, and no dot
    segments that could uncover a second slash (ASVS 1.2.2; WHATWG URL standard, section 4.4).
    """
    if len(target) > LONGEST or not _VISIBLE.fullmatch(target):
        return None
    path = re.split("[?#]", target, maxsplit=1)[0]
    decoded = _ENCODED.sub(lambda found: chr(int(found[1], 16)), path)
    if decoded.startswith("//") or _UNSAFE.search(decoded) or _ENCODED.search(decoded):
        return None
    return None if {".", ".."} & set(decoded.split("/")) else target
