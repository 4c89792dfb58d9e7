# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each node probes, from what the API says."""

from __future__ import annotations

import dataclasses
import json

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._calico._probe_suspicion import suspicions
from ansible_collections.fathom.submariner.plugins.module_utils._calico._probe_targets import Wish, plan
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
    assert asked["node-1"] == ["10.45.0.10", "10.46.2.9"] and asked["node-2"] == ["10.45.0.10", "10.46.1.9"]


def test_only_nodes_that_can_be_asked():
    made = plan(joined(), Wish(nodes=("node-2", "node-3", "stranger")))
    assert set(made.targets) == {"node-2", "node-3"}
    assert any("no such Linux node: stranger" in line for line in made.lines)
    windows = joined(node("node-1", 1), node("win", 9, operating_system="windows"))
    assert set(plan(windows, Wish()).targets) == {"node-1"}


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

    @pytest.mark.parametrize("option", sorted(probe_targets_info.LEAST))
    def test_numbers_that_cannot_be(self, option):
        with pytest.raises(probe_targets_info.InputError, match=option):
            probe_targets_info.wish_of({**self.PARAMS, option: -1})

    def test_nodes_that_may_not_be_listed(self):
        with pytest.raises(probe_targets_info.SubmarinerError, match="nodes could not be listed"):
            probe_targets_info.chosen(joined(nodes=answer(FORBIDDEN)), Wish())
