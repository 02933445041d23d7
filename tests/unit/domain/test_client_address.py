"""Who limits count."""

import pytest

from domain.client_address import ClientAddress


@pytest.mark.parametrize(
    ("raw", "text", "network"),
    [
        ("192.0.2.1", "192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1", "192.0.2.1"),
        ("2001:DB8:0::1", "2001:db8::1", "2001:db8::/64"),
        ("2001:db8:0:1:ffff:ffff:ffff:ffff", "2001:db8:0:1:ffff:ffff:ffff:ffff", "2001:db8:0:1::/64"),
        ("fe80::1%eth0", "fe80::1", "fe80::/64"),
    ],
)
def test_an_address_is_shown_in_its_normal_form_and_counted_by_its_network(raw: str, text: str, network: str) -> None:
    found = ClientAddress.parse(raw)
    assert (found.text, found.network, found.is_known) == (text, network, True)


@pytest.mark.parametrize(
    "raw", ["", "testclient", "192.0.2", "192.0.2.01", "192.0.2.1\n", "１92.0.2.1", "[::1]", "::1/64", "x" * 10_000]
)
def test_what_is_no_address_is_unknown(raw: str) -> None:
    found = ClientAddress.parse(raw)
    assert (found.text, found.network, found.is_known) == ("unknown", "unknown", False)
