# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of gateways: pass, fail and unknown of each."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import FORBIDDEN, TIMED_OUT, Condition, ContainerStatus, PodLog, Ref
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import (
    agent,
    answer,
    broken,
    cluster,
    connection,
    daemon_set,
    gateway,
    judged,
    node,
    ok,
    values,
    without,
)
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.expectations import (
    expect_fail,
    expect_not_asked,
    expect_pass,
    expect_unknown,
)

NOT_READY = "gateway-not-ready"
GATEWAY = "submariner-gateway"
PUBLIC_IP = (
    '2026-01-01T10:00:00.000Z FTL ..gateway/main.go:99 main Error creating local endpoint object error="could not determine public IP: Unable to resolve '
    'public IP by any of the resolver methods"'
)
CNI = 'FTL error="error getting CNI Interface IP address: unable to find CNI Interface on the host which has IP from [\\"10.46.0.0/24\\"]"'
UNKNOWN_KEY = 'FTL error="unknown config annotation \\"gateway.submariner.io/udpport\\" on node \\"node-1\\""'


def status(**fields):
    return ContainerStatus(GATEWAY, False, 17, f"{GATEWAY}:test", **fields)


CRASHING = status(waiting_reason="CrashLoopBackOff", exit_code=1, exit_reason="Error", finished_at="2026-01-01T10:00:00Z")


def down(*lines, base=None, statuses=(CRASHING,), previous=True, gateways=(), **changes):
    """A cluster whose gateway pod is not ready; ``lines`` are its log's."""
    base = cluster(**changes) if base is None else base
    said = base.submariner.status_cluster_cidr
    pod = agent(GATEWAY, said, "10.45.0.0/16", ready=False, restarts=17)._replace(statuses=tuple(statuses))
    sets = [item for item in base.daemon_sets.items if item.ref.name != GATEWAY]
    fields = {
        "pods": ok(*without(base, "pods", pod.ref.name).pods.items, pod),
        "daemon_sets": ok(*sets, daemon_set(GATEWAY, said, "10.45.0.0/16", ready=0)),
        "gateways": ok(*gateways),
        "logs": ok(PodLog(pod.ref, GATEWAY, "\n".join(lines), previous=previous)) if lines else ok(),
    }
    return type(base)(**{**vars(base), **fields})


