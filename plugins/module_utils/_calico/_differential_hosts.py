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
from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_firewall import IP_IN_IP, UDP, Inflow, dropped_by
from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_plan import CABLE_DEVICES, VX_SUBMARINER, is_submariner_device
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
# Where nothing tells another one: IANA's port (Calico's default), Submariner's own (submariner pkg/vxlan), that of its cable, and of Calico's WireGuard.
PORTS: t.Mapping[str, int] = {CALICO: 4789, SUBMARINER: 4800, CROSS_CLUSTER: 4500}
WIREGUARD_PORT = 51820
# Felix lets these in itself, from the other nodes (felix/rules/static.go, filterInputChain).
_OF_FELIX = (4789, 8472, WIREGUARD_PORT)
Carrier = t.Tuple[str, int]  # IP protocol, and the port of one that has ports
NOTHING: Carrier = ("", 0)
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
    def _routes(self) -> dict[tuple[int, int], dict[int, list[NodeRoute]]]:
        found: dict[tuple[int, int], dict[int, list[NodeRoute]]] = {}
        for route in self.host.routes:
            network = _network(route) if route.table in _MAIN and route.kind not in _NO_ROUTES else None
            if network is not None:
                same = found.setdefault((network.version, network.prefixlen), {})
                known = same.get(int(network.network_address))
                if known is None or route.metric < known[0].metric:
                    same[int(network.network_address)] = [route]
                elif route.metric == known[0].metric:
                    known.append(route)
        return dict(sorted(found.items(), key=lambda entry: -entry[0][1]))

    def hops(self, address: str) -> t.Sequence[NodeRoute]:
        """The next hops of the table main's route with the longest prefix, of equal ones of that with the lowest metric; none where none leads there."""
        wanted = parse_address(address)
        for (version, length), routes in self._routes.items() if wanted is not None else ():
            if wanted is not None and version == wanted.version:
                rest = wanted.max_prefixlen - length
                found = routes.get(int(wanted) >> rest << rest)
                if found is not None:
                    return found
        return ()

    def holder(self, address: str) -> NodeLink | None:
        """The link that has an address."""
        return self.links.get(self._holders.get(address, ""))

    @cached_property
    def addresses(self) -> t.Collection[str]:
        """All that the host has, without their lengths."""
        return self._holders.keys()

    @cached_property
    def dropping(self) -> dict[tuple[str, int, bool], Said]:
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
    :param gateway: whether the sender carries Submariner's active gateway, None where that is not known.
    :param hub: host of the active gateway, over which other nodes reach other clusters; None where it was not read.
    """

    source: View | None
    target: View | None
    path: str
    address: str
    gateway: bool | None = None
    hub: View | None = None

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
        """None, too, where next hops lead into several devices: by which of them a packet leaves, and with which address, is not known here."""
        hops = self.source.hops(self.address) if self.source is not None and self.source.routed else ()
        return hops[0] if len({hop.device for hop in hops}) == 1 else None


def wired(ends: Ends) -> Said:
    """Whether each end has a route to the other that leads into the path's device, and whether the two devices fit each other."""
    there = _leads(ends.source, ends.address, ends, ends.gateway)
    if ends.path == CROSS_CLUSTER:  # the other end is another cluster's
        return _all((there, _grouped(ends.source, ends.hub))) if ends.gateway is False else there
    back = _leads(ends.target, ends.source_address, ends, None)
    return _all((there, back, _fit(ends)))


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


def _all(found: t.Sequence[Said]) -> Said:
    """Whether it is true of all, with what says so."""
    value = all_of(*(said.value for said in found))
    return Said(value, "; ".join(said.text for said in found if said.text and said.value == value))


def _either(found: t.Sequence[Said]) -> Said:
    """Whether it is true at one of the ends, with what says so."""
    value = any_of(*(said.value for said in found))
    telling = [said for said in found if said.value == value]
    return Said(value, "; ".join(said.text for said in telling if said.text), tuple(pair for said in telling for pair in said.at))


def ruled_out(ends: Ends, asked: Carrier | None = None) -> Said:
    """Whether a firewall rule of one of the nodes that receive it drops the path's protocol or port.

    :param asked: the protocol and port that is asked for; None for those of the path's tunnel.
    """
    found = asked or carrier(ends)
    if found is None or found == NOTHING or ":" in ends.address:  # the rules are judged for IPv4
        return Said()
    felix = ends.path == CALICO or found[1] in _OF_FELIX
    if asked is None and ends.path == CROSS_CLUSTER:  # a gateway receives, and answers to other nodes go another way
        return _dropping(ends.source if ends.gateway else ends.hub, *found, felix)
    return _either([_dropping(host, *found, felix) for host in (ends.source, ends.target)])


def carrier(ends: Ends) -> Carrier | None:
    """What the path's packets leave the sender in: NOTHING where there is no tunnel, None where that is not known."""
    if ends.path == UNDERLAY:
        return NOTHING
    if ends.path == CROSS_CLUSTER:  # from the gateway in the cable, from other nodes in vx-submariner
        return None if ends.gateway is None else (UDP, PORTS[CROSS_CLUSTER if ends.gateway else SUBMARINER])
    link = ends.link
    if link is None or ends.source is None:
        return None
    if link.kind == VXLAN:
        return UDP, (link.vxlan.port if link.vxlan is not None else 0) or PORTS[ends.path]
    if link.kind in (IPIP, WIREGUARD):
        return (IP_IN_IP, 0) if link.kind == IPIP else (UDP, WIREGUARD_PORT)
    return None if not link.kind and ends.source.host.why_unseen("links.kind") else NOTHING


