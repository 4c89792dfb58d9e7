# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What one search for a path's MTU, and one exchange, tell: True, False, or None where they tell nothing."""

from __future__ import annotations

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import NodeProbes
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_wire import BLACK_HOLE, DEAD, OPEN, REFUSED, UNKNOWN, Contrast, PathMtu

# UDP ports that the paths themselves need: a probe of one of them asks for the port, not for the path. VXLAN (IANA's and Linux' own), vx-submariner, the
# cable and NAT discovery, IKE.
TUNNEL_PORTS = frozenset((4789, 8472, 4800, 4500, 4490, 500))
ICMP, TCP, UDP, DNS = "icmp", "tcp", "udp", "dns"


def of_ports(probes: NodeProbes) -> frozenset[Contrast]:
    """The exchanges that ask for a UDP port and not for the path: on a port that paths need, or on one beside that of a responder which answers TCP, too."""
    usual: dict[tuple[str, str], set[int]] = {}
    for each in probes.contrasts:
        if each.protocol == TCP:
            usual.setdefault((each.path, each.target), set()).add(each.port)
    return frozenset(
        each
        for each in probes.contrasts
        if each.protocol == UDP and (each.port in TUNNEL_PORTS or each.port not in usual.get((each.path, each.target), {each.port}))
    )


def passes(contrast: Contrast | None) -> bool | None:
    """Whether an exchange got through: a refusal came back, so that the way is open."""
    if contrast is None or contrast.answer == UNKNOWN:
        return None
    return contrast.answer in (OPEN, REFUSED) and not contrast.corrupt


def small(path: PathMtu | None) -> bool | None:
    """Whether any packet of a search came back."""
    if path is None or path.answer == UNKNOWN:
        return None
    if path.mtu is not None:
        return True
    return False if path.answer == DEAD else None


def full(path: PathMtu | None) -> bool | None:
    """Whether a packet of the size came back that the device of the route promises to carry."""
    if path is None or path.mtu is None:
        return None
    if path.answer in (BLACK_HOLE, REFUSED):
        return False
    enough = path.link_mtu is None or path.mtu >= path.link_mtu
    return True if path.answer == OPEN and enough else None


def refusal(path: PathMtu | None) -> bool | None:
    """Whether somebody says that larger packets must be fragmented: a router, or this host's own route."""
    if path is None or path.answer == UNKNOWN:
        return None
    return path.answer == REFUSED or path.next_hop_mtu is not None


def large(contrast: Contrast | None) -> bool | None:
    """Whether a large exchange was carried to its end; one that nobody served tells nothing."""
    found = passes(contrast)
    return None if contrast is not None and contrast.answer == REFUSED else found
