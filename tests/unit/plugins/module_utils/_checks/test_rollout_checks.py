# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rollout of calico-node: pass, fail and unknown of each check."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._calico._placement_request import LABEL
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import (
    FORBIDDEN,
    Condition,
    ContainerStatus,
    DaemonSet,
    Event,
    Installation,
    PodLog,
    Ref,
    Taint,
    TigeraStatus,
)
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import (
    agent,
    answer,
    calico_node,
    calico_pod,
    cluster,
    container,
    judged,
    node,
    not_served,
    ok,
    pod,
    tigera_operator,
)
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.expectations import (
    expect_fail,
    expect_not_asked,
    expect_pass,
    expect_unknown,
)

STALLED = "calico-rollout-stalled"
IPSET = "felix/ipsets.go 599: Bad return code from 'ipset list'. stderr=\"ipset v7.11: Kernel error received: Invalid argument\""
WORKER_ONLY = {
    "requiredDuringSchedulingIgnoredDuringExecution": {
        "nodeSelectorTerms": [{"matchExpressions": [{"key": "node-role.kubernetes.io/worker", "operator": "Exists"}]}]
    }
}


def crashing(name="node-2", **fields):
    status = ContainerStatus("calico-node", False, 9, "calico/node:v3.26.3", waiting_reason="CrashLoopBackOff", exit_code=2)
    conditions = (Condition("Ready", "False", "ContainersNotReady", "", "2025-12-31T22:00:00Z"),)
    return calico_pod(name, ready=False, **{"statuses": (status,), "restarts": 9, "conditions": conditions, **fields})


def three(*pods, daemon_set=None, nodes=None, **changes):
    """Three nodes, the first a gateway and the last the control plane."""
    made = nodes or (
        node("node-1")._replace(labels={"submariner.io/gateway": "true"}),
        node("node-2"),
        node("node-3")._replace(labels={"node-role.kubernetes.io/control-plane": ""}),
    )
    base = cluster()
    others = [entry for entry in base.pods.items if entry.ref.namespace != "calico-system"]
    counts = {"current": 3, "updated": 3, "available": 3}
    usual = calico_node(**counts)._replace(desired=3, ready=sum(entry.ready for entry in pods))
    sets = [entry for entry in base.daemon_sets.items if entry.ref.name != "calico-node"]
    return cluster(**{"nodes": ok(*made), "pods": ok(*others, *pods), "daemon_sets": ok(daemon_set or usual, *sets), **changes})


def log(*lines, name="node-2"):
    return ok(PodLog(Ref("Pod", f"calico-node-{name}", "calico-system"), "calico-node", "\n".join(lines)))


def first_install(**changes):
    made = cluster().installations.items[0]._replace(variant="")
    return {"installations": ok(made), **changes}


