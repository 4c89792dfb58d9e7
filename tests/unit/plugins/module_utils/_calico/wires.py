# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two nodes with Calico's VXLAN and vx-submariner between them, what their hosts say and what probes find: healthy, and with each fault.

A fault changes what a real one would change, in the hosts and on the wire; what a diagnosis makes of it is not written here.
"""

from __future__ import annotations

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import OK, Answer, Node, NodeHost, NodeProbes, Pod, Ref, Service, Snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_node_host import (
    Address,
    FirewallRule,
    NodeLink,
    NodeRoute,
    NodeRule,
    Unseen,
    Vxlan,
)
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_wire import (
    BLACK_HOLE,
    CALICO,
    CROSS_CLUSTER,
    DEAD,
    OPEN,
    REFUSED,
    SUBMARINER,
    UNDERLAY,
    Contrast,
    PathMtu,
)

ONE, TWO = "worker-1", "gateway-1"
NUMBER = {ONE: 1, TWO: 2}
SERVICE_ADDRESS, POD_ADDRESS, REMOTE = "10.43.0.10", "10.42.9.9", "10.99.0.1"
SECOND_POD_ADDRESS = "10.42.8.8"
ADDRESS = {
    UNDERLAY: lambda node: f"192.168.0.{NUMBER[node]}",
    CALICO: lambda node: f"10.42.{NUMBER[node]}.0",
    SUBMARINER: lambda node: f"240.168.0.{NUMBER[node]}",
}
LINK = {UNDERLAY: 1500, CALICO: 1450, SUBMARINER: 1450, CROSS_CLUSTER: 1450}
DEVICE = {UNDERLAY: "eth0", CALICO: "vxlan.calico", SUBMARINER: "vx-submariner", CROSS_CLUSTER: "vx-submariner"}


def ok(*items):
    return Answer(OK, tuple(items), "GET /test")


def node(name, **fields):
    labels = {"submariner.io/gateway": "true"} if name == TWO else {}
    return Node(Ref("Node", name), labels, {}, (), (ADDRESS[UNDERLAY](name),), True, "v1.30.0", "2026-01-01T00:00:00Z", **fields)


def host(name):
    number, other = NUMBER[name], next(each for each in NUMBER if each != name)
    offloads = {"tx-checksum-ip-generic": False}
    links = (
        NodeLink("eth0", 2, 1500, up=True, addresses=(Address(f"192.168.0.{number}/24", "global"),), rp_filter_acting=0, offloads=offloads),
        NodeLink("eth1", 3, 1500, up=True, addresses=(Address(f"192.168.1.{number}/24", "global"),), rp_filter_acting=0, offloads=offloads),
        NodeLink(
            "vxlan.calico", 4, 1450, "vxlan", True, addresses=(Address(f"10.42.{number}.0/32", "global"),), vxlan=Vxlan(4096, 4789, parent="eth0"),
            rp_filter_acting=0, offloads=offloads,
        ),
        NodeLink(
            "vx-submariner", 5, 1450, "vxlan", True, addresses=(Address(f"240.168.0.{number}/8", "global"),),
            vxlan=Vxlan(100, 4800, group="" if name == TWO else ADDRESS[UNDERLAY](TWO), parent="eth0"), rp_filter_acting=2, offloads=offloads,
        ),
    )
    routes = (
        NodeRoute("default", via="192.168.0.254", device="eth0", source=f"192.168.0.{number}"),
        NodeRoute("192.168.0.0/24", device="eth0", source=f"192.168.0.{number}"),
        NodeRoute("192.168.1.0/24", device="eth1", source=f"192.168.1.{number}"),
        NodeRoute(f"10.42.{NUMBER[other]}.0/26", via=f"10.42.{NUMBER[other]}.0", device="vxlan.calico", protocol="80"),
        NodeRoute("240.0.0.0/8", device="vx-submariner", source=f"240.168.0.{number}"),
        NodeRoute("10.99.0.0/16", via="240.168.0.2", device="vx-submariner" if name == ONE else "eth0"),
    )
    rules = (NodeRule(0, "local"), NodeRule(32766, "main"), NodeRule(32767, "default"), NodeRule(149, "149"))
    return NodeHost(name, links=links, routes=routes, rules=rules)


def open_path(path, _source, target, protocol="icmp", address=""):
    return PathMtu(
        address or ADDRESS[path](target), target, path, protocol=protocol, answer=OPEN, mtu=LINK[path], link_mtu=LINK[path], device=DEVICE[path]
    )


def open_exchanges(path, target, address="", port=45454):
    made = {"target": address or ADDRESS[path](target), "name": target, "path": path, "port": port, "answer": OPEN, "milliseconds": 0.5}
    return tuple(Contrast(protocol=protocol, size=size, **made) for protocol in ("tcp", "udp") for size in ("small", "large"))


def probes(name):
    other = next(each for each in NUMBER if each != name)
    paths = [open_path(path, name, other, protocol) for path in (UNDERLAY, CALICO, SUBMARINER) for protocol in ("icmp", "udp")]
    contrasts = [each for path in (UNDERLAY, CALICO, SUBMARINER) for each in open_exchanges(path, other)]
    if name == ONE:
        paths.append(open_path(CROSS_CLUSTER, name, "remote", address=REMOTE)._replace(answer=REFUSED, mtu=1380, lost=1381, next_hop_mtu=1380))
        contrasts += open_exchanges(CROSS_CLUSTER, "remote", REMOTE)
        paths.append(open_path(UNDERLAY, name, "remote", address="203.0.113.9"))
        contrasts.append(Contrast(SERVICE_ADDRESS, "dns", CALICO, protocol="dns", port=53, answer=OPEN))
        contrasts.append(Contrast(POD_ADDRESS, "dns-1", CALICO, protocol="dns", port=53, answer=OPEN))
    contrasts.append(Contrast(ADDRESS[UNDERLAY](other), other, UNDERLAY, protocol="udp", port=4500, answer=OPEN))
    return NodeProbes(name, paths=tuple(paths), contrasts=tuple(contrasts))


def dns_pod(name, on, address):
    return Pod(Ref("Pod", name, "kube-system"), f"uid-{name}", on, False, "Running", True, (address,), {"k8s-app": "kube-dns"})


def snapshot(hosts=None, found=None, **fields):
    """The two nodes, healthy unless given otherwise."""
    pods = ok(dns_pod("dns-1", TWO, POD_ADDRESS))
    services = ok(Service(Ref("Service", "kube-dns", "kube-system"), (SERVICE_ADDRESS,)))
    given = {
        "nodes": ok(node(ONE), node(TWO)),
        "pods": pods,
        "services": services,
        "node_hosts": ok(*(hosts or map(host, NUMBER))),
        "node_probes": ok(*(found or map(probes, NUMBER))),
    }
    return Snapshot("cluster-1", "https://test.invalid", "2026-01-01T00:00:00Z", **{**given, **fields})


def changed_link(of, link_name, **fields):
    return of._replace(links=tuple(link._replace(**fields) if link.name == link_name else link for link in of.links))


def _on(found, path, change, *, only="", address=""):
    """Change what was found on one path."""
    concerned = {each for each in (address,) if each} or {ADDRESS[path](name) for name in NUMBER} if path != CROSS_CLUSTER else {REMOTE}
    if only and found.node != only:
        return found

    def changed(each):
        return change(each) if each.path == path and each.target in concerned else each

    return found._replace(paths=tuple(map(changed, found.paths)), contrasts=tuple(map(changed, found.contrasts)))


def _limited(size, answer):
    def change(each):
        if isinstance(each, PathMtu):
            said = {"next_hop_mtu": size, "reporter": "192.168.0.254"} if answer == REFUSED else {}
            return each._replace(answer=answer, mtu=size, lost=size + 1, **said)
        return each._replace(answer=BLACK_HOLE) if each.size == "large" and each.protocol == "tcp" and answer == BLACK_HOLE else each

    return change


def _dead(each):
    if isinstance(each, PathMtu):
        return each._replace(answer=DEAD, mtu=None, lost=68, next_hop_mtu=None)
    return each._replace(answer=BLACK_HOLE) if each.port != 4500 else each


def _only_ping(each):
    if isinstance(each, PathMtu):
        return each if each.protocol == "icmp" else each._replace(answer=DEAD, mtu=None, lost=68)
    return each._replace(answer=BLACK_HOLE)


def _large_lost(each):
    return each._replace(answer=BLACK_HOLE) if isinstance(each, Contrast) and (each.protocol, each.size) == ("tcp", "large") else each


def _strict_underlay():
    one, two = host(ONE), changed_link(host(TWO), "eth0", rp_filter_acting=1)
    away = (NodeRoute("192.168.0.1/32", device="eth1"), *two.routes)
    return one, two._replace(routes=away)


def _strict_across():
    return changed_link(host(ONE), "vxlan.calico", rp_filter_acting=1), host(TWO)


def _without_route(path):
    lost = {CALICO: "10.42.2.0/26", SUBMARINER: "240.0.0.0/8", CROSS_CLUSTER: "10.99.0.0/16"}[path]
    return host(ONE)._replace(routes=tuple(route for route in host(ONE).routes if route.destination != lost)), host(TWO)


def _all_probes(path, change, **kwargs):
    return tuple(_on(probes(name), path, change, **kwargs) for name in NUMBER)


def _offloading(device):
    return tuple(changed_link(host(name), device, offloads={"tx-checksum-ip-generic": True}) for name in NUMBER)


def _with_rule(port=4789, on=TWO):
    rule = FirewallRule("iptables", "ip filter INPUT", "drop", "udp", (f"{port}",), f"-A INPUT -p udp -m udp --dport {port} -j DROP")
    return tuple(host(name)._replace(firewall=(rule,) if name == on else ()) for name in NUMBER)


def _stale_group():
    """The worker's route agent did not hear of a new gateway."""
    return changed_link(host(ONE), "vx-submariner", vxlan=Vxlan(100, 4800, group="192.168.0.99", parent="eth0")), host(TWO)


