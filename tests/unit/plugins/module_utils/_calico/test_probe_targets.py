# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each node probes, from what the API says."""

from __future__ import annotations

import dataclasses
import json

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._calico._probe_suspicion import suspicions
from ansible_collections.fathom.submariner.plugins.module_utils._calico._probe_targets import DnsServer, RemoteGateway, Wish, plan
from ansible_collections.fathom.submariner.plugins.module_utils._network._sampling import SUSPECTED
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import FORBIDDEN, Condition, Pod, Ref, Service
from ansible_collections.fathom.submariner.plugins.module_utils._wire._contrasts import ContrastTarget
from ansible_collections.fathom.submariner.plugins.module_utils._wire._paths import PathTarget
from ansible_collections.fathom.submariner.plugins.modules import probe_targets_info
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks import builders
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import answer, cluster, connection, gateway, ok


def node(name, number, **fields):
    made = builders.node(name)
    labels = {"topology.kubernetes.io/zone": f"zone-{number % 2}"}
    annotations = {"projectcalico.org/IPv4Address": f"192.168.0.{number}/24", "projectcalico.org/IPv4VXLANTunnelAddr": f"10.46.{number}.0"}
    return made._replace(**{"labels": labels, "annotations": annotations, "internal_ips": (f"192.168.0.{number}",), "operating_system": "linux", **fields})


def joined(*nodes, **changes):
    nodes = nodes or tuple(node(f"node-{number}", number) for number in (1, 2, 3, 4))
    base = cluster()
    remote = [entry._replace(health_check_ip="10.42.1.1", hostname="host-cluster-2") for entry in base.endpoints.items if entry.cluster_id == "cluster-2"]
    own = [entry for entry in base.endpoints.items if entry.cluster_id != "cluster-2"]
    return dataclasses.replace(base, **{"nodes": ok(*nodes), "endpoints": ok(*own, *remote), "pods": ok(), **changes})


def test_paths_between_two_nodes():
    made = plan(joined(), Wish(port=28470))
    of_two = [target for target in made.targets["node-2"]["path_mtu"] if target["name"] == "node-1"]
    assert [(target["path"], target["address"]) for target in of_two] == [
        ("underlay", "192.168.0.1"),
        ("calico", "10.46.1.0"),
        ("submariner", "240.168.0.1"),  # node-1 is the active gateway
    ]
    assert "240." not in json.dumps([target for target in made.targets["node-2"]["path_mtu"] if target["name"] in ("node-3", "node-4")])
    assert {target["path"] for target in made.targets["node-2"]["path_probe"]} == {"underlay", "calico", "submariner"}
    assert set(made.targets["node-1"]["answers_on"]) == {"192.168.0.1", "10.46.1.0", "240.168.0.1"}


def test_the_modules_take_what_is_chosen():
    snapshot = joined(services=ok(Service(Ref("Service", "kube-dns", "kube-system"), ("10.45.0.10",))))
    made = plan(snapshot, Wish(port=28470))
    taken = [PathTarget(**target).address for each in made.targets.values() for target in each["path_mtu"]]
    assert taken and all(taken)
    taken = [ContrastTarget(**target).address for each in made.targets.values() for target in each["path_probe"]]
    assert taken and all(taken)


def test_without_responders_there_are_pings_alone():
    made = plan(joined(), Wish())
    assert all(target["protocols"] == ["icmp"] for each in made.targets.values() for target in each["path_mtu"])
    assert all(each["path_probe"] == [] and each["answers_on"] == [] for each in made.targets.values())


def test_other_clusters():
    made = plan(joined(), Wish(neighbours=1))
    across = {name: [t["address"] for t in each["path_mtu"] if t["name"].startswith("cluster-2/")] for name, each in made.targets.items()}
    assert across == {"node-1": ["192.168.0.2", "10.42.1.1"], "node-2": ["10.42.1.1"], "node-3": [], "node-4": []}
    unjoined = cluster(joined=False, nodes=joined().nodes)
    assert {target["path"] for each in plan(unjoined, Wish()).targets.values() for target in each["path_mtu"]} == {"underlay", "calico"}