class TestStalled:
    def test_passes(self):
        expect_pass(cluster(), STALLED)
        expect_pass(three(calico_pod("node-1"), calico_pod("node-2"), calico_pod("node-3")), STALLED)

    def test_the_cause_is_told_from_the_log(self):
        finding = expect_fail(three(calico_pod("node-1"), crashing(), calico_pod("node-3"), logs=log(IPSET)), STALLED)
        assert finding.title == "calico-node does not get ready on node-2: the node's kernel lacks what calico-node needs: ip_set"
        assert finding.severity == "error"
        assert "modprobe ip_set" in finding.remedy.text and "node-role.kubernetes.io/worker" in finding.remedy.text
        assert [entry.note for entry in finding.evidence if entry.value == "2025-12-31T22:00:00Z"] == ["for 2 h"]
        assert "was available before" in " ".join(entry.note for entry in finding.evidence)

    def test_the_release_with_a_newer_ipset_comes_from_the_known_defects(self):
        revision = log("ipset v7.11: Kernel and userspace incompatible: settype hash:ip with revision 6 not supported by userspace.")
        finding = expect_fail(three(calico_pod("node-1"), crashing(), calico_pod("node-3"), logs=revision), STALLED)
        assert "Upgrade Calico to 3.30.6 or newer" in finding.remedy.text and "No module is missing" in finding.remedy.text

    def test_what_the_operator_says_is_evidence(self):
        pods = (calico_pod("node-1"), crashing(), calico_pod("node-3"))
        degraded = Condition("Degraded", "True", "PodFailure", "Pod calico-system/calico-node-node-2 has crash looping container: calico-node")
        of_installation = cluster().installations.items[0]._replace(conditions=(degraded,))
        by_status = {"tigera_statuses": ok(TigeraStatus(Ref("TigeraStatus", "calico"), (degraded,)))}
        for subject, changes in (("TigeraStatus calico", by_status), ("Installation default", {"installations": ok(of_installation)})):
            rows = expect_fail(three(*pods, **changes), STALLED).evidence
            assert [entry.object for entry in rows if "crash looping" in entry.note] == [subject]

    def test_nodes_with_one_cause_are_one_finding(self):
        snapshot = three(
            crashing("node-1"),
            crashing("node-2"),
            calico_pod("node-3", ready=False, statuses=(ContainerStatus("calico-node", False, 0, "x:1", waiting_reason="ErrImagePull"),)),
        )
        titles = [finding.title for finding in judged(snapshot, STALLED).findings]
        assert titles == [
            "calico-node does not get ready on node-1, node-2: it crashes",
            "calico-node does not get ready on node-3: an image cannot be pulled: x:1",
        ]

    def test_what_stands_on_the_nodes_is_said(self):
        impact = expect_fail(three(crashing("node-1"), calico_pod("node-2"), calico_pod("node-3")), STALLED).impact
        assert "node-1 carries the traffic to other clusters" in impact
        impact = expect_fail(three(calico_pod("node-1"), calico_pod("node-2"), crashing("node-3")), STALLED).impact
        assert "node-3 runs the control plane" in impact

    def test_a_first_installation_holds_the_api_server_back(self):
        pods = (calico_pod("node-1"), crashing(), calico_pod("node-3"))
        blocked = expect_fail(three(*pods, **first_install(ip_pools=ok(cluster().ip_pools.items[0]))), STALLED)
        assert blocked.severity == "blocker" and "Submariner can create no IPPools" in blocked.impact
        assert expect_fail(three(*pods, **first_install()), STALLED).severity == "error"

    def test_an_update_holds_back_itself_alone(self):
        sets = calico_node(current=3, updated=1)._replace(desired=3, ready=2)
        assert "The update waits for these nodes" in expect_fail(three(calico_pod("node-1"), crashing(), calico_pod("node-3"), daemon_set=sets), STALLED).impact

    def test_a_fresh_pod_is_given_time(self):
        fresh = calico_pod("node-2", ready=False, created="2025-12-31T23:59:00Z")
        assert expect_fail(three(calico_pod("node-1"), fresh, calico_pod("node-3")), STALLED).severity == "info"

    def test_events_and_manifests(self):
        made = DaemonSet(Ref("DaemonSet", "calico-node", "kube-system"), {"k8s-app": "calico-node"}, (container("calico-node"),), 1, 0)
        bad = calico_pod(ready=False)._replace(ref=Ref("Pod", "calico-node-x", "kube-system"))
        event = Event(bad.ref, "Unhealthy", "Readiness probe failed: felix is not ready", 12, "2026-01-01T00:00:00Z")
        snapshot = cluster(installations=not_served(), daemon_sets=ok(made), pods=ok(bad), events=ok(event))
        finding = expect_fail(snapshot, STALLED)
        assert finding.title.endswith("it runs and its probe fails") and "felix is not ready" in finding.evidence[0].note

    def test_one_unfit_node_can_be_left_out_by_a_role(self):
        remedy = expect_fail(three(calico_pod("node-1"), crashing(), calico_pod("node-3"), logs=log(IPSET)), STALLED).remedy
        assert remedy.role == "fathom.submariner.calico_node_placement" and remedy.disruptive and remedy.target
        assert remedy.variables == {"calico_node_placement_nodes": ["node-2"], "calico_node_placement_cordon": True}
        assert "modprobe ip_set" in remedy.text

    def test_what_is_needed_or_mends_itself_is_not_left_out(self):
        gateway = three(crashing("node-1"), calico_pod("node-2"), calico_pod("node-3"), logs=log(IPSET, name="node-1"))
        plane = three(calico_pod("node-1"), calico_pod("node-2"), crashing("node-3"), logs=log(IPSET, name="node-3"))
        healthy = (calico_pod("node-1"), crashing(), calico_pod("node-3"))
        registry = three(*healthy, logs=log("Readiness probe failed"))
        old = three(*healthy, logs=log(IPSET), deployments=ok(tigera_operator("v1.27.16")))
        unread = three(*healthy, logs=log(IPSET), datastore_migrations=answer(FORBIDDEN))
        for snapshot in (gateway, plane, registry, old, unread):
            finding = expect_fail(snapshot, STALLED)
            assert finding.remedy.role == "" and finding.remedy.text

    def test_two_unfit_nodes_are_a_persons(self):
        logs = ok(*(entry for name in ("node-2", "node-4") for entry in log(IPSET, name=name).items))
        nodes = [node(f"node-{number}")._replace(labels={}) for number in (1, 2, 4)]
        assert expect_fail(three(calico_pod("node-1"), crashing(), crashing("node-4"), nodes=nodes, logs=logs), STALLED).remedy.role == ""

    def test_unread_logs_are_named_where_they_would_tell(self):
        pods = (calico_pod("node-1"), crashing(), calico_pod("node-3"))
        assert any(entry.value == "not read" for entry in expect_fail(three(*pods, logs=answer(FORBIDDEN)), STALLED).evidence)
        assert not any(entry.value == "not read" for entry in expect_fail(three(*pods), STALLED).evidence)

    def test_canal(self):
        made = DaemonSet(Ref("DaemonSet", "rke2-canal", "kube-system"), {"k8s-app": "canal"}, (), 1, 0)
        bad = crashing("node-1")._replace(ref=Ref("Pod", "rke2-canal-x", "kube-system"), owner="DaemonSet/rke2-canal")
        assert expect_fail(cluster(installations=not_served(), daemon_sets=ok(made), pods=ok(bad)), STALLED).subject == "DaemonSet kube-system/rke2-canal"

    @pytest.mark.parametrize("field", ["daemon_sets", "pods", "nodes"])
    def test_unknown(self, field):
        expect_unknown(cluster(**{field: answer(FORBIDDEN)}), STALLED)

    def test_an_installation_without_its_daemon_set(self):
        assert "no DaemonSet calico-node yet" in expect_unknown(cluster(daemon_sets=ok()), STALLED).missing
        expect_not_asked(cluster(daemon_sets=ok(), installations=not_served()), STALLED)


