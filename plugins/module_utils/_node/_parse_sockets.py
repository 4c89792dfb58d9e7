# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""/proc/net/tcp, tcp6, udp and udp6 to listeners (Documentation/networking/proc_net_tcp.rst)."""

from __future__ import annotations

import ipaddress
import re
import struct
import sys
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_node_host import Listener

_ROW = re.compile(r"^\s*\d+:\s+([0-9A-Fa-f]{8}|[0-9A-Fa-f]{32}):([0-9A-Fa-f]{4})\s+[0-9A-Fa-f]+:[0-9A-Fa-f]{4}\s+([0-9A-Fa-f]{2})\s", re.MULTILINE)
_LISTENS = {"tcp": "0A", "udp": "07"}  # TCP_LISTEN; of UDP TCP_CLOSE, which a socket without a peer is in

# What Calico and Submariner, and the VXLAN of others, receive on a node. Calico: docs "System requirements"; Submariner: pkg/port/ports.go.
PORTS: t.Mapping[str, tuple[int, ...]] = {
    "udp": (500, 4490, 4500, 4789, 4800, 8472, 51820, 51821),
    "tcp": (179, 5443, 5473, 8080, 8081, 9098, 9099, 32780, 32781, 32782),
}


def listeners(text: str, protocol: str, byte_order: str = sys.byteorder) -> tuple[Listener, ...]:
    """:param protocol: ``tcp`` or ``udp``.
    :param byte_order: of the machine that wrote the text: addresses are words of its memory.
    """
    found = []
    for address, port, state in _ROW.findall(text):
        if state.upper() == _LISTENS[protocol]:
            found.append(Listener(protocol, address_of(address, byte_order), int(port, 16)))
    return tuple(found)


def address_of(word: str, byte_order: str) -> str:
    """:param word: 8 or 32 hexadecimal digits."""
    count = len(word) // 8
    numbers = [int(word[start : start + 8], 16) for start in range(0, len(word), 8)]
    packed = struct.pack(f"{'<' if byte_order == 'little' else '>'}{count}I", *numbers)
    return str(ipaddress.ip_address(packed))


def that_matter(found: t.Iterable[Listener], more: t.Collection[int] = ()) -> tuple[Listener, ...]:
    """Those on ports that Calico or Submariner use.

    :param more: further ports, of either protocol.
    """
    return tuple(sorted({each for each in found if each.port in PORTS[each.protocol] or each.port in more}))
