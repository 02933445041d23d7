"""Client addresses."""

from dataclasses import dataclass
from functools import lru_cache
from ipaddress import AddressValueError, IPv4Address, IPv6Address, IPv6Network
from typing import Self

_UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ClientAddress:
    """Where a request comes from. `text` is what people are shown: a normal form, an IPv4 address always as IPv4."""

    text: str

    @classmethod
    def parse(cls, raw: str) -> Self:
        """Read an address; whatever is none is `unknown`, one and the same for all limits."""
        try:
            return cls(_normal(raw))
        except AddressValueError:
            return cls(_UNKNOWN)

    @property
    def is_known(self) -> bool:
        """Whether it is an address."""
        return self.text != _UNKNOWN

    @property
    def network(self) -> str:
        """What limits count by: an IPv4 address, an IPv6 /64, which is what one subscriber has at least (RFC 6177)."""
        return str(IPv6Network((self.text, 64), strict=False)) if ":" in self.text else self.text


@lru_cache(1024)
def _normal(raw: str) -> str:
    """The address without its zone; an IPv4-mapped one (RFC 4291, 2.5.5.2) as IPv4. Raises AddressValueError.

    Most requests come from an address that has sent some before.
    """
    if ":" not in raw:
        return str(IPv4Address(raw))
    address = IPv6Address(raw.partition("%")[0])
    return str(address.ipv4_mapped or address)
