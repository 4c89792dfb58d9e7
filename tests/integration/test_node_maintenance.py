# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nodes of a cluster with two gateways and a worker, out of service and back. One lab; the tests are its acts, in the order in which they stand."""

from __future__ import annotations

import datetime
import threading

import pytest

from tests.integration.clusterset import playbook, recap
from tests.integration.modules import PATIENCE, Modules
from tests.lab import audit
from tests.lab.client import ApiError

pytestmark = pytest.mark.lab

GATEWAYS = "/apis/submariner.io/v1/namespaces/submariner-operator/gateways"
MERGE = "application/merge-patch+json"
WORKER = "rke2-alpha-03"
MARK = "submariner.fathom-ansible.github.io/maintenance"
NOT_THE_RUNS_OWN = ("leases", "configmaps")


@pytest.fixture(scope="module")
def lab(lab_factory):
    started = lab_factory(incident="maintained")
    yield started
    lab_factory.stop(started)


@pytest.fixture(scope="module")
def cluster(lab):
    found = lab.cluster("cluster-1")
    for number in (1, 2, 3):
        set_boot(found, f"rke2-alpha-0{number}", "boot-1")
    return found


@pytest.fixture(scope="module")
def modules():
    running = Modules()
    yield running
    running.close()


def run(modules, cluster, node, state, *, check=False, **options):
    arguments = {"kubeconfig": str(cluster.kubeconfig), "name": cluster.name, "node": node, "state": state, "wait_timeout": PATIENCE}
    return modules.run(("node_maintenance", {**arguments, "_ansible_check_mode": check, **options}))[0]


def set_boot(cluster, node, boot):
    cluster.admin().request("PATCH", f"/api/v1/nodes/{node}/status", {"status": {"nodeInfo": {"bootID": boot}}}, content_type=MERGE)


def reboot(cluster, node, boot):
    """What the API shows of a reboot: another bootID, and the containers of what stays on the node started anew."""
    client = cluster.client("planter")
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    set_boot(cluster, node, boot)
    for pod in client.list("/api/v1/pods", fieldSelector=f"spec.nodeName={node}"):
        statuses = pod["status"].get("containerStatuses") or []
        for status in statuses:
            status.update(state={"running": {"startedAt": now}}, restartCount=status.get("restartCount", 0) + 1)
        path = f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}/status"
        try:
            client.request("PATCH", path, {"status": {"containerStatuses": statuses}}, content_type=MERGE)
        except ApiError as error:
            if not error.not_found:  # evicted meanwhile
                raise


def node_of(cluster, name):
    return cluster.admin().get(f"/api/v1/nodes/{name}")


def pods_on(cluster, node):
    """{name: kind of its owner}"""
    pods = cluster.admin().list("/api/v1/pods", fieldSelector=f"spec.nodeName={node}")
    return {pod["metadata"]["name"]: owner["kind"] for pod in pods for owner in pod["metadata"].get("ownerReferences", [])}


def active(cluster):
    (found,) = [each["metadata"]["name"] for each in cluster.admin().list(GATEWAYS) if each["status"]["haStatus"] == "active"]
    return found


def writes(cluster, marker):
    return [(event.verb, event.resource) for event in audit.writes(cluster.audit_log, since=marker) if event.resource not in NOT_THE_RUNS_OWN]


def test_a_worker_goes_out_of_service_as_predicted_and_once(cluster, modules):
    before, marker = node_of(cluster, WORKER), audit.marker(cluster.audit_log)
    predicted = run(modules, cluster, WORKER, "prepared", check=True)
    assert writes(cluster, marker) == [] and predicted["changed"]
    done = run(modules, cluster, WORKER, "prepared")
    assert not done.get("failed"), done["msg"]
    assert (done["diff"], done["lines"], done["evicted"]) == (predicted["diff"], predicted["lines"], predicted["evicted"])
    assert done["boot_id"] == done["boot_id_now"] == "boot-1"
    found = node_of(cluster, WORKER)
    assert found["spec"]["unschedulable"] and found["metadata"]["labels"] == before["metadata"]["labels"]
    assert any(kind == "DaemonSet" for kind in pods_on(cluster, WORKER).values())
    assert {name.removeprefix("Pod ").split("/")[1] for name in done["evicted"]}.isdisjoint(pods_on(cluster, WORKER))
    assert {verb for verb, resource in writes(cluster, marker) if resource == "pods/eviction"} == {"create"}
    marker = audit.marker(cluster.audit_log)
    assert not run(modules, cluster, WORKER, "prepared")["changed"] and audit.writes(cluster.audit_log, since=marker) == []


def test_one_at_a_time(cluster, modules):
    refused = run(modules, cluster, "rke2-alpha-01", "prepared", allow_disruption=True)
    assert refused["failed"] and f"Node {WORKER} was taken out of service and is not back" in refused["msg"]


def test_it_is_not_back_before_it_was_rebooted(cluster, modules):
    waited = run(modules, cluster, WORKER, "returned", wait_timeout=4)
    assert waited["failed"] and "its bootID is boot-1 still" in waited["msg"]
    assert node_of(cluster, WORKER)["spec"]["unschedulable"]