def _by_ipip(name):
    of = changed_link(host(name), "vxlan.calico", name="tunl0", kind="ipip", vxlan=None, mtu=1480)
    return of._replace(routes=tuple(route._replace(device="tunl0") if route.device == "vxlan.calico" else route for route in of.routes))


def _untunnelled(name):
    """CrossSubnet: the other node is in the same subnet."""
    via = ADDRESS[UNDERLAY](next(each for each in NUMBER if each != name))
    of = host(name)
    return of._replace(routes=tuple(route._replace(device="eth0", via=via) if route.device == "vxlan.calico" else route for route in of.routes))


def _unencapsulated(name):
    """BGP without tunnels: nothing of the node has an address of the pods' but a pod's own link."""
    of = changed_link(_untunnelled(name), "vxlan.calico", name="cali123", kind="veth", vxlan=None, mtu=1500)
    return of._replace(routes=tuple(route._replace(protocol="bird") if route.via else route for route in of.routes))


def _large_pings_lost(each):
    """A filter drops them, and nothing else."""
    return each._replace(answer=BLACK_HOLE, mtu=1024, lost=1025) if isinstance(each, PathMtu) and each.protocol == "icmp" else each


def _equal_hops():
    """The gateway has two default routes of equal cost, and what comes for its address comes in by the second."""
    two = changed_link(host(TWO), "eth0", addresses=(Address("192.168.5.2/24", "global"),))
    two = changed_link(two, "eth1", addresses=(Address("192.168.0.2/32", "global"),), rp_filter_acting=1)
    kept = [route for route in two.routes if not route.destination.startswith(("192.168", "default"))]
    hops = [NodeRoute("default", via="192.168.5.254", device="eth0"), NodeRoute("default", via="192.168.6.254", device="eth1")]
    return host(ONE), two._replace(routes=(*hops, *kept))


