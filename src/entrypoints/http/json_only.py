"""Bodies are JSON: a form, or text that looks like JSON, comes from a page that may be another site's (ASVS 3.5.2)."""

from entrypoints.http.cross_site import Headers


def is_unsupported(headers: Headers) -> bool:
    """Whether there is a body, announced or in chunks, that does not say that it is JSON in UTF-8 (RFC 8259)."""
    has_body = any(
        name == b"transfer-encoding" or (name == b"content-length" and value != b"0") for name, value in headers
    )
    return has_body and not _is_json([value.decode("latin-1") for name, value in headers if name == b"content-type"])


def _is_json(content_types: list[str]) -> bool:
    if len(content_types) != 1:
        return False
    media_type, *parameters = content_types[0].lower().split(";")
    pairs = ((name.strip(), value.strip(' \t"')) for name, _, value in (pair.partition("=") for pair in parameters))
    return media_type.strip() == "application/json" and all(
        value == "utf-8" for name, value in pairs if name == "charset"
    )
