# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What controllers and kubelets would have made of objects, and the addresses of their pods."""

from __future__ import annotations

import ipaddress

import pytest

from tests.lab.addresses import Addresses
from tests.lab.at_rest import Machinery
from tests.lab.info import NodeInfo

TAINT = {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}
INFOS = (NodeInfo("c", "192.168.1.1"), NodeInfo("g", "192.168.1.2", {"submariner.io/gateway": "true"}), NodeInfo("w", "192.168.1.3"))


def node(info, taints=()):
    return {
        "metadata": {"name": info.name, "labels": {"kubernetes.io/os": "linux", **info.labels}},
        "spec": {"taints": list(taints)},
        "status": {
            "addresses": [{"type": "InternalIP", "address": info.ip}],
            "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-01-01T00:00:00Z"}],
        },
    }


@pytest.fixture
def addresses():
    return Addresses("10.46.0.0/16", [each.name for each in INFOS])


@pytest.fixture
def machinery(addresses):
    return Machinery([node(INFOS[0], [TAINT]), node(INFOS[1]), node(INFOS[2])], INFOS, addresses)


def workload(kind, pod=None, **spec):
    template = {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [{"name": "main", "image": "example/x:1"}], **(pod or {})}}
    metadata = {"name": "x", "namespace": "n"}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": {"selector": {"matchLabels": {"app": "x"}}, "template": template, **spec}}


def nodes_of(objects):
    return [each["spec"]["nodeName"] for each in objects if each["kind"] == "Pod"]


@pytest.mark.parametrize(
    ("pod", "places"),
    [
        ({}, ["g", "w"]),
        ({"tolerations": [{"operator": "Exists"}]}, ["c", "g", "w"]),
        ({"tolerations": [{"key": TAINT["key"], "operator": "Exists", "effect": "NoExecute"}]}, ["g", "w"]),
        ({"tolerations": [{"key": TAINT["key"], "operator": "Equal"}]}, ["c", "g", "w"]),
        ({"nodeSelector": {"submariner.io/gateway": "true"}}, ["g"]),
        ({"nodeSelector": {"kubernetes.io/os": "windows"}}, []),
    ],
)
def test_a_daemon_set_runs_where_it_may(machinery, pod, places):
    made = machinery.complete([workload("DaemonSet", pod)])
    assert nodes_of(made) == places
    assert (made[0]["status"]["desiredNumberScheduled"], made[0]["status"]["numberReady"]) == (len(places), len(places))


def test_node_affinity_keeps_a_daemon_set_away(machinery):
    expressions = [{"key": "submariner.io/gateway", "operator": "DoesNotExist"}, {"key": "kubernetes.io/os", "operator": "In", "values": ["linux"]}]
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": expressions}]}}}
    assert nodes_of(machinery.complete([workload("DaemonSet", {"affinity": affinity})])) == ["w"]


def test_pods_have_the_names_that_incidents_know(machinery):
    made = machinery.complete([workload("DaemonSet", {"tolerations": [{"operator": "Exists"}]}), workload("Deployment", replicas=3)])
    names = [each["metadata"]["name"] for each in made if each["kind"] == "Pod"]
    assert names == ["x-cp7k2", "x-gw4x9", "x-wk8p5", "x-6f7d9c5b84-wk8p5", "x-6f7d9c5b84-gw4x9", "x-6f7d9c5b84-wk8p2"]


def test_a_deployment_is_available_and_its_pods_belong_to_its_replica_set(machinery):
    deployment, replica_set, pod = machinery.complete([workload("Deployment", replicas=1)])
    assert deployment["status"]["availableReplicas"] == 1
    assert {each["type"]: each["status"] for each in deployment["status"]["conditions"]} == {"Available": "True", "Progressing": "True"}
    assert replica_set["metadata"]["ownerReferences"][0]["name"] == "x"
    assert pod["metadata"]["ownerReferences"][0]["name"] == replica_set["metadata"]["name"]
    assert {each["type"] for each in pod["status"]["conditions"] if each["status"] == "True"} >= {"Ready", "ContainersReady"}


def test_what_an_object_says_of_its_status_stands(machinery):
    given = {**workload("DaemonSet"), "status": {"numberReady": 1}}
    assert machinery.complete([given])[0]["status"]["numberReady"] == 1
    bare = {**workload("Deployment", replicas=2), "at_rest": {"status": False}}
    assert machinery.complete([bare]) == [workload("Deployment", replicas=2)]


def test_containers_have_started_after_their_nodes_or_when_it_is_said(machinery):
    host = machinery.complete([workload("DaemonSet", {"hostNetwork": True})])[1]
    said = machinery.complete([{**workload("DaemonSet"), "at_rest": {"since": "2026-01-05T00:00:00Z"}}])[1]
    assert host["status"]["containerStatuses"][0]["state"]["running"]["startedAt"] == "2026-01-01T00:00:25Z"
    assert said["status"]["startTime"] == "2026-01-05T00:00:00Z"
    assert host["status"]["podIP"] == "192.168.1.2"


def test_addresses_come_from_the_nodes_blocks_and_stay(machinery, addresses):
    pods = [each for each in machinery.complete([workload("Deployment", replicas=3)]) if each["kind"] == "Pod"]
    again = [each for each in machinery.complete([workload("Deployment", replicas=3)]) if each["kind"] == "Pod"]
    assert [each["status"]["podIP"] for each in pods] == [each["status"]["podIP"] for each in again]
    blocks = {each["spec"]["affinity"]: each["spec"] for each in addresses.blocks() if each["kind"] == "IPAMBlock"}
    for pod in pods:
        assert ipaddress.ip_address(pod["status"]["podIP"]) in ipaddress.ip_network(blocks[f"host:{pod['spec']['nodeName']}"]["cidr"])
    # The tunnel's address and two pods on the last node, the tunnel's and one on the gateway, the tunnel's on the first.
    assert [64 - spec["allocations"].count(None) for spec in blocks.values()] == [1, 2, 3]


def test_blocks_lie_outside_of_the_nodes_pod_cidrs(addresses):
    blocks = [ipaddress.ip_network(each["spec"]["cidr"]) for each in addresses.blocks()]
    shares = [ipaddress.ip_network(addresses.node_cidr(number)) for number in range(3)]
    assert not any(block.overlaps(share) for block in blocks for share in shares)


def test_a_pod_cidr_that_is_too_small_is_named():
    with pytest.raises(ValueError, match="10.46.0.0/24 has no 30 subnets"):
        Addresses("10.46.0.0/24", ["a"])