def _strict_ipv6():
    """What the kernel's IPv4 setting would drop, over IPv6."""
    found = []
    for name, number in NUMBER.items():
        of = host(name)
        of = changed_link(of, "eth0", addresses=(*of.links[0].addresses, Address(f"fd00::{number}/64", "global")), rp_filter_acting=1)
        routes = [NodeRoute("fd00::/64", device="eth0", family=6, source=f"fd00::{number}")]
        found.append(of._replace(routes=(*of.routes, *routes, *([NodeRoute("fd00::1/128", device="eth1", family=6)] if name == TWO else []))))
    return tuple(found)


def _alive(*probed):
    """Beside a third node, to which both answer."""
    addresses = [address for name in NUMBER for address in (ADDRESS[UNDERLAY](name), f"fd00::{NUMBER[name]}")]
    return (*probed, NodeProbes("worker-3", paths=tuple(PathMtu(address, answer=OPEN, mtu=1500, link_mtu=1500) for address in addresses)))


def _dead_over_ipv6():
    lost = open_path(UNDERLAY, ONE, TWO, address="fd00::2")._replace(family=6)
    exchanges = tuple(each._replace(answer=BLACK_HOLE, family=6) for each in open_exchanges(UNDERLAY, TWO, "fd00::2"))
    one = NodeProbes(ONE, paths=(_dead(lost),), contrasts=exchanges)
    return _alive(one, NodeProbes(TWO))


