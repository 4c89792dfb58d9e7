# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of the broker and of Globalnet: pass, fail and unknown of each."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._checks._card import unreadable_card
from ansible_collections.fathom.submariner.plugins.module_utils._checks._engine import judge_clusterset
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import (
    FORBIDDEN,
    NOT_READ,
    NOT_SERVED,
    TIMED_OUT,
    Broker,
    Condition,
    GlobalEgressIP,
    PodLog,
    Ref,
    SubmarinerCluster,
)
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import (
    NAMESPACE,
    answer,
    cluster,
    connection,
    daemon_set,
    endpoint,
    gateway,
    judged,
    ok,
    only,
    set_judged,
    submariner,
    values,
)
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.expectations import (
    expect_fail,
    expect_not_asked,
    expect_pass,
    expect_unknown,
)

BROKER = "submariner-k8s-broker"
HERE = ok(Broker(Ref("Broker", "submariner-broker", BROKER), ("connectivity",), False, ""))
OWN = endpoint("cluster-1", "10.45.0.0/16", "10.46.0.0/16")
PEER = endpoint("cluster-2", "10.43.0.0/16", "10.42.0.0/16")


def at_broker(*endpoints):
    return [entry._replace(ref=entry.ref._replace(namespace=BROKER)) for entry in endpoints]


def told_broker(server="broker.example:6443"):
    return submariner("cluster-1", brokerK8sApiServer=server)


class TestUnreachable:
    ID = "broker-unreachable"
    LINE = 'E1 reflector.go:147 Failed to watch: Get "https://broker.example:6443/apis/submariner.io/v1/namespaces/submariner-k8s-broker/endpoints": '

    def read(self, *lines, name="submariner-gateway-abcde", previous=False, namespace=NAMESPACE):
        return cluster(joined=told_broker(), logs=ok(PodLog(Ref("Pod", name, namespace), "main", "\n".join(lines), previous=previous)))

    def test_passes(self):
        expect_pass(self.read("all is well"), self.ID)
        expect_pass(self.read("dial tcp 10.9.9.9:443: i/o timeout"), self.ID)

    @pytest.mark.parametrize(
        ("error", "why"),
        [
            ("dial tcp 192.0.2.7:6443: i/o timeout", "packets to it are dropped"),
            ("x509: certificate signed by unknown authority", "its certificate is not trusted"),
            ("Unauthorized", "the token of this cluster is not accepted"),
            ("dial tcp: lookup broker.example: no such host", "its name does not resolve"),
        ],
    )
    def test_fails(self, error, why):
        finding = expect_fail(self.read("start", self.LINE + error), self.ID)
        assert finding.title == f"The broker broker.example:6443 is not reached: {why}"
        assert finding.evidence[0].value.endswith(error[-20:]) and len(finding.evidence[0].value) <= 200

    def test_what_was_cured_since_does_not_count(self):
        expect_pass(self.read(self.LINE + "i/o timeout", *["fine"] * 60), self.ID)
        expect_pass(self.read(self.LINE + "i/o timeout", previous=True), self.ID)
        expect_pass(self.read(self.LINE + "i/o timeout", namespace="shop"), self.ID)

    def test_not_asked_without_a_broker(self):
        expect_not_asked(cluster(), self.ID)

    def test_unknown(self):
        expect_unknown(cluster(joined=told_broker(), logs=answer(FORBIDDEN)), self.ID)


class TestStaleRecords:
    ID = "broker-stale-records"
    FORMER = endpoint("former", "10.45.0.0/16", "10.46.0.0/16")._replace(hostname="host-cluster-1", created="2025-01-01T00:00:00Z")

    def test_passes(self):
        expect_pass(cluster(), self.ID)
        expect_pass(cluster(brokers=HERE, endpoints=ok(OWN, PEER, *at_broker(OWN, PEER))), self.ID)

    def test_joined_again_under_another_id(self):
        finding = expect_fail(cluster(endpoints=ok(OWN, PEER, self.FORMER)), self.ID)
        assert finding.severity == "error"
        assert "former and cluster-1 are both on gateway host-cluster-1" in finding.title
        assert "clusters.submariner.io former" in finding.remedy.text

    def test_on_the_broker_too_it_is_one_error(self):
        snapshot = cluster(brokers=HERE, endpoints=ok(OWN, PEER, self.FORMER, *at_broker(OWN, PEER, self.FORMER)))
        assert sorted(finding.severity for finding in judged(snapshot, self.ID).findings) == ["error", "warning"]

    def test_a_gateway_that_is_gone(self):
        old = PEER._replace(ref=PEER.ref._replace(name="cluster-2-old"), hostname="host-old", created="2025-01-01T00:00:00Z")
        assert expect_fail(cluster(endpoints=ok(OWN, PEER._replace(created="2026-01-01T00:00:00Z"), old)), self.ID).severity == "warning"

    def test_unknown(self):
        expect_unknown(cluster(endpoints=answer(TIMED_OUT)), self.ID)
        expect_unknown(cluster(brokers=answer(NOT_READ)), self.ID)


