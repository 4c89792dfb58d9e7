# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What the hosts at both ends of a path say of it: routes, reverse path filtering, checksum offload, firewall rules.

Every answer is True, False or None, and knowing less of a host only ever makes an answer None. Routes are looked up as the kernel does it in the table main; a
host with rules for other tables (Submariner's own excepted) is not judged, since which table a packet meets is not known here.
"""

from __future__ import annotations

import ipaddress
import typing as t
from functools import cached_property

from ansible_collections.fathom.submariner.plugins.module_utils._calico._differential import all_of, any_of
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_arithmetic import IPIP as IPIP_TUNNEL
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_arithmetic import VXLAN as VXLAN_TUNNEL
from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_firewall import IP_IN_IP, UDP, Inflow, judge_firewall
from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_plan import VX_SUBMARINER, Gap, NodePlan, is_submariner_device
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import Network, parse_address
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_node_host import NodeHost, NodeLink, NodeRoute
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_wire import CALICO, CROSS_CLUSTER, SUBMARINER, UNDERLAY

VXLAN, IPIP, WIREGUARD = "vxlan", "ipip", "wireguard"
_TUNNELS = (VXLAN, IPIP, WIREGUARD)
# The kernel's three, and Submariner's two (submariner pkg/routeagent_driver/constants).
_OWN_TABLES = ("local", "main", "default", "255", "254", "253", "149", "150")
_MAIN = ("main", "254")
_NOWHERE = ("blackhole", "unreachable", "prohibit", "throw")
_NO_ROUTES = ("local", "broadcast", "anycast", "multicast")
_CHECKSUMS = ("tx-checksumming", "tx-checksum-ip-generic", "tx-checksum-ipv4")  # ethtool's names; which one a device has depends on its driver
CERTAIN = "error"  # severity of a firewall's flaw that concerns all senders
# Where nothing tells another one: IANA's port (Calico's default), Submariner's own (submariner pkg/vxlan), and that of its cable.
PORTS: t.Mapping[str, int] = {CALICO: 4789, SUBMARINER: 4800, CROSS_CLUSTER: 4500}
STRICT_MODE = 1  # Documentation/networking/ip-sysctl.rst, rp_filter


class View:
    """A host, with what is looked up in it again and again: a node of a large cluster has a route to every other one."""

    def __init__(self, host: NodeHost) -> None:
        self.host = host
        self.node = host.node
        self.links = {link.name: link for link in host.links}
        self._holders = {each.address.partition("/")[0]: link.name for link in reversed(host.links) for each in link.addresses}

    @cached_property
    def routed(self) -> bool:
        """Whether the table main decides alone, and was read. A host without any route could not have been asked, so that it counts as not read."""
        if not self.host.routes or self.host.why_unseen("routes") or self.host.why_unseen("rules"):
            return False
        return all(rule.table in _OWN_TABLES for rule in self.host.rules)

    @cached_property
    def _routes(self) -> dict[tuple[int, int], dict[int, NodeRoute]]:
        found: dict[tuple[int, int], dict[int, NodeRoute]] = {}
        for route in self.host.routes:
            network = _network(route) if route.table in _MAIN and route.kind not in _NO_ROUTES else None
            if network is not None:
                same = found.setdefault((network.version, network.prefixlen), {})
                known = same.get(int(network.network_address))
                if known is None or route.metric < known.metric:
                    same[int(network.network_address)] = route
        return dict(sorted(found.items(), key=lambda entry: -entry[0][1]))

    def route(self, address: str) -> NodeRoute | None:
        """The route of the table main with the longest prefix, of equal ones that with the lowest metric; None where none leads there."""
        wanted = parse_address(address)
        for (version, length), routes in self._routes.items() if wanted is not None else ():
            if wanted is not None and version == wanted.version:
                rest = wanted.max_prefixlen - length
                found = routes.get(int(wanted) >> rest << rest)
                if found is not None:
                    return found
        return None

    def holder(self, address: str) -> NodeLink | None:
        """The link that has an address."""
        return self.links.get(self._holders.get(address, ""))

    @cached_property
    def dropping(self) -> dict[tuple[str, int], Said]:
        """Answers of :func:`_dropping` that were given."""
        return {}


class Said(t.NamedTuple):
    """An answer, and in words what it rests on.

    :param at: the nodes and their devices that it is true of, where it is of devices.
    """

    value: bool | None = None
    text: str = ""
    at: tuple[tuple[str, str], ...] = ()


class Ends(t.NamedTuple):
    """The two ends of one path.

    :param source: host of the node that sends, None where it was not read; :param target: of the one that answers.
    :param address: that is sent to.
    :param gateway: whether the sender is a gateway of Submariner, None where that is not known.
    """

    source: View | None
    target: View | None
    path: str
    address: str
    gateway: bool | None = None

    @property
    def source_address(self) -> str:
        """The address that packets leave with: the route's own, else the first of its device; "" where that is not known."""
        route = self._route
        if route is None or self.source is None:
            return ""
        return route.source or _first_address(self.source.links.get(route.device), self.address)

    @property
    def link(self) -> NodeLink | None:
        """The device of the sender that the path leads into."""
        route = self._route
        return self.source.links.get(route.device) if route is not None and self.source is not None else None

    @property
    def far_link(self) -> NodeLink | None:
        """The target's device that has the address."""
        return self.target.holder(self.address) if self.target is not None else None

    @property
    def _route(self) -> NodeRoute | None:
        return self.source.route(self.address) if self.source is not None and self.source.routed else None


def wired(ends: Ends) -> Said:
    """Whether each end has a route to the other that leads into the path's device, and whether the two devices fit each other."""
    there = _leads(ends.source, ends.address, ends, ends.gateway)
    if ends.path == CROSS_CLUSTER:
        return there  # the other end is another cluster's
    back = _leads(ends.target, ends.source_address, ends, None)
    fit = _fit(ends)
    value = all_of(there.value, back.value, fit.value)
    return Said(value, "; ".join(said.text for said in (there, back, fit) if said.text and said.value == value))


def strict(ends: Ends) -> Said:
    """Whether one of the ends drops what comes in since its route back leads into another device."""
    if ends.path == CROSS_CLUSTER:
        return _strict_across(ends)
    near = ends.source.holder(ends.source_address) if ends.source is not None else None
    there = _strict_at(ends.target, ends.far_link, ends.source_address)
    back = _strict_at(ends.source, near, ends.address)
    return _either((there, back))


def offloaded(ends: Ends) -> Said:
    """Whether checksums of what goes into the tunnel are left to the hardware, at either end. Of what is not VXLAN they are not concerned."""
    found = []
    for host, link in ((ends.source, ends.link), (ends.target, ends.far_link)):
        if host is None or link is None:
            found.append(Said())
            continue
        asked = [name for name in _CHECKSUMS if name in link.offloads]
        on = [name for name in asked if link.offloads[name]]
        if link.kind and link.kind != VXLAN:
            found.append(Said(False, f"{host.node}: {link.name} is no VXLAN device"))
        elif asked:
            found.append(Said(bool(on), f"{host.node}: {link.name} {(on or asked)[0]} {'on' if on else 'off'}", ((host.node, link.name),)))
        else:
            found.append(Said())
    return _either(found)


def _either(found: t.Sequence[Said]) -> Said:
    """Whether it is true at one of the ends, with what says so."""
    value = any_of(*(said.value for said in found))
    telling = [said for said in found if said.value == value]
    return Said(value, "; ".join(said.text for said in telling if said.text), tuple(pair for said in telling for pair in said.at))


def ruled_out(ends: Ends, protocol: str = "", port: int = 0) -> Said:
    """Whether a firewall rule of either node drops the path's protocol or port.

    :param protocol: of the port that is asked for; "" for those of the path's tunnel.
    """
    if not protocol:
        protocol, port = carrier(ends)
    if not protocol:
        return Said()
    return _either([_dropping(host, protocol, port) for host in (ends.source, ends.target)])


def carrier(ends: Ends) -> tuple[str, int]:
    """IP protocol and UDP port that the path's packets travel in, ("", 0) where there is none or it is not known."""
    if ends.path == UNDERLAY:
        return "", 0
    if ends.path == CROSS_CLUSTER:
        return UDP, PORTS[CROSS_CLUSTER]
    link = ends.link
    if link is not None and link.vxlan is not None and link.vxlan.port:
        return UDP, link.vxlan.port
    if link is not None and link.kind == IPIP:
        return IP_IN_IP, 0
    return (UDP, PORTS[ends.path]) if link is not None and link.kind == VXLAN else ("", 0)


def _leads(host: View | None, address: str, ends: Ends, gateway: bool | None) -> Said:
    if host is None or not address or not host.routed:
        return Said()
    route = host.route(address)
    if route is None or route.kind in _NOWHERE:
        return Said(False, f"{host.node}: {'no route' if route is None else f'{route.kind} route'} to {address}")
    link = host.links.get(route.device)
    if link is not None and not link.up:
        return Said(False, f"{host.node}: the route to {address} leads into {link.name}, which is down")
    text = f"{host.node}: {route.destination} leads into {route.device}"
    if ends.path == UNDERLAY:
        return Said(True, text)
    if ends.path == SUBMARINER:
        return Said(route.device == VX_SUBMARINER, text)
    if ends.path == CROSS_CLUSTER:
        return Said(True, text) if gateway else Said(None if gateway is None else route.device == VX_SUBMARINER, text)
    network = _network(route)
    if network is not None and network.prefixlen > 0:
        return Said(True, text)
    kind = ends.far_link.kind if ends.far_link is not None and ends.far_link.kind in _TUNNELS else ""
    return Said(None if not kind else False, f"{text}, the default route, not into Calico's {kind} device")


def _fit(ends: Ends) -> Said:
    """Whether the VXLAN devices of both ends have the same port and network; True where they are none."""
    if ends.path == UNDERLAY:
        return Said(True)
    one, other = ends.link, ends.far_link
    if one is None or other is None or ends.source is None or ends.target is None:
        return Said()
    if one.kind not in _TUNNELS:
        return Said(True)  # Calico's CrossSubnet, and BGP without a tunnel
    if one.vxlan is None or other.vxlan is None:
        return Said(True if one.kind == other.kind != VXLAN else None)
    same = (one.vxlan.id, one.vxlan.port) == (other.vxlan.id, other.vxlan.port)
    words = f"{one.name} of {ends.source.node}: network {one.vxlan.id}, port {one.vxlan.port}; of {ends.target.node}: {other.vxlan.id}, {other.vxlan.port}"
    return Said(same, "" if same else words)


def _strict_across(ends: Ends) -> Said:
    """A node that is no gateway sends to other clusters into vx-submariner, and gets the answers through Calico's tunnel.

    That is why the route agent relaxes the filter of Calico's interface, and what is missing where it did not find that interface.
    """
    if ends.gateway is None or ends.source is None or not ends.source.routed:
        return Said()
    if ends.gateway:
        return Said(False)  # decrypted packets are not filtered (net/ipv4/fib_frontend.c, fib_validate_source with a security path)
    tunnels = [link for link in ends.source.links.values() if link.kind in _TUNNELS and link.addresses and not is_submariner_device(link.name)]
    if len(tunnels) != 1:
        return Said()
    return _strict_at(ends.source, tunnels[0], ends.address)


def _strict_at(host: View | None, arrival: NodeLink | None, peer: str) -> Said:
    if host is None or arrival is None or not peer or arrival.rp_filter_acting is None:
        return Said()
    if arrival.rp_filter_acting != STRICT_MODE:
        return Said(False, f"{host.node}: rp_filter of {arrival.name} acts as {arrival.rp_filter_acting}")
    if not host.routed:
        return Said()
    route = host.route(peer)
    device = route.device if route is not None and route.kind not in _NOWHERE else "nowhere"
    text = f"{host.node}: rp_filter of {arrival.name} acts as 1 (strict), and the route back to {peer} leads into {device}"
    return Said(device != arrival.name, text, ((host.node, arrival.name),))


def _dropping(host: View | None, protocol: str, port: int) -> Said:
    if host is None:
        return Said()
    if (protocol, port) not in host.dropping:
        host.dropping[protocol, port] = _first_drop(host.host, protocol, port)
    return host.dropping[protocol, port]


def _first_drop(host: NodeHost, protocol: str, port: int) -> Said:
    """A rule that drops some senders' packets alone leaves it open whether it drops these."""
    named = str(Inflow(protocol, port or None, ""))
    plan = NodePlan(tunnels=(IPIP_TUNNEL,) if protocol == IP_IN_IP else (VXLAN_TUNNEL,), vxlan_port=port, running=True)
    limited = False
    for found in judge_firewall(host, plan):
        if isinstance(found, Gap):
            return Said()
        if named in found.keys and found.severity == CERTAIN:
            return Said(True, f"{host.node}: {found.field} {found.value}")
        limited = limited or named in found.keys
    return Said(None if limited else False)


def _network(route: NodeRoute) -> Network | None:
    text = {"default": "0.0.0.0/0" if route.family == 4 else "::/0"}.get(route.destination, route.destination)
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None


def _first_address(link: NodeLink | None, like: str) -> str:
    if link is None:
        return ""
    family = ":" in like
    texts = (each.address.partition("/")[0] for each in link.addresses if each.scope in ("", "global"))
    return next((text for text in texts if (":" in text) == family), "")