def test_it_comes_back_as_it_was(cluster, modules):
    reboot(cluster, WORKER, "boot-2")
    predicted = run(modules, cluster, WORKER, "returned", check=True)
    done = run(modules, cluster, WORKER, "returned")
    assert not done.get("failed"), done["msg"]
    assert (done["diff"], done["lines"], done["boot_id"]) == (predicted["diff"], predicted["lines"], "boot-2")
    found = node_of(cluster, WORKER)
    assert "unschedulable" not in found["spec"] and MARK not in found["metadata"]["annotations"]
    marker = audit.marker(cluster.audit_log)
    assert not run(modules, cluster, WORKER, "returned")["changed"] and audit.writes(cluster.audit_log, since=marker) == []


def test_a_gateway_hands_over_before_it_is_drained_and_a_budget_that_blocks_is_named(cluster, modules):
    gateway = active(cluster)
    refused = run(modules, cluster, gateway, "prepared")
    assert refused["failed"] and "submariner_allow_disruption" in refused["msg"] and active(cluster) == gateway
    pod = next(each for each in cluster.admin().list("/api/v1/pods", fieldSelector=f"spec.nodeName={gateway}") if _is_replicated(each))
    namespace, labels = pod["metadata"]["namespace"], {key: value for key, value in pod["metadata"]["labels"].items() if key != "pod-template-hash"}
    budgets = f"/apis/policy/v1/namespaces/{namespace}/poddisruptionbudgets"
    spec = {"maxUnavailable": 0, "selector": {"matchLabels": labels}}
    planter = cluster.client("planter")
    planter.create(budgets, {"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": {"name": "tight", "namespace": namespace}, "spec": spec})
    try:
        stuck = run(modules, cluster, gateway, "prepared", allow_disruption=True, drain_timeout=6)
    finally:
        planter.delete(f"{budgets}/tight")
    assert stuck["failed"] and f"PodDisruptionBudget {namespace}/tight" in stuck["msg"] and "Run it again to go on" in stuck["msg"]
    assert active(cluster) != gateway
    done = run(modules, cluster, gateway, "prepared", allow_disruption=True)
    assert not done.get("failed"), done["msg"]
    assert done["handed_over"] and "submariner.io/gateway" not in node_of(cluster, gateway)["metadata"]["labels"]
    reboot(cluster, gateway, "boot-2")
    back = run(modules, cluster, gateway, "returned", allow_disruption=True)
    assert not back.get("failed"), back["msg"]
    assert node_of(cluster, gateway)["metadata"]["labels"]["submariner.io/gateway"] == "true" and active(cluster) != gateway


def _is_replicated(pod):
    owners = [owner["kind"] for owner in pod["metadata"].get("ownerReferences", [])]
    return "ReplicaSet" in owners and pod["metadata"]["namespace"] in ("shop", "observability", "submariner-operator")


def test_the_only_gateway_is_not_taken_without_consent(cluster, modules):
    gateway = active(cluster)
    other = {"rke2-alpha-01": "rke2-alpha-02", "rke2-alpha-02": "rke2-alpha-01"}[gateway]
    planter = cluster.client("planter")
    planter.merge_patch(f"/api/v1/nodes/{other}", {"spec": {"unschedulable": True}})
    try:
        refused = run(modules, cluster, gateway, "prepared")
    finally:
        planter.merge_patch(f"/api/v1/nodes/{other}", {"spec": {"unschedulable": None}})
    assert refused["failed"] and "has the only gateway that is fit" in refused["msg"] and "unschedulable" not in node_of(cluster, gateway)["spec"]


def test_the_playbook_waits_for_the_reboot_and_takes_the_next_node_only_then(lab, cluster):
    """Somebody else reboots: as soon as a node is cordoned, it is."""
    ended, order = threading.Event(), []
    nodes = [WORKER, next(name for name in ("rke2-alpha-01", "rke2-alpha-02") if name != active(cluster))]

    def kured():
        while not ended.wait(0.5):
            for name in nodes:
                if name not in order and MARK in node_of(cluster, name)["metadata"].get("annotations", {}):
                    others = [each for each in nodes if each != name and node_of(cluster, each)["spec"].get("unschedulable")]
                    order.append(name if not others else f"{name} beside {others}")
                    reboot(cluster, name, "boot-3")

    thread = threading.Thread(target=kured, daemon=True)
    thread.start()
    try:
        options = ("-e", f"submariner_maintain_nodes={','.join(nodes)}", "-e", "submariner_allow_disruption=true", "--limit", "cluster-1")
        done = playbook(lab, "maintain", *options)
    finally:
        ended.set()
        thread.join(10)
    assert done.returncode == 0, done.stdout[-5000:]
    assert order == nodes and recap(done)["cluster-1"]["changed"] >= 4
    assert not any("unschedulable" in node_of(cluster, name)["spec"] for name in nodes)
