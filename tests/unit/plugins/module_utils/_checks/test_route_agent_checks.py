# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of route agents: pass, fail and unknown of each."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import (
    FORBIDDEN,
    NOT_READ,
    NOT_SERVED,
    TIMED_OUT,
    Ref,
    RemoteEndpoint,
    RouteAgent,
)
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks import reboots
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import (
    NAMESPACE,
    agent,
    answer,
    cluster,
    connection,
    daemon_set,
    gateway,
    judged,
    node,
    ok,
    submariner,
    values,
    without,
)
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.expectations import (
    expect_fail,
    expect_not_asked,
    expect_pass,
    expect_unknown,
)
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.reboots import rebooted

BLIND = "route-agent-blind"


class TestBlind:
    def test_passes(self):
        expect_pass(cluster(), BLIND)
        expect_pass(rebooted(lines=[reboots.STARTED, *reboots.waits(3), "2026-01-01T10:00:20Z INF done"]), BLIND)

    @pytest.mark.parametrize(
        ("version", "lines", "words"),
        [
            ("0.18.0", [reboots.STARTED, reboots.GAVE_UP], "Submariner 0.18.1 and newer wait 128 s"),
            ("0.16.3", [reboots.STARTED, reboots.GAVE_UP], "Submariner 0.17.3 and newer wait 128 s"),
            ("0.19.0", [reboots.STARTED, *reboots.waits(), reboots.GAVE_UP], "This version waits 128 s already"),
        ],
    )
    def test_gave_up(self, version, lines, words):
        finding = expect_fail(rebooted(version=version, lines=lines), BLIND)
        assert (finding.remedy.role, finding.remedy.disruptive) == ("fathom.submariner.route_agent", True)  # its node has the active gateway
        assert (finding.severity, finding.caused_by) == ("error", "")
        assert "node-1 is Ready but blind" in finding.title
        assert words in finding.remedy.text and "delete pod submariner-routeagent-abcde" in finding.remedy.text
        notes = [entry.note for entry in finding.evidence]
        assert notes.index("the node became Ready") < notes.index("the route agent started") < notes.index("calico-node became ready")
        assert any("unable to find CNI Interface" in value for value in values(finding))
        assert any("ip route show table 150" in note for note in notes)

    def test_the_missing_annotation_is_evidence_on_old_versions_alone(self):
        old = expect_fail(rebooted(version="0.16.3", lines=[reboots.GAVE_UP]), BLIND)
        new = expect_fail(rebooted(version="0.18.0", lines=[reboots.GAVE_UP]), BLIND)
        assert ["cniIfaceIp" in str(finding.evidence) for finding in (old, new)] == [True, False]

    def test_a_wrong_cidr_looks_alike_and_is_another_matter(self):
        snapshot = rebooted(version="0.17.2", said="10.46.0.0/24", lines=[reboots.WRONG_CIDR])
        finding = expect_fail(snapshot, BLIND)
        assert (finding.severity, finding.caused_by) == ("warning", "cluster-1/submariner-cidr-wrong")
        assert "submariner-cidr-wrong" in {entry.id for entry in judged(snapshot).findings}

    def test_still_waiting(self):
        finding = expect_fail(rebooted(lines=[reboots.STARTED, *reboots.waits(2)]), BLIND)
        assert finding.severity == "warning" and "still waiting" in finding.title

    def test_order_and_what_the_agent_reports_are_enough_without_its_log(self):
        finding = expect_fail(rebooted(version="0.18.0", logs=answer(FORBIDDEN), failing=True), BLIND)
        assert finding.severity == "error"
        assert "no answer" in [entry.note for entry in finding.evidence]

    def test_order_alone_is_unknown(self):
        finding = expect_unknown(rebooted(version="0.18.0", logs=answer(FORBIDDEN)), BLIND)
        assert "calico-node became ready 35 s after" in finding.missing and "table 150" in finding.missing
        assert "the node became Ready" in [entry.note for entry in finding.evidence]

    def test_unknown(self):
        expect_unknown(rebooted(logs=answer(NOT_READ)), BLIND)
        expect_unknown(cluster(pods=answer(TIMED_OUT)), BLIND)
        expect_unknown(cluster(nodes=answer(FORBIDDEN)), BLIND)

    def test_hostile_log_text_stays_text(self):
        line = f"{reboots.GAVE_UP} \x1b[31m<script>{{{{ lookup('pipe','id') }}}}</script>\x00" + "x" * 900
        finding = expect_fail(rebooted(lines=[line]), BLIND)
        assert all(len(value) <= 200 and "\x1b" not in value and "\x00" not in value for value in values(finding))