def test_dns_by_its_service_and_by_a_pod_elsewhere():
    labels = {"k8s-app": "kube-dns"}
    pods = [Pod(Ref("Pod", f"dns-{n}", "kube-system"), f"uid-{n}", f"node-{n}", False, "Running", True, (f"10.46.{n}.9",), labels) for n in (1, 2)]
    snapshot = joined(services=ok(Service(Ref("Service", "kube-dns", "kube-system"), ("10.45.0.10",))), pods=ok(*pods))
    made = plan(snapshot, Wish())
    asked = {name: [t["address"] for t in each["path_probe"] if t["protocols"] == ["dns"]] for name, each in made.targets.items()}
    assert asked["node-1"] == ["10.45.0.10", "10.46.2.9", "10.46.1.9"] and asked["node-2"] == ["10.45.0.10", "10.46.1.9", "10.46.2.9"]
    assert asked["node-3"] == ["10.45.0.10", "10.46.1.9", "10.46.2.9"]  # none runs there
    sizes = {tuple(t["sizes"]) for each in made.targets.values() for t in each["path_probe"] if t["protocols"] == ["dns"]}
    assert sizes == {("small",)} and any(line.startswith("DNS is asked for small answers alone") for line in made.lines)
    more = [Pod(Ref("Pod", f"more-{n}", "kube-system"), f"uid-more-{n}", "w9", False, "Running", True, (f"10.46.9.{n}",), labels) for n in range(9)]
    many = plan(joined(services=snapshot.services, pods=ok(*pods, *more)), Wish())
    assert [len([t for t in many.targets[name]["path_probe"] if t["protocols"] == ["dns"]]) for name in ("node-1", "node-3")] == [5, 4]
    large = plan(snapshot, Wish(large_dns=True))
    sizes = {tuple(t["sizes"]) for each in large.targets.values() for t in each["path_probe"] if t["protocols"] == ["dns"]}
    assert sizes == {("small", "large")} and not any("small answers alone" in line for line in large.lines)
    assert large.budget.packets > made.budget.packets


def across(made, key="path_probe"):
    return {
        name: [(t["address"], tuple(t["protocols"]), t["port"], tuple(t["sizes"])) for t in each[key] if t["path"] == "cross_cluster"]
        for name, each in made.targets.items()
    }


def test_other_clusters_by_tcp_and_dns_where_something_answers_there():
    own = [entry._replace(health_check_ip="10.46.1.0", private_ip="192.168.0.1") for entry in cluster().endpoints.items if entry.cluster_id == "cluster-1"]
    snapshot = joined()
    remote = [entry for entry in snapshot.endpoints.items if entry.cluster_id == "cluster-2"]
    snapshot = dataclasses.replace(snapshot, endpoints=ok(*own, *remote))
    made = plan(snapshot, Wish(port=28470, neighbours=1))
    assert not any(across(made).values())
    assert any(line.startswith("no TCP or UDP is exchanged with cluster-2/host-cluster-2: this cluster's API shows nothing there but") for line in made.lines)
    assert any(line.startswith("no DNS server of cluster-2 is asked") and "remote_dns" in line for line in made.lines)
    wish = Wish(port=28470, neighbours=1, remote_responders=True, remote_dns=(DnsServer("cluster-2", "10.43.0.10"), DnsServer("cluster-9", "10.99.0.10")))
    more = plan(snapshot, wish)
    both = [("10.42.1.1", ("tcp", "udp"), 28470, ("small", "large")), ("10.43.0.10", ("dns",), 53, ("small",))]
    assert across(more) == {"node-1": both, "node-2": both, "node-3": [], "node-4": []}
    assert "10.46.1.0" in more.targets["node-1"]["answers_on"] and more.budget.packets > made.budget.packets
    assert not any(line.startswith("no ") for line in more.lines) and any("no Endpoint of: cluster-9" in line for line in more.lines)


def test_globalnet_lets_pings_through_alone():
    snapshot = joined()
    members = [each._replace(global_cidrs=("10.42.1.0/24",) if each.cluster_id == "cluster-2" else ()) for each in snapshot.submariner_clusters.items]
    assert any(each.cluster_id == "cluster-2" for each in members)
    made = plan(dataclasses.replace(snapshot, submariner_clusters=ok(*members)), Wish(port=28470, remote_responders=True))
    assert not any(across(made).values()) and any("with Globalnet its health-check address" in line for line in made.lines)


