# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The addresses that calico-node gave itself on each Node, against those that the Node and the pools have."""

from __future__ import annotations

import ipaddress
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._seen import Seen
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import (
    FAMILIES,
    IPV4,
    IPV6,
    Address,
    family_of,
    holds,
    parse_address,
    parse_cidrs,
)
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import IPPool, Node

# Submariner's devices: vx-submariner has 240.x on every node, vxlan-tunnel (the VXLAN cable) 241.x on gateways; the next two blocks are Globalnet's and
# reserved by it (submariner pkg/vxlan, pkg/routeagent_driver/constants).
SUBMARINER_RANGES = tuple(ipaddress.ip_network(f"{first}.0.0.0/8") for first in (240, 241, 242, 243))

ADDRESS = {IPV4: "projectcalico.org/IPv4Address", IPV6: "projectcalico.org/IPv6Address"}
TUNNELS = {
    IPV4: ("projectcalico.org/IPv4VXLANTunnelAddr", "projectcalico.org/IPv4IPIPTunnelAddr", "projectcalico.org/IPv4WireguardInterfaceAddr"),
    IPV6: ("projectcalico.org/IPv6VXLANTunnelAddr", "projectcalico.org/IPv6WireguardInterfaceAddr"),
}


class NodeAddress(t.NamedTuple):
    """What calico-node wrote on one Node for one family; ``address`` is None where it is no address."""

    node: Node
    family: str
    annotation: str
    value: str
    address: Address | None

    @property
    def seen(self) -> Seen:
        return Seen(str(self.node.ref), f"metadata.annotations[{self.annotation}]", self.value)


def calico_addresses(nodes: t.Iterable[Node]) -> tuple[NodeAddress, ...]:
    """Every Node's own addresses as Calico uses them for tunnels and BGP."""
    return tuple(_at(node, family, ADDRESS[family]) for node in nodes for family in FAMILIES if ADDRESS[family] in node.annotations)


def tunnel_addresses(nodes: t.Iterable[Node]) -> tuple[NodeAddress, ...]:
    """Every Node's addresses on Calico's tunnel devices."""
    return tuple(_at(node, family, name) for node in nodes for family in FAMILIES for name in TUNNELS[family] if node.annotations.get(name))


def _at(node: Node, family: str, annotation: str) -> NodeAddress:
    value = node.annotations[annotation]
    return NodeAddress(node, family, annotation, value, parse_address(value.partition("/")[0]))


def of_submariner(address: Address | None) -> bool:
    """True for an address of one of Submariner's own devices."""
    return address is not None and holds(SUBMARINER_RANGES, address)


def internal_addresses(node: Node, family: str) -> tuple[Address, ...]:
    parsed = (parse_address(text) for text in node.internal_ips)
    return tuple(address for address in parsed if address is not None and family_of(address) == family)


def outside_pools(addresses: t.Iterable[NodeAddress], pools: t.Iterable[IPPool]) -> tuple[NodeAddress, ...]:
    """Tunnel addresses that no enabled pool of this cluster's own holds: Calico takes them from its pools alone."""
    networks = parse_cidrs([pool.cidr for pool in pools if not pool.disabled and not pool.is_submariner]).networks
    return tuple(entry for entry in addresses if entry.address is not None and not holds(networks, entry.address))