class TestOutOfSync:
    ID = "broker-out-of-sync"

    def test_passes(self):
        expect_pass(cluster(), self.ID)
        expect_pass(cluster(brokers=HERE, endpoints=ok(OWN, PEER, *at_broker(OWN, PEER))), self.ID)

    @pytest.mark.parametrize(
        ("there", "words"),
        [
            ([PEER], "The Endpoint of cluster-1 is not on the broker"),
            ([OWN], "The Endpoint of cluster-2 is not on the broker"),
            ([OWN, PEER, endpoint("cluster-3", "10.9.0.0/16")], "The Endpoint of cluster-3 has not come from the broker"),
            ([OWN._replace(subnets=("10.45.0.0/16", "10.46.0.0/24")), PEER], "and 10.45.0.0/16, 10.46.0.0/24 on the broker"),
        ],
    )
    def test_fails(self, there, words):
        assert words in expect_fail(cluster(brokers=HERE, endpoints=ok(OWN, PEER, *at_broker(*there))), self.ID).title

    def test_a_broker_that_was_never_used_is_a_warning(self):
        assert {finding.severity for finding in judged(cluster(brokers=HERE), self.ID).findings} == {"warning"}

    def test_without_a_gateway_it_follows(self):
        finding = expect_fail(cluster(brokers=HERE, gateways=ok(), endpoints=ok(PEER, *at_broker(OWN, PEER))), self.ID)
        assert (finding.severity, finding.caused_by) == ("warning", "cluster-1/gateway-not-ready")

    def test_unknown(self):
        expect_unknown(cluster(brokers=answer(FORBIDDEN)), self.ID)


class TestIdTaken:
    ID = "cluster-id-taken"

    def test_passes(self):
        expect_pass(cluster(), self.ID)

    def test_another_cluster(self):
        foreign = endpoint("cluster-1", "10.9.0.0/16", "10.8.0.0/16")._replace(hostname="elsewhere", private_ip="192.0.2.9")
        finding = expect_fail(cluster(endpoints=ok(foreign, PEER)), self.ID)
        assert finding.severity == "blocker" and "of elsewhere, which is no node of this cluster" in finding.title

    def test_a_node_that_is_gone(self):
        gone = OWN._replace(ref=OWN.ref._replace(name="old"), hostname="node-0", private_ip="192.168.0.99")
        assert expect_fail(cluster(endpoints=ok(OWN, gone, PEER)), self.ID).severity == "error"

    def test_unknown(self):
        expect_unknown(cluster(nodes=answer(FORBIDDEN)), self.ID)


class TestDeadMember:
    ID = "clusterset-dead-member"

    def run(self, **changes):
        return set_judged([cluster("cluster-1", **changes), cluster("cluster-2")], self.ID)

    def test_passes(self):
        assert self.run().passed == (self.ID,)

    def test_a_member_outside_the_inventory_that_lives(self):
        third = {"endpoints": ok(OWN, PEER, endpoint("cluster-3")), "gateways": ok(gateway(connection("cluster-2"), connection("cluster-3")))}
        assert self.run(**third).passed == (self.ID,)

    def test_fails(self):
        third = {"endpoints": ok(OWN, PEER, endpoint("cluster-3")), "gateways": ok(gateway(connection("cluster-2"), connection("cluster-3", "error")))}
        (finding,) = self.run(**third).findings
        assert (finding.severity, finding.title) == ("warning", "Nobody is connected to cluster-3, and no diagnosed cluster has that id")

    def test_unknown(self):
        (finding,) = self.run(endpoints=answer(FORBIDDEN)).findings
        assert finding.verdict == "unknown"