class TestUpdateUnfinished:
    check_id = "calico-update-unfinished"
    pods = (calico_pod("node-1"), calico_pod("node-2"), calico_pod("node-3"))

    def updating(self):
        return calico_node(current=3, updated=1)._replace(desired=3, ready=3)

    def test_passes(self):
        expect_pass(three(*self.pods), self.check_id)

    def test_on_its_way(self):
        finding = expect_fail(three(*self.pods, daemon_set=self.updating()), self.check_id)
        assert (finding.severity, finding.title) == ("info", "An update of calico-node has reached 1 of 3 nodes")

    def test_blocked(self):
        finding = expect_fail(three(self.pods[0], crashing(), self.pods[2], daemon_set=self.updating()), self.check_id)
        assert (finding.severity, finding.caused_by) == ("warning", f"cluster-1/{STALLED}")

    def test_a_template_that_nobody_has_looked_at_yet(self):
        expect_fail(three(*self.pods, daemon_set=calico_node(generation=4, observed_generation=3, updated=3)._replace(desired=3)), self.check_id)

    def test_unknown(self):
        expect_unknown(cluster(daemon_sets=answer(FORBIDDEN)), self.check_id)


class TestOperatorDegraded:
    check_id = "calico-operator-degraded"

    def status(self, name="calico", reason="ResourceValidationError", message="spec is invalid", kind="Degraded", value="True"):
        return TigeraStatus(Ref("TigeraStatus", name), (Condition("Available", "True"), Condition(kind, value, reason, message)))

    def test_passes(self):
        healthy = TigeraStatus(Ref("TigeraStatus", "calico"), (Condition("Available", "True"), Condition("Degraded", "False")))
        expect_pass(cluster(tigera_statuses=ok(healthy)), self.check_id)

    def test_fails(self):
        finding = expect_fail(cluster(tigera_statuses=ok(self.status())), self.check_id)
        assert (finding.severity, finding.title) == ("error", "The operator calls calico degraded: ResourceValidationError")

    def test_a_companion_carries_no_packets(self):
        assert expect_fail(cluster(tigera_statuses=ok(self.status("goldmane"))), self.check_id).severity == "warning"

    @pytest.mark.parametrize("name", ["apiserver", "tiers", "ippools"])
    def test_what_is_judged_elsewhere(self, name):
        expect_pass(cluster(tigera_statuses=ok(self.status(name))), self.check_id)

    def test_it_follows_from_a_stalled_rollout(self):
        status = self.status(reason="PodFailure", message="Pod calico-system/calico-node-node-2 has crash looping container: calico-node")
        finding = expect_fail(three(calico_pod("node-1"), crashing(), calico_pod("node-3"), tigera_statuses=ok(status)), self.check_id)
        assert (finding.severity, finding.caused_by) == ("warning", f"cluster-1/{STALLED}")

    def test_unknown(self):
        expect_unknown(cluster(tigera_statuses=answer(FORBIDDEN)), self.check_id)

    def test_not_asked(self):
        expect_not_asked(cluster(installations=not_served()), self.check_id)


