"""The sealed session cookie."""

import os
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from adapters.crypto import base64url
from adapters.crypto.secret_keys import derive
from domain.session import SessionKey

LENGTH = 82
_NONCE = 12


class AesGcmCookieSeal:
    """Session keys as cookie values: base64url(key id, nonce, AES-256-GCM of the 32 bytes), 82 characters.

    The key id is authenticated as associated data. Nonces are random: NIST SP 800-38D allows 2^32 under one key.
    """

    def __init__(self, secrets: Sequence[str]) -> None:
        self._keys = tuple((bytes((key.id,)), AESGCM(key.secret)) for key in derive(secrets, "session cookie v1"))

    def seal(self, key: SessionKey) -> str:
        """A cookie value for this key, another one each time."""
        key_id, cipher = self._keys[0]
        nonce = os.urandom(_NONCE)
        return base64url.encode(key_id + nonce + cipher.encrypt(nonce, key.secret, key_id))

    def open(self, value: str) -> SessionKey | None:
        """The key in a cookie of ours; None for anything else."""
        raw = base64url.decode(value) if len(value) == LENGTH else None
        if raw is None:
            return None
        nonce, sealed = raw[1 : 1 + _NONCE], raw[1 + _NONCE :]
        for key_id, cipher in self._keys:
            if key_id == raw[:1]:
                try:
                    return SessionKey(cipher.decrypt(nonce, sealed, key_id))
                except InvalidTag:
                    continue
        return None
