# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import math

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError
from ansible_collections.fathom.submariner.plugins.module_utils._wire._bounds import (
    BOUNDS,
    require_address,
    require_max_mtu,
    require_number,
    require_numbers,
    require_target,
)


@pytest.mark.parametrize("option", sorted(BOUNDS))
def test_every_range_has_two_ends(option):
    least, most = BOUNDS[option]
    for value in (least, most):
        require_number(option, value)
    for value in (least - 1, most + 1, math.nan, math.inf, -math.inf):
        with pytest.raises(InputError, match=rf"^{option} is {value}, and can be {least} to {most}\. Nothing was sent\.$"):
            require_number(option, value)


def test_numbers_of_a_module():
    require_numbers({"max_mtu": None, "port": 0, "retries": 0}, zero=("port",))
    with pytest.raises(InputError, match="retries is -5"):
        require_numbers({"workers": 1, "retries": -5})
    with pytest.raises(InputError, match="port is 0"):
        require_numbers({"port": 0})


@pytest.mark.parametrize("address", ["10.0.0.2", "127.0.0.1", "240.0.0.7", "fd00::2", "fe80::1%eth0", "169.254.1.1"])
def test_addresses_of_one_host(address):
    require_address(address)


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("worker-2", "targets: 'worker-2' is no IP address"),
        ("255.255.255.255", "no address of one host"),
        ("0.0.0.0", "no address of one host"),
        ("::", "no address of one host"),
        ("224.0.0.1", "no address of one host"),
        ("ff02::1%eth0", "no address of one host"),
        ("127.0.0.1%lo", "write 127.0.0.1"),
        ("fd00::1%eth0", "write fd00::1"),
        ("fe80::1", "write the device as well, such as fe80::1%eth0"),
        ("fe80::1%", "such as fe80::1%eth0"),
    ],
)
def test_what_is_no_address_of_one_host(address, said):
    with pytest.raises(InputError, match=said.replace("(", ".")):
        require_address(address)


def test_targets():
    require_target("10.0.0.2", "underlay", 65535)
    with pytest.raises(InputError, match="path is 'x'"):
        require_target("10.0.0.2", "x")
    for port in (-1, 70000):
        with pytest.raises(InputError, match=f"targets: 10.0.0.2: port is {port}, and can be 0 to 65535"):
            require_target("10.0.0.2", "underlay", port)


def test_the_least_of_ipv6():
    require_max_mtu(None, ["fd00::1"])
    require_max_mtu(1280, ["fd00::1"])
    require_max_mtu(576, ["10.0.0.2"])
    with pytest.raises(InputError, match="max_mtu is 1279, and fd00::1 is of IPv6"):
        require_max_mtu(1279, ["10.0.0.2", "fd00::1"])