def _one_dns_pod_lost():
    """The Service leads to two pods, and this node does not reach one of them."""
    found, other = _service_lost()
    lost = Contrast(SECOND_POD_ADDRESS, "dns-2", CALICO, protocol="dns", port=53, answer=BLACK_HOLE)
    return found._replace(contrasts=(*found.contrasts, lost)), other


def _port_lost(each):
    return each._replace(answer=BLACK_HOLE) if isinstance(each, Contrast) and each.port == 4500 else each


def _served_elsewhere():
    """Port 4500 of the gateway answers itself, over the loopback of its own address, and not the worker."""
    found = [_on(probes(ONE), UNDERLAY, _port_lost), probes(TWO)]
    own = Contrast(ADDRESS[UNDERLAY](TWO), TWO, UNDERLAY, protocol="udp", port=4500, answer=OPEN)
    return found[0], found[1]._replace(contrasts=(*found[1].contrasts, own))


def _service_lost():
    found = _on(probes(ONE), CALICO, lambda each: each._replace(answer=BLACK_HOLE), address=SERVICE_ADDRESS)
    return found, probes(TWO)


# What was done: the cause that it is, the hosts, what was found, the scene's verdict on kube-proxy and on policies.
FAULTS = {
    "short MTU in the middle of the underlay, silent": ("mtu", None, _all_probes(UNDERLAY, _limited(1400, BLACK_HOLE)), False, False),
    "short MTU in the middle of the underlay, answered": ("mtu", None, _all_probes(UNDERLAY, _limited(1400, REFUSED)), False, False),
    "Calico's MTU too large": ("mtu", None, _all_probes(CALICO, _limited(1350, BLACK_HOLE)), False, False),
    "cable too small, segments not clamped": (
        "mtu", None, _all_probes(CROSS_CLUSTER, _limited(1200, BLACK_HOLE)), False, False,
    ),
    "broken checksums in Calico's tunnel": ("checksum-offload", _offloading("vxlan.calico"), _all_probes(CALICO, _only_ping), False, False),
    "broken checksums in vx-submariner": ("checksum-offload", _offloading("vx-submariner"), _all_probes(SUBMARINER, _only_ping), False, False),
    "broken segmentation offload": ("checksum-offload", _offloading("vxlan.calico"), _all_probes(CALICO, _large_lost), False, False),
    "IPVS": ("ipvs", None, _service_lost(), True, False),
    "4789 blocked by a security group": ("udp-blocked", None, _all_probes(CALICO, _dead), False, False),
    "4789 blocked by a node's firewall": ("udp-blocked", _with_rule(), _all_probes(CALICO, _dead), False, False),
    "4800 blocked": ("udp-blocked", None, _all_probes(SUBMARINER, _dead), False, False),
    "4500 blocked one way": ("udp-blocked", None, _served_elsewhere(), False, False),
    "no route to the other node's pods": ("route", _without_route(CALICO), _all_probes(CALICO, _dead), False, False),
    "no route into vx-submariner": ("route", _without_route(SUBMARINER), _all_probes(SUBMARINER, _dead), False, False),
    "a policy drops exchanges": ("policy", None, _all_probes(CALICO, _only_ping), False, True),
    "a policy drops everything": ("policy", None, _all_probes(CALICO, _dead), False, True),
    "strict rp_filter on the worker's Calico interface": ("rp-filter", _strict_across(), _all_probes(CROSS_CLUSTER, _dead), False, False),
    "strict rp_filter on the gateway's vx-submariner": (
        "rp-filter", (host(ONE), changed_link(host(TWO), "vx-submariner", rp_filter_acting=1)), _all_probes(CROSS_CLUSTER, _dead), False, False,
    ),
    "IP protocol 4 blocked": ("udp-blocked", tuple(map(_by_ipip, NUMBER)), _all_probes(CALICO, _dead), False, False),
    "4800 blocked by the gateway's firewall": ("udp-blocked", _with_rule(4800), _all_probes(CROSS_CLUSTER, _dead), False, False),
    "vx-submariner leads to a former gateway": ("route", _stale_group(), _all_probes(SUBMARINER, _dead), False, False),
    "vx-submariner leads to a former gateway, other clusters": ("route", _stale_group(), _all_probes(CROSS_CLUSTER, _dead), False, False),
}  # fmt: skip