class TestExcluded:
    check_id = "calico-node-excluded"

    def with_affinity(self, affinity, *pods, **changes):
        return three(*pods, daemon_set=calico_node(node_affinity=affinity)._replace(desired=0, ready=0), **changes)

    def opt_out(self, *excluded):
        nodes = [node(f"node-{number}")._replace(labels={"keep": "off"} if f"node-{number}" in excluded else {}) for number in (1, 2, 3)]
        rule = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [{"key": "keep", "operator": "DoesNotExist"}]}]}}
        return rule, nodes

    def test_passes(self):
        expect_pass(cluster(), self.check_id)

    def test_the_copied_remedy_takes_calico_off_all_nodes(self):
        finding = expect_fail(self.with_affinity(WORKER_ONLY), self.check_id)
        assert finding.severity == "blocker"
        assert finding.title == "calico-node may only run on nodes with a role label (node-role.kubernetes.io/worker Exists), and no node has it"
        assert "NotIn [excluded]" in finding.remedy.text

    def test_or_off_the_control_plane(self):
        nodes = (
            node("node-1")._replace(labels={"node-role.kubernetes.io/worker": ""}),
            node("node-3")._replace(labels={"node-role.kubernetes.io/control-plane": ""}),
        )
        finding = expect_fail(self.with_affinity(WORKER_ONLY, calico_pod("node-1"), nodes=nodes), self.check_id)
        assert finding.severity == "error" and finding.title.endswith("and node-3 lacks it")

    def test_a_node_that_is_left_out_on_purpose(self):
        rule, nodes = self.opt_out("node-2")
        assert expect_fail(self.with_affinity(rule, nodes=nodes), self.check_id).severity == "info"

    def test_with_pods_of_its_own(self):
        rule, nodes = self.opt_out("node-2")
        stranded = pod("shop", "web", "10.46.9.9", node="node-2")
        finding = expect_fail(self.with_affinity(rule, stranded, nodes=nodes), self.check_id)
        assert finding.severity == "warning" and "shop/web" in finding.impact

    def test_a_gateway(self):
        rule, nodes = self.opt_out("node-2")
        nodes[1] = nodes[1]._replace(labels={"keep": "off", "submariner.io/gateway": "true"})
        assert expect_fail(self.with_affinity(rule, nodes=nodes), self.check_id).severity == "error"

    @pytest.mark.parametrize(
        ("rule", "labels", "variables"),
        [
            (("NotIn", "excluded"), {LABEL: "excluded"}, {"nodes": ["node-2"], "mode": "exclude", "state": "absent"}),
            (("In", "included"), {}, {"nodes": ["node-2"], "mode": "include", "state": "present"}),
        ],
    )
    def test_our_own_label_on_a_gateway_is_taken_back_by_the_role(self, rule, labels, variables):
        expression = {"key": LABEL, "operator": rule[0], "values": [rule[1]]}
        affinity = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}}
        others = {LABEL: "included"}
        nodes = [node(name)._replace(labels={"submariner.io/gateway": "true", **labels} if name == "node-2" else others) for name in ("node-1", "node-2", "node-3")]
        remedy = expect_fail(self.with_affinity(affinity, nodes=nodes), self.check_id).remedy
        assert remedy.role == "fathom.submariner.calico_node_placement"
        assert remedy.variables == {f"calico_node_placement_{name}": value for name, value in variables.items()}
        plain = [entry._replace(labels={key: value for key, value in entry.labels.items() if key == LABEL}) for entry in nodes]
        assert expect_fail(self.with_affinity(affinity, nodes=plain), self.check_id).remedy.role == ""

    def test_unknown(self):
        expect_unknown(cluster(nodes=answer(FORBIDDEN)), self.check_id)


