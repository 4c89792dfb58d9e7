# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Which ranges of a clusterset must not meet, and do: pure arithmetic on cards."""

from __future__ import annotations

import ipaddress
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._checks._card import Card
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import IPV4, Network, of_family, overlap, parse_address, parse_cidrs
from ansible_collections.fathom.submariner.plugins.module_utils._network._free_ranges import PRIVATE, free_ranges

PODS = "pods"
SERVICES = "Services"
NODES = "nodes"
PROXY = "proxy"
GLOBAL = "global addresses"
DEFAULT_PREFIX = 16  # of a proposal for a cluster whose own ranges are not known


class Reserved(t.NamedTuple):
    """A range that something else uses. ``only`` narrows it to clusters of one cable driver, or with Globalnet."""

    network: Network
    use: str
    severity: str
    impact: str
    only: str = ""


_VTEP = "Routes of that range lead into a tunnel device on every node: the addresses in it cannot be reached any more."
# submariner pkg/vxlan, pkg/cable/vxlan, subctl pkg/globalnet, subctl pkg/clustersetip; Docker's default bridge.
RESERVED: tuple[Reserved, ...] = tuple(
    Reserved(ipaddress.ip_network(text), use, severity, impact, only)
    for text, use, severity, impact, only in (
        ("240.0.0.0/8", "the tunnel between a cluster's own nodes (vx-submariner)", "error", _VTEP, ""),
        ("241.0.0.0/8", "the tunnels of the vxlan cable driver", "error", _VTEP, "vxlan"),
        ("242.0.0.0/8", "Globalnet's default range", "warning", "Globalnet gives these addresses to Services and pods of other clusters.", ""),
        ("243.0.0.0/8", "the default range of clusterset IPs", "warning", "Submariner gives these addresses to Services of the whole clusterset.", ""),
        ("172.17.0.0/16", "Docker's default bridge", "info", "A host on which Docker runs keeps that traffic for itself.", ""),
    )
)


class Clash(t.NamedTuple):
    """Two uses of the same addresses."""

    one: Card
    one_use: str
    one_network: Network
    other: Card
    other_use: str
    other_network: Network

    @property
    def shared(self) -> Network:
        return max(self.one_network, self.other_network, key=lambda network: network.prefixlen)


def uses(card: Card) -> dict[str, tuple[Network, ...]]:
    """The ranges of a cluster by what they are used for; those that are not known are ()."""
    hosts = [address for address in map(parse_address, card.proxies) if address is not None]
    return {
        PODS: parse_cidrs(card.pods.cidrs).networks,
        SERVICES: parse_cidrs(card.services.cidrs).networks,
        GLOBAL: parse_cidrs(card.global_cidrs).networks,
        NODES: parse_cidrs(card.node_networks).networks,
        PROXY: tuple(ipaddress.ip_network(address) for address in hosts),
    }


def announced(card: Card) -> tuple[str, ...]:
    """The uses of addresses that other clusters send into the tunnel to this one."""
    return (GLOBAL,) if card.globalnet else (PODS, SERVICES)


def tunnelled_clashes(one: Card, other: Card) -> list[Clash]:
    """What both clusters announce. With Globalnet on both sides only the global addresses are, and the others may be the same."""
    if one.globalnet != other.globalnet:
        pairs = [(left, right) for left in (PODS, SERVICES) for right in (PODS, SERVICES)]
    else:
        pairs = [(left, right) for left in announced(one) for right in announced(other)]
    return _clashes(one, other, pairs)


def local_clashes(one: Card, other: Card) -> list[Clash]:
    """Nodes and proxy of one cluster inside what is sent into the tunnel to the other, or both in one cluster inside its own pods and Services."""
    targets = (PODS, SERVICES) if one is other else announced(other)
    return _clashes(one, other, [(local, target) for local in (NODES, PROXY) for target in targets])


def own_clashes(card: Card) -> list[Clash]:
    """Pods and Services of one cluster."""
    return _clashes(card, card, [(PODS, SERVICES)])


def reserved_clashes(card: Card) -> list[tuple[Reserved, str, Network]]:
    """What of a cluster lies in a range that Submariner, or Docker, takes for itself."""
    found = []
    for use, networks in uses(card).items():
        for reserved in RESERVED:
            narrowed = reserved.only and reserved.only != card.cable_driver
            # Globalnet may use its own range; a node on Docker's bridge is behind that bridge.
            globalnet = use == GLOBAL and reserved.network.network_address == ipaddress.ip_address("242.0.0.0")
            fitting = globalnet or (use == NODES and reserved.severity == "info")
            if not narrowed and not fitting:
                found += [(reserved, use, network) for network, _other in overlap(networks, (reserved.network,))]
    return found


def _clashes(one: Card, other: Card, pairs: t.Iterable[tuple[str, str]]) -> list[Clash]:
    left, right = uses(one), uses(other)
    return [Clash(one, a, mine, other, b, theirs) for a, b in pairs for mine, theirs in overlap(left[a], right[b])]


class Proposals:
    """Ranges for the cluster that would be renumbered; each is given away once."""

    def __init__(self, cards: t.Iterable[Card]) -> None:
        self.used = [network for card in cards for networks in uses(card).values() for network in networks]
        self.used += [reserved.network for reserved in RESERVED]

    def of(self, card: Card) -> dict[str, Network]:
        """A range for pods and one for Services, as large as those that the cluster has; what finds no room is left out."""
        found: dict[str, Network] = {}
        for use in (PODS, SERVICES):
            sizes = [network.prefixlen for network in of_family(uses(card)[use], IPV4)]
            proposal = free_ranges(self.used, min(sizes, default=DEFAULT_PREFIX), 1, PRIVATE)
            if proposal:
                found[use] = proposal[0]
                self.used.append(proposal[0])
        return found
