"""Which addresses a guest's request may go to."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.network.addresses import AddressPolicy

PUBLIC = [
    "1.1.1.1", "8.8.8.8", "93.184.216.34", "172.32.0.1", "2606:4700::1111", "2001:4860:4860::8888", "::ffff:8.8.8.8",
]  # fmt: skip
PRIVATE = [
    "127.0.0.1", "127.0.0.2", "127.255.255.254", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "100.64.0.1", "169.254.1.1", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "::1", "fe80::1",
    "fe80::1%eth0", "fc00::1", "fd12:3456::1", "2001:db8::1", "2001::1", "2002:7f00:1::", "2002:808:808::",
    "64:ff9b:1::1", "100::1", "3fff::1", "5f00::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::127.0.0.1",
    "64:ff9b::7f00:1", "64:ff9b::10.0.0.1", "::ffff:0:127.0.0.1",
]  # fmt: skip
NEVER = [
    "0.0.0.0", "0.1.2.3", "255.255.255.255", "224.0.0.1", "239.255.255.250", "::", "ff02::1", "169.254.169.254",
    "169.254.170.2", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "fd00:ec2::254", "100.100.100.200",
    "168.63.129.16", "192.0.0.192", "::ffff:0.0.0.0",
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
@pytest.mark.parametrize("private", [False, True, ["10.0.0.0/8"]])
def test_public_ones(address: str, private: Any) -> None:
    assert AddressPolicy(private).admits(address)


@pytest.mark.parametrize("address", PRIVATE)
def test_private_ones_need_a_grant(address: str) -> None:
    assert not AddressPolicy(False).admits(address)
    assert AddressPolicy(True).admits(address)


@pytest.mark.parametrize("address", NEVER)
def test_some_need_one_that_names_them(address: str) -> None:
    assert not AddressPolicy(False).admits(address)
    assert not AddressPolicy(True).admits(address)
    assert not AddressPolicy(["10.0.0.0/8", "fd12::/16"]).admits(address)


@pytest.mark.parametrize(
    ("networks", "address", "admitted"),
    [
        (["10.1.0.0/16"], "10.1.2.3", True),
        (["10.1.0.0/16"], "10.2.2.3", False),
        (["10.1.0.0/16"], "::ffff:10.1.2.3", True),
        (["10.1.2.3"], "10.1.2.3", True),
        (["169.254.169.254/32"], "169.254.169.254", True),
        (["fd00::/8"], "fd12::1", True),
        (["fd00::/8"], "10.1.2.3", False),
        (["::1/128"], "::1", True),
        ([], "127.0.0.1", False),
    ],
)
def test_networks(networks: list[str], address: str, admitted: bool) -> None:
    assert AddressPolicy(networks).admits(address) is admitted


@pytest.mark.parametrize("text", ["", "localhost", "1.2.3", "2130706433", "0x7f.1", "1.2.3.4.5", "::g", "1.1.1.1/32"])
def test_what_is_no_address(text: str) -> None:
    assert not AddressPolicy(True).admits(text)


def test_what_is_no_network() -> None:
    with pytest.raises(ValueError, match=r"10\.0\.0\.0/99"):
        AddressPolicy(["10.0.0.0/99"])