def reports(node_name, status="error", cluster_id="cluster-2"):
    remote = RemoteEndpoint(cluster_id, f"host-{cluster_id}", (), "10.42.0.1", status, "pings are lost" if status == "error" else "")
    return RouteAgent(Ref("RouteAgent", node_name, NAMESPACE), "v0.19.0", "", (remote,))


class TestConnection:
    ID = "route-agent-connection"

    def test_passes(self):
        expect_pass(cluster(), self.ID)
        expect_pass(cluster(route_agents=ok(reports("node-1", "none"), reports("node-2", "connected"))), self.ID)

    def test_some_nodes_fail(self):
        finding = expect_fail(cluster(route_agents=ok(reports("node-1", "none"), reports("node-2"), reports("node-3", "connected"))), self.ID)
        assert finding.title == "1 of 2 route agents cannot reach cluster-2: node-2"
        assert (finding.severity, finding.caused_by) == ("error", "")

    def test_the_gateway_is_not_connected_either(self):
        finding = expect_fail(cluster(route_agents=ok(reports("node-2")), gateways=ok(gateway(connection("cluster-2", "error")))), self.ID)
        assert (finding.severity, finding.caused_by) == ("warning", "cluster-1/connection-not-connected")

    def test_a_blind_agent_is_the_cause(self):
        snapshot = rebooted(lines=[*reboots.waits(), reboots.GAVE_UP], failing=True)
        assert expect_fail(snapshot, self.ID).caused_by == "cluster-1/route-agent-blind"
        assert [finding.id for finding in judged(snapshot).findings if finding.severity in ("error", "blocker")] == [BLIND]

    def test_older_versions_do_not_report(self):
        expect_not_asked(cluster(route_agents=answer(NOT_SERVED)), self.ID)

    def test_unknown(self):
        expect_unknown(cluster(route_agents=answer(FORBIDDEN)), self.ID)


class TestMissing:
    ID = "route-agent-missing"
    TWO = ok(node("node-1"), node("node-2"))

    def test_passes(self):
        expect_pass(cluster(), self.ID)
        windows = node("node-2")._replace(operating_system="windows")
        expect_pass(cluster(nodes=ok(node("node-1"), windows)), self.ID)

    def test_a_pod_that_is_still_to_come_is_not_missing(self):
        expect_pass(cluster(nodes=self.TWO, daemon_sets=ok(daemon_set("submariner-routeagent", desired=2))), self.ID)

    def test_excluded_node(self):
        narrowed = daemon_set("submariner-routeagent")._replace(node_selector={"role": "edge"})
        finding = expect_fail(cluster(nodes=self.TWO, daemon_sets=ok(narrowed)), self.ID)
        assert finding.title == "node-2 has no route agent"
        assert "role=edge" in values(finding)

    def test_unknown(self):
        expect_unknown(cluster(nodes=answer(FORBIDDEN)), self.ID)


class TestOutdated:
    ID = "workload-outdated"

    def test_passes(self):
        expect_pass(cluster(), self.ID)

    def test_old_image(self):
        old = agent("submariner-routeagent", "10.46.0.0/16", "10.45.0.0/16")
        old = old._replace(containers=(old.containers[0]._replace(image="quay.io/submariner/submariner-route-agent:0.18.0"),))
        kept = without(cluster(), "pods", old.ref.name).pods.items
        finding = expect_fail(cluster(pods=ok(*kept, old)), self.ID)
        assert finding.title == "1 pods of submariner-routeagent still run an older image than their DaemonSet"

    def test_unknown(self):
        expect_unknown(cluster(daemon_sets=answer(TIMED_OUT)), self.ID)


class TestAnnotation:
    ID = "cni-annotation-stale"
    LEFT = ok(node()._replace(annotations={"submariner.io/cniIfaceIp": "10.46.181.192"}))

    def test_passes(self):
        expect_pass(cluster(), self.ID)
        expect_pass(cluster(joined=submariner("cluster-1", version="0.17.3"), nodes=self.LEFT), self.ID)

    def test_fails(self):
        finding = expect_fail(cluster(nodes=self.LEFT), self.ID)
        assert finding.severity == "info" and "10.46.181.192" in values(finding)

    def test_unknown(self):
        expect_unknown(cluster(nodes=answer(FORBIDDEN)), self.ID)
