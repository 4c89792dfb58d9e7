# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What hosts of nodes say: a healthy one of the clusters of ``builders.py``, and ways to break it."""

from __future__ import annotations

from ansible_collections.fathom.submariner.plugins.module_utils._network._kernel_modules import all_modules
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import NodeHost
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_node_host import (
    LOADED,
    Address,
    CalicoFiles,
    Clock,
    Conntrack,
    FirewallRule,
    HostService,
    Ipset,
    Listener,
    NetworkManager,
    NodeLink,
    NodeRoute,
    NodeRule,
    System,
    Unseen,
    Vxlan,
)
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import cluster, node, ok

REMOTE = ("10.43.0.0/16", "10.42.0.0/16")
OFF = {"tx-checksumming": False, "tx-checksum-ip-generic": False}
UNMANAGED = ("interface-name:cali*", "interface-name:vxlan.calico", "interface-name:vx-submariner", "interface-name:vxlan-tunnel", "interface-name:submariner")


def link(name, mtu, *, address="", index=1, **fields):
    known = {"mtu": mtu, "index": index, "up": True, "running": True, "forwarding": True, "rp_filter": 2, "rp_filter_acting": 2}
    return NodeLink(name, **{**known, "addresses": (Address(address),) if address else (), **fields})


def links(**changes):
    """Those of a healthy node, with fields of some of them changed, None leaving one out; in names a dot and a dash are an underscore."""
    made = (
        link("lo", 65536, address="127.0.0.1/8", index=1),
        link("eth0", 1500, address="192.168.0.1/24", index=2, driver="virtio_net", rp_filter=0),
        link("cali0123456789a", 1450, index=3, kind="veth", rp_filter=1, rp_filter_acting=1),
        link("vxlan.calico", 1450, address="10.46.181.192/32", index=4, kind="vxlan", parent="eth0", vxlan=Vxlan(4096, 4789, parent="eth0"), offloads=OFF),
        link("vx-submariner", 1450, address="240.168.0.1/8", index=5, kind="vxlan", vxlan=Vxlan(100, 4800), offloads=OFF),
    )
    found = []
    for each in made:
        change = changes.get(each.name.replace(".", "_").replace("-", "_"), {})
        if change is not None:
            found.append(each._replace(**change))
    return tuple(found)


def host(name="node-1", *, active=True, **changes):
    """A healthy host of a node of ``builders.cluster``.

    :param active: it carries the active gateway.
    """
    way = {"table": "150", "device": "eth0", "source": "10.46.181.192"} if active else {"table": "main", "device": "vx-submariner", "via": "240.168.0.2"}
    fields = {
        "taken_at": "2026-01-01T00:00:00Z",
        "where": f"nodes/{name}.json",
        "system": System("5.14.0-427.el9.x86_64", "rhel", "9.4", ("fedora",), "x86_64"),
        "modules": dict.fromkeys(all_modules(), LOADED),
        "ipset": Ipset(7, {"hash:ip": (0, 5), "hash:net": (0, 7), "hash:ip,port": (1, 6)}, ("cali40all-ipam-pools", "SUBMARINER-REMOTECIDRS"), "7.11"),
        "sysctls": {"net.ipv4.ip_forward": "1", "net.ipv6.conf.all.forwarding": "1"},
        "links": links(),
        "routes": (NodeRoute("default", via="192.168.0.254", device="eth0"), *(NodeRoute(cidr, protocol="static", **way) for cidr in REMOTE)),
        "rules": (NodeRule(0, "local"), *([NodeRule(32765, "150")] if active else []), NodeRule(32766, "main")),
        "calico": CalicoFiles(1450, "/etc/cni/net.d/10-calico.conflist", ("calico", "bandwidth", "portmap"), 0),
        "conntrack": Conntrack(262144, 1200),
        "network_manager": NetworkManager("active", UNMANAGED, ("/etc/NetworkManager/conf.d/calico.conf",)),
        "services": tuple(HostService(each, "absent", False) for each in ("nm-cloud-setup.service", "nm-cloud-setup.timer", "firewalld", "ufw")),
        "clock": Clock(True, 0.2, 1.0),
        "listeners": (Listener("udp", "0.0.0.0", 4500), Listener("udp", "0.0.0.0", 4789), Listener("udp", "0.0.0.0", 4800)),
    }
    return NodeHost(name, **{**fields, **changes})


def read(*hosts, **changes):
    """The cluster of ``builders.py`` with these documents, a healthy one where none is given."""
    return cluster(**{"node_hosts": ok(*(hosts or (host(),))), **changes})


def two_nodes(*hosts, **changes):
    """node-1 carries the active gateway, node-2 is a worker."""
    gateway = node()._replace(labels={"submariner.io/gateway": "true"})
    worker = node("node-2")._replace(internal_ips=("192.168.0.2",))
    return read(*hosts, nodes=ok(gateway, worker), **changes)


def worker(**changes):
    moved = links(eth0={"addresses": (Address("192.168.0.2/24"),)}, vxlan_calico={"addresses": (Address("10.46.20.0/32"),)})
    return host("node-2", active=False, **{"links": moved, "listeners": (Listener("udp", "0.0.0.0", 4789), Listener("udp", "0.0.0.0", 4800)), **changes})


def blind(*fields, why="permission denied"):
    return {"unseen": tuple(Unseen(field, why) for field in fields)}


def drop(chain="ip filter INPUT", protocol="", ports=(), text="", verdict="drop", tool="iptables"):
    written = text or f"-A {chain.rpartition(' ')[2]}{f' -p {protocol}' if protocol else ''}{f' --dport {ports[0]}' if ports else ''} -j {verdict.upper()}"
    return FirewallRule(tool, chain, verdict, protocol, tuple(ports), written)