class TestNotReady:
    def test_passes(self):
        expect_pass(cluster(), NOT_READY)

    def test_no_node_is_labelled(self):
        finding = expect_fail(cluster(daemon_sets=ok(daemon_set(GATEWAY, desired=0, ready=0))), NOT_READY)
        assert (finding.title, finding.severity) == ("No node is labelled as a gateway", "blocker")

    def test_public_ip(self):
        finding = expect_fail(down(PUBLIC_IP), NOT_READY)
        assert finding.severity == "blocker"
        assert finding.title.startswith("The gateway on node-1 crashes: The gateway asked public services for its public address")
        assert "--air-gapped" in finding.remedy.text
        assert "17 restarts" in " ".join(entry.note for entry in finding.evidence)
        assert any("could not determine public IP" in value for value in values(finding))

    def test_one_finding_alone_is_blocker_or_error(self):
        severe = [finding.id for finding in judged(down(PUBLIC_IP)).findings if finding.severity in ("error", "blocker") and finding.verdict == "fail"]
        assert severe == [NOT_READY]

    def test_wrong_cidr(self):
        finding = expect_fail(down(CNI, base=broken()), NOT_READY)
        assert (finding.severity, finding.caused_by) == ("warning", "cluster-1/submariner-cidr-wrong")

    def test_right_cidr_and_no_interface(self):
        finding = expect_fail(down(CNI), NOT_READY)
        assert (finding.severity, finding.caused_by) == ("blocker", "")

    def test_unknown_key(self):
        bad = ok(node()._replace(labels={"submariner.io/gateway": "true"}, annotations={"gateway.submariner.io/udpport": "4501"}))
        snapshot = down(UNKNOWN_KEY, nodes=bad)
        assert expect_fail(snapshot, NOT_READY).caused_by == "cluster-1/gateway-node-key-unknown"
        assert [finding.id for finding in judged(snapshot).findings if finding.severity == "blocker"] == ["gateway-node-key-unknown"]

    def test_image(self):
        waiting = status(waiting_reason="ImagePullBackOff", waiting_message='Back-off pulling image "quay.example/x:1"')
        snapshot = down(statuses=[waiting])
        assert expect_fail(snapshot, NOT_READY).caused_by == "cluster-1/image-pull-failed"
        assert [finding.id for finding in judged(snapshot).findings if finding.severity == "blocker"] == ["image-pull-failed"]

    def test_crash_of_an_unknown_kind_tells_the_exit_code_and_the_last_words(self):
        finding = expect_fail(down("first", "panic: runtime error"), NOT_READY)
        assert finding.title == "The gateway on node-1 crashes with exit code 1"
        assert "panic: runtime error" in values(finding)

    def test_out_of_memory(self):
        killed = status(waiting_reason="CrashLoopBackOff", exit_code=137, exit_reason="OOMKilled", finished_at="2026-01-01T10:00:00Z")
        assert "more memory than its limit" in expect_fail(down(statuses=[killed]), NOT_READY).title

    def test_not_placed(self):
        pending = down(statuses=[])
        pods = tuple(
            pod._replace(restarts=0, node="", conditions=(Condition("PodScheduled", "False", "Unschedulable", "0/3 nodes are available"),))
            if pod.ref.name.startswith(GATEWAY)
            else pod
            for pod in pending.pods.items
        )
        finding = expect_fail(type(pending)(**{**vars(pending), "pods": ok(*pods)}), NOT_READY)
        assert "has no node" in finding.title and "Unschedulable" in values(finding)

    def test_a_standby_that_crashes_is_an_error(self):
        base = down(PUBLIC_IP, gateways=[gateway(connection("cluster-2"))])
        sets = ok(*(item for item in base.daemon_sets.items if item.ref.name != GATEWAY), daemon_set(GATEWAY, "", "", desired=2, ready=1))
        finding = expect_fail(type(base)(**{**vars(base), "daemon_sets": sets}), NOT_READY)
        assert finding.severity == "error"

    def test_none_active(self):
        assert expect_fail(cluster(gateways=ok(gateway(ha_status="passive"))), NOT_READY).title == "No gateway is active"
        assert expect_fail(cluster(gateways=ok()), NOT_READY).title == "No gateway has ever reported"

    def test_failure_of_the_active_one(self):
        finding = expect_fail(cluster(gateways=ok(gateway(connection("cluster-2"), failure="cable engine stopped"))), NOT_READY)
        assert (values(finding), finding.severity) == (["cable engine stopped"], "error")

    @pytest.mark.parametrize("field", ["gateways", "daemon_sets", "pods"])
    def test_unknown(self, field):
        expect_unknown(cluster(**{field: answer(FORBIDDEN)}), NOT_READY)


def gateway_node(name="node-1", ready=True, **fields):
    message = "" if ready else "Kubelet stopped posting node status."
    condition = Condition("Ready", "True" if ready else "Unknown", message=message, since="2026-01-01T09:00:00Z")
    made = node(name)._replace(labels={"submariner.io/gateway": "true"}, conditions=(condition,), ready=True if ready else None)
    return made._replace(**fields)


class TestNodeKey:
    ID = "gateway-node-key-unknown"
    BAD = {"gateway.submariner.io/udpport": "4501"}

    def test_passes(self):
        expect_pass(cluster(), self.ID)
        expect_pass(cluster(nodes=ok(gateway_node(annotations={"gateway.submariner.io/udp-port": "4501"}))), self.ID)

    def test_the_only_gateway(self):
        finding = expect_fail(cluster(nodes=ok(gateway_node(annotations=self.BAD))), self.ID)
        assert finding.severity == "blocker"
        assert finding.remedy.text == "kubectl annotate node node-1 gateway.submariner.io/udpport-"

    def test_one_of_two_gateways(self):
        assert expect_fail(cluster(nodes=ok(gateway_node(annotations=self.BAD), gateway_node("node-2"))), self.ID).severity == "error"

    def test_a_node_that_is_no_gateway(self):
        assert expect_fail(cluster(nodes=ok(gateway_node(), node("node-2")._replace(labels=self.BAD))), self.ID).severity == "warning"

    def test_the_same_key_on_many_nodes_is_one_finding(self):
        many = [node(f"node-{number}")._replace(labels=self.BAD) for number in range(50)]
        finding = expect_fail(cluster(nodes=ok(*many)), self.ID)
        assert "and 47 more" in finding.title and len(finding.evidence) == 4

    def test_a_value_that_is_no_port(self):
        finding = expect_fail(cluster(nodes=ok(gateway_node(annotations={"gateway.submariner.io/udp-port": "many"}))), self.ID)
        assert (finding.severity, "not a port number" in finding.title) == ("warning", True)

    def test_unknown(self):
        expect_unknown(cluster(nodes=answer(FORBIDDEN)), self.ID)