_BOTH_LARGE_LOST = tuple(_on(_on(probes(name), CALICO, _large_lost), UNDERLAY, _large_lost) for name in NUMBER)
# What looks like a cause and is refuted, or not proved, by what was seen: hosts, what was found, the verdict on kube-proxy, further fields of the snapshot.
NO_CAUSE = {
    "large pings are filtered": (None, _all_probes(UNDERLAY, _large_pings_lost), False, {}),
    "large pings are filtered in the tunnel": (None, _all_probes(CALICO, _large_pings_lost), False, {}),
    "pods' addresses are dropped within a subnet": (tuple(map(_untunnelled, NUMBER)), _all_probes(CALICO, _dead), False, {}),
    "pods' addresses are dropped without encapsulation": (tuple(map(_unencapsulated, NUMBER)), _all_probes(CALICO, _dead), False, {}),
    "a worker drops the port that gateways need": (_with_rule(4500, ONE), _all_probes(CROSS_CLUSTER, _dead), False, {}),
    "a worker drops what it sends to the gateway and gets answers for elsewhere": (_with_rule(4800, ONE), _all_probes(CROSS_CLUSTER, _dead), False, {}),
    "an IPv4 filter over IPv6": (_strict_ipv6(), _dead_over_ipv6(), False, {}),
    "a default route with two hops": (_equal_hops(), _alive(*_all_probes(UNDERLAY, _dead, only=ONE)), False, {}),
    "large TCP is lost beside the tunnel as well": (_offloading("vxlan.calico"), _BOTH_LARGE_LOST, False, {}),
    "one of two DNS pods is not reached": (
        None, _one_dns_pod_lost(), True, {"pods": ok(dns_pod("dns-1", TWO, POD_ADDRESS), dns_pod("dns-2", "w3", SECOND_POD_ADDRESS))},
    ),
    "one of two DNS pods was not asked": (
        None, _service_lost(), True, {"pods": ok(dns_pod("dns-1", TWO, POD_ADDRESS), dns_pod("dns-2", "w3", SECOND_POD_ADDRESS))},
    ),
}  # fmt: skip


def unseen(of, *fields):
    """A host of which these sections could not be read."""
    empty = NodeHost(of.node)
    return of._replace(unseen=(*of.unseen, *(Unseen(field, "as the test wants") for field in fields)), **{field: getattr(empty, field) for field in fields})
