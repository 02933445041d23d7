"""The operator's secrets, and the keys that are derived from them."""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class DerivedKey:
    """A key for one use, with the byte that names it in what it made."""

    id: int
    secret: bytes = field(repr=False)


def derive(secrets: Sequence[str], use: str) -> tuple[DerivedKey, ...]:
    """A key of 32 bytes for each secret, good for one use only; the first makes, all read.

    HMAC-SHA256 of the use under the secret, as in HKDF-Expand (RFC 5869) of a secret that is random already.
    The id is one byte of another derivation; where two secrets share it, readers try both.
    """
    return tuple(DerivedKey(_mac(secret, f"{use} id")[0], _mac(secret, use)) for secret in secrets)


def _mac(secret: str, use: str) -> bytes:
    return hmac.digest(secret.encode(), b"bottomline " + use.encode(), hashlib.sha256)
