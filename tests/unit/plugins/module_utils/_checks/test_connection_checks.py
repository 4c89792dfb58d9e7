# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of connections: pass, fail and unknown of each."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._checks._connections import milliseconds
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import FORBIDDEN, NOT_READ
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import (
    answer,
    broken,
    cluster,
    connection,
    endpoint,
    gateway,
    judged,
    ok,
    set_judged,
    submariner,
)
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.expectations import (
    expect_fail,
    expect_not_asked,
    expect_pass,
    expect_unknown,
)

PING = "Failed to successfully ping the remote endpoint IP 10.42.97.64"


class TestConnections:
    ID = "connection-not-connected"

    def test_passes(self):
        expect_pass(cluster(), self.ID)

    def test_pings_are_lost(self):
        finding = expect_fail(cluster(gateways=ok(gateway(connection("cluster-2", "error", PING)))), self.ID)
        assert finding.evidence[0].note == PING
        assert (finding.severity, finding.caused_by) == ("error", "")
        assert "compare the CIDRs of both clusters" in finding.remedy.text

    def test_pings_are_lost_since_the_cidr_is_wrong(self):
        finding = expect_fail(broken(gateways=ok(gateway(connection("cluster-2", "error", PING), version="0.17.3"))), self.ID)
        assert (finding.severity, finding.caused_by) == ("warning", "cluster-1/submariner-cidr-wrong")

    def test_connecting(self):
        finding = expect_fail(cluster(gateways=ok(gateway(connection("cluster-2", "connecting")))), self.ID)
        assert "UDP 4500" in finding.remedy.text

    def test_no_connection_at_all(self):
        assert "has no connection to cluster-2" in expect_fail(cluster(gateways=ok(gateway())), self.ID).title

    def test_no_connection_since_they_overlap(self):
        finding = expect_fail(cluster(gateways=ok(gateway()), remote=("10.45.0.0/16", "10.42.0.0/16")), self.ID)
        assert finding.title.endswith("their subnets overlap")
        assert "10.45.0.0/16 and 10.45.0.0/16" in [entry.value for entry in finding.evidence]

    def test_a_dead_record_is_the_cause(self):
        former = endpoint("former", "10.45.0.0/16", "10.46.0.0/16")._replace(hostname="host-cluster-1")
        snapshot = cluster(endpoints=ok(*cluster().endpoints.items, former), gateways=ok(gateway(connection("cluster-2"), connection("former", "error"))))
        assert expect_fail(snapshot, self.ID).caused_by == "cluster-1/broker-stale-records"
        assert [finding.id for finding in judged(snapshot, self.ID, "broker-stale-records").findings if finding.severity == "error"] == ["broker-stale-records"]

    def test_one_of_two_gateways_is_enough(self):
        expect_pass(cluster(gateways=ok(gateway(connection("cluster-2", "connecting"), connection("cluster-2")))), self.ID)

    def test_hostile_message(self):
        finding = expect_fail(cluster(gateways=ok(gateway(connection("cluster-2", "error", "\x1b[2J<b>{{ x }}</b>\x00" + "y" * 999)))), self.ID)
        assert "\x1b" not in finding.title and "<b>{{ x }}</b>" in finding.title and len(finding.evidence[0].note) == 200

    def test_unknown(self):
        expect_unknown(cluster(gateways=ok(gateway(ha_status="passive"))), self.ID)
        expect_unknown(cluster(gateways=answer(NOT_READ)), self.ID)


class TestSlow:
    ID = "connection-slow"

    def measured(self, average):
        return cluster(gateways=ok(gateway(connection("cluster-2")._replace(latency_average=average))))

    def test_passes(self):
        expect_pass(self.measured("249ms"), self.ID)
        expect_pass(self.measured(""), self.ID)

    def test_fails(self):
        finding = expect_fail(self.measured("1.25s"), self.ID)
        assert (finding.severity, finding.title) == ("info", "A round trip from node-1 to cluster-2 takes 1250 ms")

    def test_unknown(self):
        expect_unknown(cluster(gateways=answer(FORBIDDEN)), self.ID)

    @pytest.mark.parametrize(
        ("text", "value"), [("1.5ms", 1.5), ("250µs", 0.25), ("1m2.5s", 62500.0), ("0s", 0.0), ("1h", 3_600_000.0), ("", None), ("fast", None), ("5", None)]
    )
    def test_durations_of_go(self, text, value):
        assert milliseconds(text) == (value if value is None else pytest.approx(value))


class TestHealthCheck:
    ID = "health-check-off"

    def test_passes(self):
        expect_pass(cluster(), self.ID)

    def test_fails(self):
        assert expect_fail(cluster(joined=submariner("cluster-1", health_check=False)), self.ID).severity == "info"

    def test_with_a_wrong_cidr_it_is_told_there(self):
        expect_not_asked(broken(), self.ID)

    def test_unknown(self):
        expect_unknown(cluster(submariners=answer(FORBIDDEN)), self.ID)


class TestBothSides:
    ID = "clusterset-connection-one-sided"

    def run(self, *theirs, **changes):
        return set_judged([cluster("cluster-1"), cluster("cluster-2", **{"gateways": ok(gateway(*theirs)), **changes})], self.ID)

    def test_passes(self):
        assert self.run(connection("cluster-1")).passed == (self.ID,)

    @pytest.mark.parametrize(("theirs", "said"), [([connection("cluster-1", "error", "lost")], "which says error"), ([], "which says that there is none")])
    def test_fails(self, theirs, said):
        (finding,) = self.run(*theirs).findings
        assert finding.title.endswith(said)
        assert (finding.cluster, finding.severity, finding.caused_by) == ("cluster-2", "warning", "cluster-2/connection-not-connected")

    def test_the_other_has_no_gateway(self):
        (finding,) = self.run(gateways=ok()).findings
        assert finding.caused_by == "cluster-2/gateway-not-ready"

    def test_clusters_that_do_not_know_each_other(self):
        alone = set_judged([cluster("cluster-1"), cluster("cluster-2", endpoints=ok(endpoint("cluster-2")), gateways=ok(gateway()))], self.ID)
        assert alone.passed == (self.ID,)

    def test_unknown(self):
        (finding,) = self.run(gateways=answer(FORBIDDEN)).findings
        assert (finding.verdict, finding.cluster) == ("unknown", "cluster-2")