def in_words(found: Carrier | None) -> str:
    """``UDP 4789`` or ``IP protocol 4``."""
    return str(Inflow(found[0], found[1] or None, "")) if found is not None and found != NOTHING else ""


def carried(ends: Ends) -> Said:
    """Whether the path's packets travel in a tunnel."""
    found = carrier(ends)
    if found is None:
        return Said()
    if found == NOTHING:
        return Said(False, f"{ends.source.node}: by {ends.link.name}, which is no tunnel" if ends.source is not None and ends.link is not None else "")
    return Said(True, f"as {in_words(found)}")


def _leads(host: View | None, address: str, ends: Ends, gateway: bool | None) -> Said:
    if host is None or not address or not host.routed:
        return Said()
    hops = host.hops(address)
    found = [_hop(host, hop, address, ends, gateway) for hop in hops]
    if not found:
        return Said(False, f"{host.node}: no route to {address}")
    # Which of several next hops a packet takes is not known here.
    return found[0] if len({said.value for said in found}) == 1 else Said()


def _hop(host: View, route: NodeRoute, address: str, ends: Ends, gateway: bool | None) -> Said:
    if route.kind in _NOWHERE:
        return Said(False, f"{host.node}: {route.kind} route to {address}")
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
    """Whether the VXLAN devices of both ends have the same port and network, and lead to each other; True where they are none."""
    if ends.path == UNDERLAY:
        return Said(True)
    if ends.path == SUBMARINER:
        return _all((_alike(ends), _grouped(ends.source, ends.target), _grouped(ends.target, ends.source)))
    return _alike(ends)


def _grouped(host: View | None, other: View | None) -> Said:
    """Whether vx-submariner leads to the other node: that of the active gateway has no group, and those of all others the gateway's address as theirs.

    A route agent that did not hear of a new gateway leaves the former one's (submariner pkg/routeagent_driver/handlers/kubeproxy/vxlan.go).
    """
    link = host.links.get(VX_SUBMARINER) if host is not None else None
    if host is None or link is None or link.vxlan is None:
        return Said()
    if not link.vxlan.group:
        return Said(True)
    if other is None or not other.addresses:
        return Said()
    here = link.vxlan.group in other.addresses
    return Said(here, "" if here else f"{host.node}: {link.name} leads to {link.vxlan.group}, which is no address of {other.node}")


def _alike(ends: Ends) -> Said:
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
    """A node that is no gateway sends to other clusters into vx-submariner of the gateway, and gets the answers through Calico's tunnel.

    That is why the route agent relaxes the filter of Calico's interface, and on the gateway that of vx-submariner, and what is missing where it did not.
    """
    if ends.gateway is None or ends.source is None or not ends.source.routed:
        return Said()
    if ends.gateway:
        # Decrypted packets are not filtered (net/ipv4/fib_frontend.c, fib_validate_source with a security path); those of a cable of VXLAN are, and
        # their ways back stand in a table of Submariner's own.
        cable = ends.source.links.get(CABLE_DEVICES["vxlan"])
        return Said(None if cable is not None and cable.rp_filter_acting in (None, STRICT_MODE) else False)
    tunnels = [link for link in ends.source.links.values() if link.kind in _TUNNELS and link.addresses and not is_submariner_device(link.name)]
    if len(tunnels) != 1:
        return Said()
    at_hub = _strict_at(ends.hub, ends.hub.links.get(VX_SUBMARINER) if ends.hub is not None else None, _first_address(tunnels[0], ends.address))
    return _either((_strict_at(ends.source, tunnels[0], ends.address), at_hub))


def _strict_at(host: View | None, arrival: NodeLink | None, peer: str) -> Said:
    if peer and ":" in peer:
        return Said(False)  # the kernel has no such filter for IPv6
    if host is None or arrival is None or not peer or arrival.rp_filter_acting is None:
        return Said()
    if arrival.rp_filter_acting != STRICT_MODE:
        return Said(False, f"{host.node}: rp_filter of {arrival.name} acts as {arrival.rp_filter_acting}")
    if not host.routed:
        return Said()
    devices = dict.fromkeys("nowhere" if hop.kind in _NOWHERE else hop.device for hop in host.hops(peer)) or {"nowhere": None}
    text = f"{host.node}: rp_filter of {arrival.name} acts as 1 (strict), and the route back to {peer} leads into {', '.join(devices)}"
    return Said(arrival.name not in devices, text, ((host.node, arrival.name),))  # that of any next hop will do


def _dropping(host: View | None, protocol: str, port: int, felix: bool) -> Said:
    if host is None:
        return Said()
    key = (protocol, port, felix)
    if key not in host.dropping:
        value, rule = dropped_by(host.host, protocol, port or None, felix=felix)
        host.dropping[key] = Said(value, f"{host.node}: {rule}" if rule else "")
    return host.dropping[key]


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