def test_further_ports_between_nodes_and_between_gateways():
    made = plan(joined(), Wish(port=28470, ports=(4800, 4500, 28470), gateways=("node-2", "node-9")))
    tried = {(name, t["name"], t["port"]) for name, each in made.targets.items() for t in each["path_probe"] if t["port"] in (4500, 4800)}
    assert {(one, other) for one, other, port in tried if port == 4500} == {("node-1", "node-2"), ("node-2", "node-1")}  # node-1 is one already
    underlay = {(pair.source, pair.target) for pair in made.sample.pairs}
    assert {(one, other) for one, other, port in tried if port == 4800} == underlay
    one = next(t for t in made.targets["node-1"]["path_probe"] if t["port"] == 4500)
    assert one == {"address": "192.168.0.2", "name": "node-2", "path": "underlay", "protocols": ["udp"], "port": 4500, "sizes": ["small"]}
    assert made.targets["node-1"]["answers_on_ports"] == [{"port": port, "addresses": ["192.168.0.1"]} for port in (4500, 4800)]
    assert made.targets["node-3"]["answers_on_ports"] == [{"port": 4800, "addresses": ["192.168.0.3"]}]
    assert "UDP 4500 is probed 2 times between gateways, on their own addresses" in made.lines
    assert "UDP 28470 is the responders' own port and probed on every path" in made.lines
    assert any(line.endswith("no such Linux node: node-9") for line in made.lines)
    assert made.budget.packets > plan(joined(), Wish(port=28470)).budget.packets
    alone = plan(joined(), Wish(ports=(4490,)))
    assert any(line.startswith("UDP 4490 is not probed: it is needed between gateways alone, and 1 of the nodes") for line in alone.lines)
    without = plan(joined(), Wish(ports=(4800,)))
    assert all(each["answers_on"] == [] and each["answers_on_ports"] for each in without.targets.values())
    lonely = plan(joined(node("node-1", 1)), Wish(ports=(4800,)))
    assert "UDP 4800 is not probed, since no pair of nodes was chosen" in lonely.lines


def test_only_nodes_that_can_be_asked():
    made = plan(joined(), Wish(nodes=("node-2", "node-3", "stranger")))
    assert set(made.targets) == {"node-2", "node-3"}
    assert any("no such Linux node: stranger" in line for line in made.lines)
    windows = joined(node("node-1", 1), node("win", 9, operating_system="windows"))
    assert set(plan(windows, Wish()).targets) == {"node-1"}


def test_the_cables_ports_between_gateways_of_different_clusters():
    given = (RemoteGateway("cluster-1/node-1", "192.168.0.1"), RemoteGateway("cluster-2/gw", "203.0.113.12"))
    made = plan(joined(), Wish(port=28470, ports=(4500, 4800), remote_gateways=given))
    to_remote = {name: [t for t in each["path_probe"] if t["address"] == "203.0.113.12"] for name, each in made.targets.items()}
    target = {"address": "203.0.113.12", "name": "cluster-2/gw", "path": "underlay", "protocols": ["udp"], "port": 4500, "sizes": ["small"]}
    assert to_remote == {"node-1": [target], "node-2": [], "node-3": [], "node-4": []}
    assert {"address": "203.0.113.12", "name": "cluster-2/gw", "path": "underlay", "protocols": ["icmp"]} in made.targets["node-1"]["path_mtu"]
    assert {"port": 4500, "addresses": ["192.168.0.1"]} in made.targets["node-1"]["answers_on_ports"]
    assert all(each["port"] != 4500 for each in made.targets["node-2"]["answers_on_ports"])
    assert "UDP 4500 is probed 1 time between gateways, on their own addresses" in made.lines
    without = plan(joined(), Wish(port=28470, ports=(4800,), remote_gateways=given))
    assert "203.0.113.12" not in json.dumps(without.targets)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"gateways": ok(gateway(connection("cluster-2", "error"), node="node-3"))}, "its gateway is error to cluster-2"),
        ({"nodes": ok(node("node-1", 1), node("node-3", 3, ready=False))}, "it is not Ready"),
        (
            {"nodes": ok(node("node-1", 1), node("node-3", 3, conditions=(Condition("NetworkUnavailable", "True", "CalicoIsDown"),)))},
            "its network is unavailable (CalicoIsDown)",
        ),
        (
            {"nodes": ok(node("node-1", 1), node("node-3", 3, annotations={"projectcalico.org/IPv4Address": "240.168.0.3/8"}))},
            "Calico took Submariner's address 240.168.0.3/8 for its own",
        ),
        (
            {"pods": ok(builders.pod("calico-system", "calico-node-x", "192.168.0.3", labels={"k8s-app": "calico-node"}, ready=False, node="node-3"))},
            "calico-node is not ready",
        ),
    ],
)
def test_what_the_api_points_at_is_first(changes, reason):
    snapshot = joined(**changes)
    assert suspicions(snapshot)["node-3"].reasons == (reason,)
    made = plan(snapshot, Wish(pairs=2))
    assert {pair.why for pair in made.sample.pairs} == {SUSPECTED}
    assert all("node-3" in (pair.source, pair.target) for pair in made.sample.pairs)
    assert f"node-3 comes first: {reason}" in made.lines