class TestGateway:
    check_id = "gateway-without-calico"

    def test_passes(self):
        expect_pass(three(calico_pod("node-1"), crashing(), calico_pod("node-3")), self.check_id)

    def test_a_stalled_one(self):
        finding = expect_fail(three(crashing("node-1"), calico_pod("node-2"), calico_pod("node-3")), self.check_id)
        assert (finding.severity, finding.caused_by) == ("warning", f"cluster-1/{STALLED}")
        assert "kubectl label node node-2 submariner.io/gateway=true" in finding.remedy.text

    def test_an_excluded_one(self):
        finding = expect_fail(three(daemon_set=calico_node(node_affinity=WORKER_ONLY)), self.check_id)
        assert finding.caused_by == "cluster-1/calico-node-excluded" and "no other node is fit" in finding.remedy.text

    def test_unknown(self):
        expect_unknown(cluster(daemon_sets=answer(FORBIDDEN)), self.check_id)

    def test_not_asked(self):
        expect_not_asked(cluster(joined=False), self.check_id)


class TestDown:
    check_id = "calico-node-down"
    down = Condition("NetworkUnavailable", "True", "CalicoIsDown", "Calico is shutting down on this node", "2025-12-31T22:00:00Z")

    def test_passes(self):
        up = node()._replace(conditions=(Condition("NetworkUnavailable", "False", "CalicoIsUp"),))
        expect_pass(cluster(nodes=ok(up)), self.check_id)

    def test_stopped_by_itself(self):
        finding = expect_fail(cluster(nodes=ok(node()._replace(conditions=(self.down,)))), self.check_id)
        assert (finding.severity, finding.caused_by) == ("error", "")
        assert finding.title == "Node node-1 is marked as without network: calico-node was stopped there"

    def test_many_nodes_are_one_finding(self):
        nodes = [node(f"node-{number}")._replace(conditions=(self.down,)) for number in range(1, 40)]
        finding = expect_fail(cluster(nodes=ok(*nodes), pods=answer(FORBIDDEN)), self.check_id)
        assert finding.title.startswith("Nodes node-1, node-2, node-3, node-4, node-5 and 34 more are marked as without network")
        assert len(finding.evidence) == 5

    def test_a_taint_alone(self):
        tainted = node()._replace(taints=(Taint("node.kubernetes.io/network-unavailable", "", "NoSchedule"),))
        assert "nobody has reported" in expect_fail(cluster(nodes=ok(tainted)), self.check_id).title

    def test_it_follows_from_a_stalled_rollout(self):
        nodes = (node("node-1"), node("node-2")._replace(conditions=(self.down,)), node("node-3"))
        web = pod("shop", "web", "10.46.9.9", node="node-2")
        finding = expect_fail(three(calico_pod("node-1"), crashing(), calico_pod("node-3"), web, nodes=nodes), self.check_id)
        assert (finding.severity, finding.caused_by) == ("warning", f"cluster-1/{STALLED}")
        assert "shop/web" in finding.impact

    def test_unread_pods_leave_it_an_error(self):
        assert expect_fail(cluster(nodes=ok(node()._replace(conditions=(self.down,))), pods=answer(FORBIDDEN)), self.check_id).severity == "error"

    def test_unknown(self):
        expect_unknown(cluster(nodes=answer(FORBIDDEN)), self.check_id)


def test_an_installation_that_was_never_available_is_in_its_first_rollout():
    plain = Installation(Ref("Installation", "default"), {}, "", "Calico", "Calico", (), (), "v3.26.3")
    assert "first rollout" in " ".join(
        entry.note for entry in expect_fail(three(crashing(), agent("submariner-routeagent", "", ""), installations=ok(plain)), STALLED).evidence
    )
