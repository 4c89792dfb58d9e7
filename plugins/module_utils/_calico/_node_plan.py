# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What a node is for, and what a judgement of its host says: shared by the checks of a cluster and by the judgement of nodes that are in none yet."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_arithmetic import VXLAN_V6, WIREGUARD_V6
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_node_host import NodeHost, NodeLink

IPTABLES = "iptables"
NFTABLES = "nftables"
EBPF = "ebpf"
DATA_PLANES = (IPTABLES, NFTABLES, EBPF)

VX_SUBMARINER = "vx-submariner"
CABLE_DEVICES: t.Mapping[str, str] = {"vxlan": "vxlan-tunnel", "wireguard": "submariner"}  # submariner pkg/cable; libreswan makes none
CALICO_DEVICE = re.compile(r"cali[0-9a-f]+|tunl0|vxlan\.calico|vxlan-v6\.calico|wireguard\.cali|wg-v6\.cali|bpfin\.cali|bpfout\.cali")
FLANNEL_DEVICES = ("flannel.1", "cni0")  # canal's


class NodePlan(t.NamedTuple):
    """What runs, or is to run, on a cluster's nodes.

    :param data_plane: of Calico, "" where there is no Calico.
    :param tunnels: of Calico, by the names of :mod:`_mtu_arithmetic`.
    :param cable: Submariner's cable driver, "" without Submariner.
    :param calico: Calico's release, "" where it is not known.
    :param gateway: the node carries a gateway, or may; None where that is not known.
    :param running: Calico is there already, so that its own devices and sockets are no strangers.
    """

    data_plane: str = IPTABLES
    tunnels: tuple[str, ...] = ()
    cable: str = ""
    calico: str = ""
    ipv6: bool = False
    bgp: bool = False
    typha: bool = False
    vxlan_port: int = 4789
    cable_port: int = 4500
    gateway: bool | None = None
    running: bool = False

    @property
    def wants_ipv6(self) -> bool:
        return self.ipv6 or VXLAN_V6 in self.tunnels or WIREGUARD_V6 in self.tunnels


class Flaw(t.NamedTuple):
    """Something of one host that is not as it must be.

    :param what: in the same words for every host that has it, after "has" or "is" such as ``lacks kernel module ip_set``.
    :param field: dotted field of the document.
    :param severity: "" is that of an ordinary case.
    :param keys: what a remedy needs: names of modules, sysctls, devices or ports.
    """

    what: str
    field: str
    value: str
    note: str = ""
    severity: str = ""
    keys: tuple[str, ...] = ()


class Gap(t.NamedTuple):
    """Something of one host that could not be judged: which field lacks, and why."""

    field: str
    why: str


Judged = t.Iterator[t.Union[Flaw, Gap]]


def gap(host: NodeHost, field: str, otherwise: str) -> Gap:
    """A gap with the reason that the document gives, else with ``otherwise``."""
    return Gap(field, host.why_unseen(field) or otherwise)


def link_of(host: NodeHost, name: str) -> NodeLink | None:
    return next((link for link in host.links if link.name == name), None)


def is_calico_device(name: str) -> bool:
    return CALICO_DEVICE.fullmatch(name) is not None


def is_submariner_device(name: str) -> bool:
    return name == VX_SUBMARINER or name in CABLE_DEVICES.values()


def underlay(host: NodeHost, addresses: t.Container[str] = ()) -> NodeLink | None:
    """The link between the nodes: the one with the Node's InternalIP, else that of the default route with the smallest metric.

    :param addresses: the Node's, without lengths.
    """
    own = [link for link in host.links if any(entry.address.partition("/")[0] in addresses for entry in link.addresses)]
    if own:
        return own[0]
    for family in (4, 6):
        defaults = [
            route
            for route in host.routes
            if route.table == "main" and route.family == family and route.destination in ("default", "0.0.0.0/0", "::/0") and route.device
        ]
        found = link_of(host, min(defaults, key=lambda route: route.metric).device) if defaults else None
        if found is not None:
            return found
    return None
