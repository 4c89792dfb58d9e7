# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Offload features by ioctl, and by ethtool where the kernel does not tell."""

from __future__ import annotations

import struct

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._node import _ethtool as ethtool
from ansible_collections.fathom.submariner.plugins.module_utils._node._ethtool import Features
from ansible_collections.fathom.submariner.plugins.module_utils._node._host import Completed, Unreadable
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._node.hosts import build

PRINTED = """Features for eth0:
rx-checksumming: on
tx-checksumming: on
	tx-checksum-ipv4: off [fixed]
	tx-checksum-ip-generic: on
scatter-gather: off
tcp-segmentation-offload: off
	tx-tcp-mangleid-segmentation: off
tx-udp_tnl-segmentation: on [requested off]
"""
NAMES = [f"feature-{number}" for number in range(70)]
NAMES[3], NAMES[33], NAMES[66] = "tx-checksum-ipv4", "tx-udp_tnl-segmentation", "rx-udp-gro-forwarding"


class Card:
    """Answers as the kernel's dev_ioctl does, in the caller's array."""

    def __init__(self, active=(), groups=(), names=tuple(NAMES)):
        self.active, self.groups, self.names = active, groups, names
        self.asked = []

    def __call__(self, link, buffer):
        (command,) = struct.unpack_from("=I", buffer)
        self.asked.append(command)
        if command == 0x37:
            struct.pack_into("=I", buffer, 16, len(self.names))
        elif command == 0x1B:
            for number, name in enumerate(self.names):
                struct.pack_into("32s", buffer, 12 + 32 * number, name.encode())
        elif command == 0x3A:
            for number, name in enumerate(self.names):
                if name in self.active:
                    at = 8 + 16 * (number // 32) + 8
                    struct.pack_into("=I", buffer, at, struct.unpack_from("=I", buffer, at)[0] | 1 << number % 32)
        else:
            struct.pack_into("=I", buffer, 4, int(command in self.groups))


def test_what_ethtool_prints():
    assert ethtool.printed(PRINTED) == {
        "rx-checksumming": True, "tx-checksumming": True, "tx-checksum-ipv4": False, "tx-checksum-ip-generic": True, "scatter-gather": False,
        "tcp-segmentation-offload": False, "tx-udp_tnl-segmentation": True,
    }  # fmt: skip


@pytest.mark.parametrize("active", [(), ("tx-checksum-ipv4",), ("tx-udp_tnl-segmentation", "rx-udp-gro-forwarding"), tuple(NAMES)])
def test_what_the_kernel_tells(tmp_path, active):
    card = Card(active, {0x16, 0x1E})
    features = Features(build(tmp_path, {}), card)
    found = features.of("eth0")
    assert {name for name in ("tx-checksum-ipv4", "tx-udp_tnl-segmentation", "rx-udp-gro-forwarding") if found[name]} == set(active) & set(ethtool.FEATURES)
    assert {name for name, value in found.items() if value and name not in ethtool.FEATURES} == {"tx-checksumming", "tcp-segmentation-offload"}
    assert "tx-checksum-ipv6" not in found  # this kernel has no such feature
    features.of("eth1")
    assert card.asked.count(0x1B) == 1  # names are the kernel's, not the card's


def refused(_link, _buffer):
    raise OSError(95, "Operation not supported")


def test_ethtool_where_the_kernel_refuses(tmp_path):
    host = build(tmp_path, {}, {"ethtool -k eth0": PRINTED, "ethtool -k eth1": "", "ethtool -k eth2": Completed(1, "", "no such device")})
    assert Features(host, refused).of("eth0")["tx-checksum-ip-generic"]
    with pytest.raises(Unreadable, match="Operation not supported; ethtool -k eth1 names no feature"):
        Features(host, refused).of("eth1")
    with pytest.raises(Unreadable, match="ended with 1: no such device"):
        Features(host, refused).of("eth2")
    with pytest.raises(Unreadable, match="Operation not supported; there is no program ethtool"):
        Features(build(tmp_path, {}), refused).of("eth0")
