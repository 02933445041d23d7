"""base64url without padding (RFC 4648, 5), one text for each value."""

from base64 import urlsafe_b64decode, urlsafe_b64encode


def encode(raw: bytes) -> str:
    """The text."""
    return urlsafe_b64encode(raw).decode().rstrip("=")


def decode(text: str) -> bytes | None:
    """The value; None for text that `encode` would not make: stray characters, padding, loose bits at the end."""
    try:
        raw = urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4))
    except ValueError:
        return None
    return raw if encode(raw) == text else None
