# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What Submariner's route agent finds and leaves on a node: Calico's interface, reverse path filters, routes.

The agent takes the first interface with an IPv4 address inside the cluster CIDR that it was told (submariner pkg/cni/cni_iface.go). Workers send packets for
other clusters to the active gateway through vx-submariner, by routes in the main table; the gateway's own programs find other clusters by table 150
(pkg/routeagent_driver/handlers/kubeproxy/routes_iface.go). Answers come back through Calico's interface on workers, and packets of workers through
vx-submariner on the gateway: the way to their senders is another one, so that a strict reverse path filter drops them there.
"""

from __future__ import annotations

import ipaddress
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_plan import (
    CABLE_DEVICES,
    FLANNEL_DEVICES,
    VX_SUBMARINER,
    Flaw,
    Gap,
    Judged,
    gap,
    is_calico_device,
    link_of,
)
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import IPV4, Network, parse_cidrs
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_node_host import NodeHost, NodeLink, NodeRoute

HOST_NETWORK_TABLE = "150"
MAIN = "main"
STRICT = 1  # net.ipv4.conf.*.rp_filter
NOT_THERE = "has no interface with an address inside the cluster CIDR"


class Found(t.NamedTuple):
    """An interface that the agent would take."""

    link: NodeLink
    address: str
    cidr: str


def cni_interface(host: NodeHost, cidrs: t.Iterable[str]) -> Found | None:
    """The first interface, in the kernel's order, with an address inside the first of ``cidrs`` that has any."""
    for network in parse_cidrs(cidrs).of(IPV4):
        for link in sorted(host.links, key=lambda entry: entry.index):
            for entry in link.addresses:
                address = entry.address.partition("/")[0]
                if _inside(address, network):
                    return Found(link, address, str(network))
    return None


def _inside(address: str, network: Network) -> bool:
    try:
        return ipaddress.ip_address(address) in network
    except ValueError:
        return False


def _no_addresses(host: NodeHost) -> Gap | None:
    if not host.links:
        return gap(host, "links", "the document has no links")
    why = host.why_unseen("links.addresses")
    return Gap("links.addresses", why) if why else None


def judge_cni_interface(host: NodeHost, told: str) -> Judged:
    """No interface for the agent to find, or one that is not Calico's.

    :param told: the cluster CIDR that the agents are given.
    """
    unread = _no_addresses(host)
    if unread is not None:
        yield unread
        return
    found = cni_interface(host, (told,))
    if found is None:
        there = [f"{link.name} {entry.address}" for link in host.links if is_calico_device(link.name) for entry in link.addresses]
        yield Flaw(f"{NOT_THERE} {told}", "links", ", ".join(there[:4]), "the agent finds none, and goes on without" if there else "Calico has made none")
    elif not (is_calico_device(found.link.name) or found.link.name in FLANNEL_DEVICES):
        what = f"shows the agent {found.link.name} as the CNI's interface"
        yield Flaw(what, f"links[{found.link.name}].addresses", found.address, f"it lies inside {found.cidr} and is not Calico's", keys=(found.link.name,))


def judge_reverse_path(host: NodeHost, told: str, *, active: bool, cable: str) -> Judged:
    """Strict reverse path filters, as they act, on the interfaces through which answers come in another way than questions left.

    :param active: the node carries the active gateway.
    :param cable: driver of the cable.
    """
    unread = _no_addresses(host)
    if unread is not None:
        yield unread
        return
    found = cni_interface(host, (told,))
    wanted = [(found.link, "answers of other clusters come in here", "warning" if active else "")] if found is not None else []
    for name in (VX_SUBMARINER, CABLE_DEVICES.get(cable, "")) if active else ():
        link = link_of(host, name) if name and name != CABLE_DEVICES["wireguard"] else None
        if link is not None:
            wanted.append((link, "packets of other nodes come in here" if name == VX_SUBMARINER else "packets of other clusters come in here", ""))
    for link, why, severity in wanted:
        acting = link.rp_filter_acting
        if acting is None:
            yield gap(host, "links.rp_filter", f"rp_filter of {link.name} is not known")
        elif acting == STRICT:
            name = f"net.ipv4.conf.{link.name}.rp_filter"
            own = "" if link.rp_filter is None else f"own {link.rp_filter}; the larger of all and own acts"
            yield Flaw(f"filters strictly by reverse path on {link.name}", f"links[{link.name}].rp_filter_acting", "1", f"{why}; {own}", severity, (name,))


def judge_routes(host: NodeHost, remote: t.Sequence[Network], *, active: bool) -> Judged:
    """Ways to other clusters that are not there, or lead elsewhere.

    :param remote: subnets of the other clusters' Endpoints, IPv4 alone: the agent makes no routes of IPv6.
    """
    why = host.why_unseen("routes")
    if why:
        yield Gap("routes", why)
        return
    if host.links and link_of(host, VX_SUBMARINER) is None:
        what = f"has no {VX_SUBMARINER}"
        yield Flaw(what, "links", "", "the agent makes it when it hears of the active gateway", keys=(VX_SUBMARINER,))
        return
    table = HOST_NETWORK_TABLE if active else MAIN
    lost, elsewhere = [], []
    for network in remote:
        routes = [route for route in host.routes if route.table == table and _destination(route) == network]
        if not routes:
            lost.append(str(network))
        elif not active and not any(route.device == VX_SUBMARINER for route in routes):
            elsewhere.append((network, routes[0]))
    if lost:
        shown = f"in table {table}" if active else "to the gateway"
        what = f"has no routes {shown} for other clusters"
        severity = "warning" if active else ""
        note = "the agent makes them when it has found Calico's interface" if active else f"main table, through {VX_SUBMARINER}"
        yield Flaw(what, f"routes[table {table}]", f"none for {', '.join(lost)}", note, severity, tuple(lost))
    elif active and not any(rule.table == HOST_NETWORK_TABLE for rule in host.rules):
        if host.why_unseen("rules"):
            yield Gap("rules", host.why_unseen("rules"))
        else:
            yield Flaw("has no rule that leads to table 150", "rules", "", "its routes for other clusters are not looked at", "warning")
    for network, route in elsewhere:
        shown = f"{route.destination} via {route.via or 'no gateway'} dev {route.device} proto {route.protocol}"
        what = f"sends packets for {network} elsewhere than to the gateway"
        note = "BIRD made it: the IPPool of this subnet lacks disableBGPExport" if route.protocol == "bird" else f"not through {VX_SUBMARINER}"
        yield Flaw(what, f"routes[table {table}]", shown, note, keys=(str(network),))


def _destination(route: NodeRoute) -> Network | None:
    if route.family != 4 or route.kind != "unicast":
        return None
    try:
        return ipaddress.ip_network(route.destination)
    except ValueError:
        return None
