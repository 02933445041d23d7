"""Tokens for mailed links."""

import hashlib
import hmac
from collections.abc import Sequence
from uuid import UUID

from adapters.crypto import base64url
from adapters.crypto.secret_keys import DerivedKey, derive
from domain.token import Purpose

LENGTH = 46
_CODES = {
    Purpose.INVITE: 1,
    Purpose.CONFIRMATION: 2,
    Purpose.RESET: 3,
    Purpose.EMAIL_CHANGE: 4,
    Purpose.EMAIL_UNDO: 5,
}


class HmacTokenSigner:
    """Tokens of 46 characters: base64url(key id, purpose, 16-byte id, first 16 bytes of HMAC-SHA256 over these).

    A MAC of 128 bits cannot be guessed online (ASVS 11.5.1); comparing takes the same time for every wrong one.
    """

    def __init__(self, secrets: Sequence[str]) -> None:
        self._keys = derive(secrets, "token v1")

    def sign(self, purpose: Purpose, id: UUID) -> str:
        """The token of this id under the first key."""
        key = self._keys[0]
        head = bytes((key.id, _CODES[purpose])) + id.bytes
        return base64url.encode(head + _mac(key, head))

    def read(self, purpose: Purpose, token: str) -> UUID | None:
        """The id, if one of our keys signed it for this purpose."""
        raw = base64url.decode(token) if len(token) == LENGTH else None
        if raw is None:
            return None
        head, mac = raw[:18], raw[18:]
        is_ours = any(hmac.compare_digest(mac, _mac(key, head)) for key in self._keys if key.id == head[0])
        return UUID(bytes=head[2:]) if is_ours and head[1] == _CODES[purpose] else None


def _mac(key: DerivedKey, head: bytes) -> bytes:
    return hmac.digest(key.secret, head, hashlib.sha256)[:16]