def with_globalnet(cidr="242.1.0.0/16", **changes):
    egress = GlobalEgressIP(Ref("ClusterGlobalEgressIP", "cluster-egress.submariner.io"), ("242.1.0.1",), (Condition("Allocated", "True"),))
    base = cluster()
    fields = {
        "joined": submariner("cluster-1", globalCIDR=cidr),
        "global_egress_ips": ok(egress),
        "daemon_sets": ok(*base.daemon_sets.items, daemon_set("submariner-globalnet")),
    }
    return cluster(**{**fields, **changes})


class TestRange:
    ID = "globalnet-range-clash"

    def test_passes(self):
        expect_pass(with_globalnet("172.30.0.0/16"), self.ID)

    @pytest.mark.parametrize(("cidr", "value"), [("10.46.128.0/17", "10.46.0.0/16"), ("240.5.0.0/16", "240.0.0.0/8"), ("192.168.0.0/24", "192.168.0.1")])
    def test_clash(self, cidr, value):
        finding = expect_fail(with_globalnet(cidr), self.ID)
        assert finding.severity == "error" and value in values(finding)

    def test_clash_of_another_cluster(self):
        peer = SubmarinerCluster(Ref("Cluster", "cluster-2", NAMESPACE), "cluster-2", (), (), ("10.45.0.0/24",))
        finding = expect_fail(with_globalnet("172.30.0.0/16", submariner_clusters=ok(peer)), self.ID)
        assert finding.subject == "Cluster submariner-operator/cluster-2"

    def test_nodes_in_the_range_of_another_cluster_are_told_for_the_set(self):
        peer = SubmarinerCluster(Ref("Cluster", "cluster-2", NAMESPACE), "cluster-2", (), (), ("192.168.0.0/24",))
        finding = expect_fail(with_globalnet("172.30.0.0/16", submariner_clusters=ok(peer)), self.ID)
        assert (finding.severity, finding.caused_by) == ("warning", "clusterset/clusterset-node-network-overlap")

    def test_the_default_range_with_calico(self):
        assert expect_fail(with_globalnet(), self.ID).severity == "warning"

    def test_not_asked(self):
        expect_not_asked(cluster(), self.ID)

    def test_unknown(self):
        expect_unknown(with_globalnet(ip_pools=answer(FORBIDDEN)), self.ID)


class TestAddresses:
    ID = "globalnet-addresses-missing"

    def test_passes(self):
        expect_pass(with_globalnet(), self.ID)

    def test_globalnet_does_not_run(self):
        assert "Globalnet does not run" in expect_fail(with_globalnet(daemon_sets=ok()), self.ID).title

    @pytest.mark.parametrize("found", [ok(), answer(NOT_SERVED)])
    def test_none(self, found):
        assert expect_fail(with_globalnet(global_egress_ips=found), self.ID).title == "The cluster has no global egress address"

    def test_not_allocated(self):
        failed = GlobalEgressIP(
            Ref("ClusterGlobalEgressIP", "cluster-egress.submariner.io"), (), (Condition("Allocated", "False", "IPPoolAllocationFailed", "no room"),)
        )
        finding = expect_fail(with_globalnet(global_egress_ips=ok(failed)), self.ID)
        assert finding.title.endswith("IPPoolAllocationFailed") and finding.evidence[0].note == "no room"

    def test_unknown(self):
        expect_unknown(with_globalnet(global_egress_ips=answer(FORBIDDEN)), self.ID)


class TestMixed:
    ID = "globalnet-mixed"

    def test_passes(self):
        assert set_judged([cluster("cluster-1"), cluster("cluster-2")], self.ID).passed == (self.ID,)

    def test_fails(self):
        (finding,) = set_judged([with_globalnet(), cluster("cluster-2")], self.ID).findings
        assert (finding.severity, finding.title) == ("error", "cluster-1 use Globalnet, and cluster-2 do not")

    def test_a_candidate_is_no_member(self):
        assert set_judged([with_globalnet(), cluster("cluster-2", joined=False)], self.ID).passed == (self.ID,)

    def test_unknown(self):
        (finding,) = judge_clusterset([unreadable_card("cluster-2", "refused")], only(self.ID)).findings
        assert finding.verdict == "unknown"
