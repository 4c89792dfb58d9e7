# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of Submariner's own health: pass, fail and unknown of each."""

from __future__ import annotations

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import FORBIDDEN, NOT_READ, TIMED_OUT
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import (
    agent,
    answer,
    cluster,
    connection,
    daemon_set,
    gateway,
    ok,
    values,
    without,
)
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.expectations import expect_fail, expect_pass, expect_unknown


class TestGateway:
    def test_passes(self):
        expect_pass(cluster(), "gateway-not-ready")

    def test_no_node_is_labelled(self):
        assert (
            expect_fail(cluster(daemon_sets=ok(daemon_set("submariner-gateway", desired=0, ready=0))), "gateway-not-ready").title
            == "No node is labelled as a gateway"
        )

    def test_crash_loop(self):
        crashing = agent("submariner-gateway", "10.46.0.0/16", "10.45.0.0/16", ready=False, restarts=17)
        snapshot = without(cluster(), "pods", "submariner-gateway-abcde")
        snapshot = cluster(pods=ok(*snapshot.pods.items, crashing), daemon_sets=ok(daemon_set("submariner-gateway", ready=0)))
        finding = expect_fail(snapshot, "gateway-not-ready")
        assert "17 restarts" in finding.evidence[1].note

    def test_none_active(self):
        assert expect_fail(cluster(gateways=ok(gateway(ha_status="passive"))), "gateway-not-ready").title == "No gateway is active"
        assert expect_fail(cluster(gateways=ok()), "gateway-not-ready").title == "No gateway has ever reported"

    def test_failure_of_the_active_one(self):
        assert values(expect_fail(cluster(gateways=ok(gateway(connection("cluster-2"), failure="cable engine stopped"))), "gateway-not-ready")) == [
            "cable engine stopped"
        ]

    def test_unknown(self):
        expect_unknown(cluster(gateways=answer(FORBIDDEN)), "gateway-not-ready")


class TestRouteAgent:
    def test_passes(self):
        expect_pass(cluster(), "route-agent-not-ready")

    def test_fails(self):
        finding = expect_fail(cluster(daemon_sets=ok(daemon_set("submariner-routeagent", desired=3, ready=2))), "route-agent-not-ready")
        assert finding.title == "The route agent is ready on 2 of 3 nodes"

    def test_unknown(self):
        expect_unknown(cluster(daemon_sets=answer(TIMED_OUT)), "route-agent-not-ready")
        expect_unknown(cluster(daemon_sets=ok()), "route-agent-not-ready")


class TestLeftovers:
    LEFT = daemon_set("submariner-gateway-uninstall")

    def test_passes(self):
        expect_pass(cluster(), "uninstall-left-running")

    def test_fails_also_where_submariner_is_gone(self):
        for found in (cluster(daemon_sets=ok(self.LEFT)), cluster(daemon_sets=ok(self.LEFT), submariners=ok())):
            finding = expect_fail(found, "uninstall-left-running")
            assert finding.subject.endswith("submariner-gateway-uninstall")
            assert "delete daemonset submariner-gateway-uninstall" in finding.remedy.text

    def test_passes_while_a_removal_is_going_on(self):
        going = cluster()
        going = cluster(daemon_sets=ok(self.LEFT), submariners=ok(going.submariner._replace(deleting=True)))
        expect_pass(going, "uninstall-left-running")

    def test_unknown(self):
        expect_unknown(cluster(daemon_sets=answer(TIMED_OUT)), "uninstall-left-running")


class TestConnections:
    def test_passes(self):
        expect_pass(cluster(), "connection-not-connected")

    def test_error(self):
        finding = expect_fail(cluster(gateways=ok(gateway(connection("cluster-2", "error", "Failed to successfully ping")))), "connection-not-connected")
        assert finding.evidence[0].note == "Failed to successfully ping"

    def test_no_connection_at_all(self):
        assert "has no connection to cluster-2" in expect_fail(cluster(gateways=ok(gateway())), "connection-not-connected").title

    def test_one_of_two_gateways_is_enough(self):
        expect_pass(cluster(gateways=ok(gateway(connection("cluster-2", "connecting"), connection("cluster-2")))), "connection-not-connected")

    def test_unknown(self):
        expect_unknown(cluster(gateways=ok(gateway(ha_status="passive"))), "connection-not-connected")
        expect_unknown(cluster(gateways=answer(NOT_READ)), "connection-not-connected")
