# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Offload features of links.

They come by the ioctl that ethtool(8) used before netlink, and that every kernel still answers to ordinary users (include/uapi/linux/ethtool.h).
"""

from __future__ import annotations

import array
import fcntl
import re
import socket
import struct
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._node._host import Host, Unreadable

_SIOCETHTOOL = 0x8946
_GSSET_INFO, _GSTRINGS, _GFEATURES = 0x37, 0x1B, 0x3A
_FEATURE_NAMES = 4  # ETH_SS_FEATURES
_NAME_LENGTH = 32  # ETH_GSTRING_LEN
_MOST_FEATURES = 1024
# What ``ethtool -k`` shows without an indent are groups of features, each with a command of its own.
_GROUPS = {
    "rx-checksumming": 0x14,
    "tx-checksumming": 0x16,
    "scatter-gather": 0x18,
    "tcp-segmentation-offload": 0x1E,
    "generic-segmentation-offload": 0x23,
    "generic-receive-offload": 0x2B,
}
# Of some sixty features those that change what a tunnel's packets look like on the wire.
FEATURES = (
    "tx-checksum-ipv4",
    "tx-checksum-ip-generic",
    "tx-checksum-ipv6",
    "tx-udp-segmentation",
    "tx-udp_tnl-segmentation",
    "tx-udp_tnl-csum-segmentation",
    "tx-ipxip4-segmentation",
    "tx-gso-partial",
    "rx-udp_tunnel-port-offload",
    "rx-udp-gro-forwarding",
    "esp-hw-offload",
)
KEPT = (*_GROUPS, *FEATURES)
_LINE = re.compile(r"^\s*([\w-]+): (on|off)\b", re.MULTILINE)

Ask = t.Callable[[str, "array.array[int]"], None]


def printed(text: str) -> dict[str, bool]:
    """``ethtool -k``'s output; of it what :data:`KEPT` names."""
    return {name: value == "on" for name, value in _LINE.findall(text) if name in KEPT}


class Features:
    """Asks for the features of one link after another; the kernel's names for them are asked for once."""

    def __init__(self, host: Host, ask: Ask | None = None) -> None:
        """:param ask: fills an array, which begins with a command, in place (as ioctl(2) does); raises OSError."""
        self._host = host
        self._ask = ask or _ioctl
        self._names: list[str] | None = None

    def of(self, link: str) -> dict[str, bool]:
        """:raises Unreadable: neither the kernel nor ethtool(8) tells."""
        try:
            return self._asked(link)
        except OSError as error:
            why = f"the kernel does not tell the features of {link}: {error.strerror or error}"
        try:
            found = printed(self._host.output(["ethtool", "-k", link]))
        except Unreadable as error:
            raise Unreadable(f"{why}; {error.why}") from error
        if not found:
            raise Unreadable(f"{why}; ethtool -k {link} names no feature")
        return found

    def _asked(self, link: str) -> dict[str, bool]:
        found = {}
        for name, command in _GROUPS.items():
            found[name] = bool(self._words(link, struct.pack("=II", command, 0))[1])
        names = self._feature_names(link)
        blocks = (len(names) + 31) // 32
        words = self._words(link, struct.pack("=II", _GFEATURES, blocks) + bytes(16 * blocks))
        for number, name in enumerate(names):
            if name in FEATURES and number // 32 < words[1]:
                active = words[2 + 4 * (number // 32) + 2]  # available, requested, active, never changed
                found[name] = bool(active >> number % 32 & 1)
        return {name: found[name] for name in KEPT if name in found}

    def _feature_names(self, link: str) -> list[str]:
        if self._names is None:
            counted = self._words(link, struct.pack("=IIQI", _GSSET_INFO, 0, 1 << _FEATURE_NAMES, 0))
            count = min(counted[4], _MOST_FEATURES)
            data = self._bytes(link, struct.pack("=III", _GSTRINGS, _FEATURE_NAMES, count) + bytes(_NAME_LENGTH * count))
            texts = (data[12 + _NAME_LENGTH * each : 12 + _NAME_LENGTH * (each + 1)] for each in range(count))
            self._names = [text.split(b"\0", 1)[0].decode("ascii", "replace") for text in texts]
        return self._names

    def _words(self, link: str, command: bytes) -> tuple[int, ...]:
        data = self._bytes(link, command)
        return struct.unpack(f"={len(data) // 4}I", data[: len(data) // 4 * 4])

    def _bytes(self, link: str, command: bytes) -> bytes:
        buffer = array.array("B", command)
        self._ask(link, buffer)
        return buffer.tobytes()


def _ioctl(link: str, buffer: array.array[int]) -> None:
    request = struct.pack("@16sP16x", link.encode("utf-8")[:15], buffer.buffer_info()[0])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        fcntl.ioctl(handle, _SIOCETHTOOL, request)
