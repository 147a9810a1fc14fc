"""Which addresses a guest's request may be sent to: those that belong to everybody, and to nobody in particular."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

# IANA's registries of special-purpose addresses (RFC 6890 and its successors), and what is not among them.
_SPECIAL_4: Final = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this host, on this network
        "10.0.0.0/8",
        "100.64.0.0/10",  # shared by carriers; in some clouds the metadata service
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's platform, from within
        "169.254.0.0/16",  # link-local, and most clouds' metadata services
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
# Of IPv6 only global unicast is public, and of that not these.
_GLOBAL_6: Final = IPv6Network("2000::/3")
_SPECIAL_6: Final = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocols, Teredo among them, which carries IPv4
        "2001:db8::/32",
        "2002::/16",  # 6to4, which carries IPv4
        "2620:4f:8000::/48",
        "3ffe::/16",
        "3fff::/20",
    )
)
# What no network option but one that names them gives: they are nobody's neighbours, or give away the host's own keys.
_NEVER: Final = tuple(
    ip_network(text)
    for text in (
        "0.0.0.0/8",
        "100.100.100.200/32",
        "168.63.129.16/32",
        "169.254.169.254/32",
        "169.254.170.0/24",
        "192.0.0.192/32",
        "224.0.0.0/4",
        "255.255.255.255/32",
        "::/128",
        "fd00:ec2::/32",
        "fd20:ce::254/128",
        "ff00::/8",
    )
)
# Prefixes whose last 32 bits are an IPv4 address: mapped, compatible, translated, and NAT64 (RFC 6052).
_CARRIERS: Final = tuple(IPv6Network(text) for text in ("::ffff:0:0/96", "::/96", "::ffff:0:0:0/96", "64:ff9b::/96"))
_ONE_AND_NONE: Final = (IPv6Address("::"), IPv6Address("::1"))


def parse_address(text: str) -> Address | None:
    """An address as a resolver writes it; None: it is none."""
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return _meant(address)


def _meant(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for."""
    if isinstance(address, IPv6Address) and address not in _ONE_AND_NONE:
        for carrier in _CARRIERS:
            if address in carrier:
                return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def is_public(address: Address) -> bool:
    """Whether an address is one that anybody on the internet can reach."""
    if isinstance(address, IPv4Address):
        return not any(address in network for network in _SPECIAL_4)
    return address in _GLOBAL_6 and not any(address in network for network in _SPECIAL_6)


class AddressPolicy:
    """Decides which addresses may be connected to."""

    def __init__(self, private: bool | Iterable[str]) -> None:
        """Make a policy.

        Args:
            private: False: public addresses only. True: also private ones, loopback, link-local; not multicast, not the
                unspecified address, not the metadata services of clouds. Networks, such as `"10.1.0.0/16"`: public
                addresses, and whatever is in these.

        Raises:
            ValueError: A text is no network.
        """
        self._all = private is True
        self._networks: tuple[Network, ...] = (
            () if isinstance(private, bool) else tuple(ip_network(text, strict=False) for text in private)
        )

    def admits(self, text: str) -> bool:
        """Whether an address, as a resolver writes it, may be connected to."""
        address = parse_address(text)
        if address is None:
            return False
        if is_public(address):
            return True
        if any(address.version == network.version and address in network for network in self._networks):
            return True
        return self._all and not any(address.version == never.version and address in never for never in _NEVER)
