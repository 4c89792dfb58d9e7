# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Records of what a node's own host says: its kernel, links, routes, files and services.

The document that module ``node_info`` returns has the same names in the same nesting, so that a node read by SSH and a node in a bundle look alike.
None, in a field that allows it, is *unknown*; ``unseen`` then says why. An empty tuple was read and is empty, unless ``unseen`` names the field.
"""

from __future__ import annotations

import typing as t

LOADED = "loaded"
BUILT_IN = "builtin"
LOADABLE = "loadable"  # not loaded, but a file of the running kernel has it
MISSING = "missing"


class Unseen(t.NamedTuple):
    """:param what: dotted field of the document, such as ``modules`` or ``firewall``.
    :param why: what was tried and what came back.
    """

    what: str
    why: str


class System(t.NamedTuple):
    kernel: str = ""  # uname -r
    distribution: str = ""  # ID of os-release(5)
    version: str = ""  # VERSION_ID of os-release(5)
    like: tuple[str, ...] = ()  # ID_LIKE of os-release(5)
    architecture: str = ""  # uname -m
    booted_at: str = ""  # RFC 3339, UTC
    virtualisation: str = ""  # as DMI names the product, e.g. "VMware7,1"; empty where nothing tells


class Ipset(t.NamedTuple):
    """:param types: the revisions that this kernel offers of each type, lowest and highest, such as ``{"hash:ip": (0, 6)}``; nothing of types whose module is
        not loaded.
    :param sets: names of the sets there are.
    :param tool: version of the ipset program on the host, empty without one.
    """

    protocol: int | None = None
    types: t.Mapping[str, tuple[int, int]] = {}
    sets: tuple[str, ...] = ()
    tool: str = ""


class Address(t.NamedTuple):
    address: str  # with its length, e.g. 10.0.0.1/24
    scope: str = ""


class Vxlan(t.NamedTuple):
    id: int
    port: int
    local: str = ""
    group: str = ""
    parent: str = ""


class NodeLink(t.NamedTuple):
    """:param kind: rtnetlink's kind (``vxlan``, ``ipip``, ``bridge``, ``veth``, ``bond``, ``wireguard``...), empty for a physical card.
    :param rp_filter: of net.ipv4.conf.<name>; ``rp_filter_acting`` is the larger of it and that of ``all``, which is what the kernel acts by
        (Documentation/networking/ip-sysctl.rst).
    :param offloads: features by ethtool's names (``tx-checksumming``...) to on or off; empty where they could not be asked for.
    """

    name: str
    index: int = 0
    mtu: int = 0  # bytes
    kind: str = ""
    up: bool = False  # administratively
    running: bool = False  # has a carrier
    mac: str = ""
    parent: str = ""
    master: str = ""
    driver: str = ""
    addresses: tuple[Address, ...] = ()
    vxlan: Vxlan | None = None
    rp_filter: int | None = None
    rp_filter_acting: int | None = None
    forwarding: bool | None = None
    offloads: t.Mapping[str, bool] = {}


class NodeRoute(t.NamedTuple):
    """:param table: number as text or its name, e.g. ``main``, ``149``."""

    destination: str
    table: str = "main"
    family: int = 4
    via: str = ""
    device: str = ""
    source: str = ""
    metric: int = 0
    protocol: str = ""
    mtu: int = 0
    kind: str = "unicast"  # blackhole, unreachable, prohibit...


class NodeRule(t.NamedTuple):
    priority: int
    table: str
    family: int = 4
    source: str = ""
    destination: str = ""
    mark: str = ""


class CalicoFiles(t.NamedTuple):
    """:param mtu_file: /var/lib/calico/mtu; None without that file.
    :param conflist: path of the file that kubelet's runtime takes, the first by name in /etc/cni/net.d or in the distribution's own folder; empty when there
        is none.
    :param conflist_plugins: of it; where it is Multus', also those of the network that Multus gives every pod.
    :param conflist_mtu: ``mtu`` of its calico plugin; None when it says none.
    """

    mtu_file: int | None = None
    conflist: str = ""
    conflist_plugins: tuple[str, ...] = ()
    conflist_mtu: int | None = None


class Conntrack(t.NamedTuple):
    maximum: int | None = None
    count: int | None = None


class HostService(t.NamedTuple):
    """:param state: ``active``, ``inactive``, ``absent``; empty is unknown."""

    name: str
    state: str = ""
    enabled: bool | None = None


class NetworkManager(t.NamedTuple):
    """:param unmanaged: the patterns of ``unmanaged-devices`` that act, e.g. ``interface-name:cali*``; :param files: where they stand."""

    state: str = ""
    unmanaged: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


class Clock(t.NamedTuple):
    """:param offset: seconds that this host is ahead of the one that asked, within ``uncertainty`` seconds; None when it was not measured."""

    synchronised: bool | None = None
    offset: float | None = None
    uncertainty: float | None = None


class Listener(t.NamedTuple):
    protocol: str  # udp, tcp
    address: str
    port: int


class FirewallRule(t.NamedTuple):
    """A rule that drops or rejects, or accepts, what Submariner or Calico must receive, or leads to one that does.

    :param tool: ``nftables`` or ``iptables``: which of the kernel's two sets of rules it stands in.
    :param text: the rule as the tool prints it, an element of a verdict map as a rule of its own. Of a chain's policy it begins with ``type`` (nft), or has
        the chain's name and the policy (iptables). A rule of nftables that begins with ``-A`` is one that nft has no words for, and iptables does.
    :param target: the chain that a jump leads to, of the same table.
    """

    tool: str
    chain: str
    verdict: str  # accept, drop, reject, return, jump, goto
    protocol: str = ""  # udp, tcp, esp, 4; empty: any
    ports: tuple[str, ...] = ()  # of the destination, "4800" or "30000-32767"; empty: any
    text: str = ""
    target: str = ""


class CniInterface(t.NamedTuple):
    """The CNI's interface as Submariner's route agent finds it: the first with an IPv4 address inside a cluster CIDR (submariner pkg/cni/cni_iface.go).

    :param name: empty where no interface has such an address.
    :param looked_in: the cluster CIDRs that were asked for.
    """

    name: str = ""
    address: str = ""
    cluster_cidr: str = ""  # the one that it was found in
    looked_in: tuple[str, ...] = ()


class NodeHost(t.NamedTuple):
    """What one node's host said at one moment."""

    node: str  # metadata.name of the Node
    taken_at: str = ""  # RFC 3339, UTC
    where: str = ""  # file of the document, or "SSH"
    cluster: str = ""  # inventory host of its cluster; empty: whichever cluster has a Node of this name
    system: System = System()
    modules: t.Mapping[str, str] = {}  # name to one of the four states above; a module that is not named was not asked for
    ipset: Ipset = Ipset()
    sysctls: t.Mapping[str, str] = {}  # name with dots to its value as text
    links: tuple[NodeLink, ...] = ()
    routes: tuple[NodeRoute, ...] = ()
    rules: tuple[NodeRule, ...] = ()
    calico: CalicoFiles = CalicoFiles()
    conntrack: Conntrack = Conntrack()
    network_manager: NetworkManager = NetworkManager()
    services: tuple[HostService, ...] = ()  # nm-cloud-setup.service, nm-cloud-setup.timer, firewalld, ufw
    clock: Clock = Clock()
    listeners: tuple[Listener, ...] = ()
    firewall: tuple[FirewallRule, ...] = ()
    unseen: tuple[Unseen, ...] = ()
    modules_barred: t.Mapping[str, str] = {}  # modules that modprobe.d(5) keeps from being loaded, to the file that does
    cni: CniInterface | None = None  # None where no cluster CIDR was given to look in

    def why_unseen(self, field: str) -> str:
        """Why ``field`` (or something under it) could not be read; empty when it was."""
        return next((each.why for each in self.unseen if each.what == field or each.what.startswith(f"{field}.")), "")