def test_a_dual_stack_pair_has_both_families():
    tunnel = "projectcalico.org/IPv6VXLANTunnelAddr"
    nodes = [node(f"node-{n}", n, internal_ips=(f"192.168.0.{n}", f"fd00::{n}"), annotations={tunnel: f"fd00:46::{n}"}) for n in (1, 2)]
    made = plan(joined(*nodes), Wish())
    assert [(t["path"], t["address"]) for t in made.targets["node-1"]["path_mtu"] if t["name"] == "node-2"] == [
        ("underlay", "192.168.0.2"),
        ("underlay", "fd00::2"),
        ("calico", "fd00:46::2"),
        ("submariner", "240.168.0.2"),
    ]


def test_cost_is_told_before():
    made = plan(joined(), Wish(port=28470, pairs=3))
    assert any(line.startswith("At most ") and "packets" in line for line in made.lines)
    assert made.budget.packets > 0
    assert plan(joined(), Wish(port=28470, pairs=1)).budget.packets < made.budget.packets
    timed = plan(joined(), Wish(port=28470, throughput_seconds=1.0, throughput_bytes=1 << 20))
    assert timed.budget.bytes > plan(joined(), Wish(port=28470)).budget.bytes


class TestModule:
    PARAMS = {name: option.get("default") for name, option in probe_targets_info.argument_spec().items()}

    def test_its_result_is_small_and_plain(self):
        result = probe_targets_info.chosen(joined(), probe_targets_info.wish_of(self.PARAMS))
        assert json.loads(json.dumps(result)) == result
        assert result["cluster_cidrs"] == ["10.46.0.0/16"]
        nodes = [node(f"node-{n:03}", n % 250) for n in range(200)]
        assert len(json.dumps(probe_targets_info.chosen(joined(*nodes), probe_targets_info.wish_of(self.PARAMS)))) < 300_000

    @pytest.mark.parametrize("option", sorted(probe_targets_info.NUMBERS))
    def test_numbers_that_cannot_be(self, option):
        with pytest.raises(probe_targets_info.SubmarinerError, match=f"{option} is -1, and can be"):
            probe_targets_info.wish_of({**self.PARAMS, option: -1})

    @pytest.mark.parametrize(
        ("options", "said"),
        [
            ({"ports": [4800, 0]}, "ports: port is 0"),
            ({"remote_gateways": [{"name": "gw", "address": "gw.example.org"}]}, "remote_gateways: 'gw.example.org' is no IP address"),
            ({"remote_dns": [{"cluster": "c", "address": "dns", "port": 53}]}, "remote_dns: 'dns' is no IP address"),
            ({"remote_dns": [{"cluster": "c", "address": "10.0.0.1", "port": 70000}]}, "remote_dns: 10.0.0.1: port is 70000"),
        ],
    )
    def test_lists_that_cannot_be(self, options, said):
        with pytest.raises(probe_targets_info.SubmarinerError, match=said):
            probe_targets_info.wish_of({**self.PARAMS, **options})

    def test_lists_are_taken(self):
        server = {"cluster": "c", "address": "10.0.0.1", "port": 53}
        wish = probe_targets_info.wish_of({**self.PARAMS, "ports": [4500], "remote_dns": [server], "dns_large_name": "x", "remote_responders": True})
        assert (wish.ports, wish.remote_dns, wish.large_dns, wish.remote_responders) == ((4500,), (DnsServer("c", "10.0.0.1", 53),), True, True)

    def test_nodes_that_may_not_be_listed(self):
        with pytest.raises(probe_targets_info.SubmarinerError, match="nodes could not be listed"):
            probe_targets_info.chosen(joined(nodes=answer(FORBIDDEN)), Wish())