class TestNodeUnfit:
    ID = "gateway-node-unfit"

    def test_passes(self):
        expect_pass(cluster(), self.ID)

    def test_the_only_one_is_down(self):
        finding = expect_fail(cluster(nodes=ok(gateway_node(ready=False))), self.ID)
        assert (finding.severity, finding.evidence[0].value) == ("blocker", "Unknown")

    def test_its_pod_follows(self):
        snapshot = down(nodes=ok(gateway_node(ready=False)), statuses=[])
        assert expect_fail(snapshot, NOT_READY).caused_by == "cluster-1/gateway-node-unfit"

    def test_one_of_two_is_down(self):
        assert expect_fail(cluster(nodes=ok(gateway_node(ready=False), gateway_node("node-2"))), self.ID).severity == "error"

    def test_cordoned(self):
        assert expect_fail(cluster(nodes=ok(gateway_node(unschedulable=True))), self.ID).severity == "warning"

    def test_unknown(self):
        expect_unknown(cluster(nodes=answer(FORBIDDEN)), self.ID)


class TestStandby:
    ID = "gateway-no-standby"

    def test_passes(self):
        expect_pass(cluster(nodes=ok(gateway_node(), gateway_node("node-2"))), self.ID)

    def test_not_asked_of_one_node(self):
        expect_not_asked(cluster(), self.ID)

    def test_fails(self):
        assert expect_fail(cluster(nodes=ok(gateway_node(), node("node-2"))), self.ID).severity == "info"

    def test_unknown(self):
        expect_unknown(cluster(nodes=answer(FORBIDDEN)), self.ID)


class TestSeveralActive:
    ID = "gateway-several-active"
    FRESH, OLD = "2025-12-31T23:59:55Z", "2025-12-31T20:00:00Z"

    def two(self, first, second):
        return cluster(gateways=ok(gateway(connection("cluster-2"), updated_at=first), gateway(connection("cluster-2"), node="node-2", updated_at=second)))

    def test_passes(self):
        expect_pass(cluster(), self.ID)
        expect_pass(self.two(self.FRESH, self.OLD), self.ID)

    def test_fails(self):
        assert expect_fail(self.two(self.FRESH, self.FRESH), self.ID).title == "2 gateways are active at once: node-1, node-2"

    def test_the_gateways_are_compared_with_each_other_not_with_our_clock(self):
        expect_fail(self.two("2025-12-31T20:00:00Z", "2025-12-31T20:00:05Z"), self.ID)

    def test_unknown(self):
        expect_unknown(cluster(gateways=answer(TIMED_OUT)), self.ID)


class TestRecordOld:
    ID = "gateway-record-old"

    def test_passes(self):
        expect_pass(cluster(), self.ID)
        expect_pass(cluster(gateways=ok(gateway(connection("cluster-2"), updated_at="2025-12-31T23:59:50Z"))), self.ID)

    def test_fails(self):
        finding = expect_fail(cluster(gateways=ok(gateway(connection("cluster-2"), updated_at="2025-12-31T21:00:00Z"))), self.ID)
        assert finding.title == "The gateway node-1 has not reported for 3 h"
        assert finding.caused_by == ""

    def test_follows_from_a_pod_that_is_not_ready(self):
        base = cluster()
        sets = ok(*(item for item in base.daemon_sets.items if item.ref.name != GATEWAY), daemon_set(GATEWAY, "", "", desired=2, ready=1))
        old = ok(gateway(connection("cluster-2"), updated_at="2025-12-31T21:00:00Z"))
        assert expect_fail(cluster(daemon_sets=sets, gateways=old), self.ID).caused_by == f"cluster-1/{NOT_READY}"

    def test_what_an_old_record_says_is_not_known(self):
        old = cluster(gateways=ok(gateway(connection("cluster-2"), updated_at="2025-12-31T21:00:00Z")))
        assert "was active at 2025-12-31T21:00:00Z" in expect_unknown(old, NOT_READY).missing
        assert "not reported since" in expect_unknown(old, "connection-slow").missing

    def test_unknown(self):
        expect_unknown(cluster(gateways=answer(FORBIDDEN)), self.ID)


def test_a_pod_of_another_namespace_is_not_ours():
    stranger = agent(GATEWAY, "", "", ready=False)._replace(ref=Ref("Pod", "submariner-gateway-x", "elsewhere"))
    expect_pass(cluster(pods=ok(*cluster().pods.items, stranger)), NOT_READY)
