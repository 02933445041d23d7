"""Where a request comes from."""

import re
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import Any

from litestar import Request

from domain.client_address import ClientAddress

MOST_HOPS = 16
"""Proxies of ours that a request may come through; what a client wrote further left is not even read."""
_HOP = re.compile(r"\[(?P<v6>[^][]*)\](:\d{1,5})?|(?P<v4>[^:]*):\d{1,5}")


class ClientAddresses:
    """Tells clients from the operator's own proxies: only what those say in X-Forwarded-For is believed.

    Each proxy writes at the right end whom it heard from, so the client is the rightmost address that is no proxy of
    ours; whatever stands left of it, the client may have made up.
    """

    def __init__(self, proxies: Sequence[IPv4Network | IPv6Network]) -> None:
        self._proxies = proxies

    def find(self, peer: str, forwarded: Sequence[str]) -> ClientAddress:
        """The client behind this peer, by the values of all its X-Forwarded-For headers.

        Where a proxy has passed on something that is no address, the client is that proxy: one bucket for all of them.
        """
        client = ClientAddress.parse(peer)
        hops = [hop for hop in map(str.strip, ",".join(forwarded).rsplit(",", MOST_HOPS)[-MOST_HOPS:]) if hop]
        for hop in reversed(hops):
            heard_from = _read(hop)
            if not self._trusts(client) or not heard_from.is_known:
                break
            client = heard_from
        return client

    def _trusts(self, client: ClientAddress) -> bool:
        return client.is_known and any(ip_address(client.text) in network for network in self._proxies)


def _read(hop: str) -> ClientAddress:
    """One entry: an address, an IPv4 address with its port, or an IPv6 address in brackets, with or without one."""
    found = _HOP.fullmatch(hop)
    return ClientAddress.parse(found["v6"] or found["v4"] or "" if found else hop)


async def client_address(request: Request[Any, Any, Any]) -> ClientAddress:
    """Where this request comes from."""
    addresses: ClientAddresses = request.app.state.client_addresses
    peer = request.client.host if request.client else ""
    return addresses.find(peer, request.headers.getall("x-forwarded-for", []))
