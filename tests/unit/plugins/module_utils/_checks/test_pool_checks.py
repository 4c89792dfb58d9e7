# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The checks of remote pools: pass, fail and unknown of each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._calico._pool_fields import load_balancer_pools_ignored
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import (
    FORBIDDEN,
    UNAVAILABLE,
    Condition,
    DatastoreMigration,
    Installation,
    PodLog,
    Ref,
    Service,
    SubmarinerCluster,
    TigeraStatus,
)
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._remote_pools import overlapping_pools, pool_owner
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks import methods
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import (
    NAMESPACE,
    answer,
    cluster,
    connection,
    endpoint,
    gateway,
    judged,
    local_pool,
    not_served,
    ok,
    pool,
    remote_pool,
    submariner,
)
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.expectations import expect_fail, expect_not_asked, expect_pass, expect_unknown

SERVICES = remote_pool("cluster-2", "10.43.0.0/16")
PODS = remote_pool("cluster-2", "10.42.0.0/16")
CHECKS = ("remote-pool-missing", "remote-pool-stale", "remote-pool-orphaned", "remote-pool-blocked", "remote-pool-fields")


def with_bgp(**changes):
    bgp = Installation(Ref("Installation", "default"), {}, "", "Calico", "Calico", (), (), "v3.30.3", "Enabled", variant="Calico")
    return {"installations": ok(bgp), "cluster_informations": ok(), **changes}


def log(*lines):
    return ok(PodLog(Ref("Pod", "submariner-routeagent-abcde", NAMESPACE), "submariner-routeagent", "\n".join(lines)))


class TestAll:
    @pytest.mark.parametrize("check_id", CHECKS)
    def test_pass(self, check_id):
        expect_pass(cluster(), check_id)

    @pytest.mark.parametrize("check_id", CHECKS)
    @pytest.mark.parametrize("field", ["ip_pools", "endpoints"])
    def test_unknown(self, check_id, field):
        expect_unknown(cluster(**{field: answer(FORBIDDEN)}), check_id)

    @pytest.mark.parametrize("check_id", CHECKS)
    def test_where_pools_do_not_matter(self, check_id):
        expect_not_asked(cluster(joined=submariner("cluster-1", plugin="generic"), pools=[]), check_id)
        expect_not_asked(cluster(pools=[], installations=ok(methods.installation("EKS", cni="AmazonVPC"))), check_id)


class TestMissing:
    def test_missing(self):
        finding = expect_fail(cluster(pools=[SERVICES]), "remote-pool-missing")
        assert finding.title == "Calico has no IPPool for 10.42.0.0/16 of cluster-2"
        assert finding.severity == "blocker"
        assert "submariner-cluster-2-10.42.0.0-16" in finding.remedy.text

    def test_the_agent_gave_up(self):
        snapshot = cluster(pools=[SERVICES], logs=log("INF start", "ERR Ignoring create event for endpoint cluster-2-cable: retries"))
        assert "Ignoring create event for endpoint" in expect_fail(snapshot, "remote-pool-missing").evidence[-1].value

    def test_hand_made_pool_counts(self):
        expect_pass(cluster(pools=[SERVICES, pool("podwestcluster", "10.42.0.0/16")]), "remote-pool-missing")

    def test_dead_api_is_the_cause(self):
        assert expect_fail(cluster(pools=[], ip_pools_v3=answer(UNAVAILABLE)), "remote-pool-missing").caused_by == "cluster-1/calico-api-unavailable"

    def test_migration_is_the_cause(self):
        moving = ok(DatastoreMigration(Ref("DatastoreMigration", "v1-to-v3"), "Migrating"))
        finding = expect_fail(cluster(pools=[], datastore_migrations=moving), "remote-pool-missing")
        assert (finding.severity, finding.caused_by) == ("warning", "cluster-1/calico-migration-in-flight")


class TestStale:
    def test_that_keeps_the_right_one_out(self):
        snapshot = cluster(pools=[SERVICES, remote_pool("cluster-2", "10.42.0.0/24")])
        finding = expect_fail(snapshot, "remote-pool-stale")
        assert finding.severity == "blocker"
        assert finding.title == "The left-over IPPool 10.42.0.0/24 keeps the pool 10.42.0.0/16 of cluster-2 out"
        for other in ("remote-pool-missing", "remote-pool-blocked", "remote-pool-orphaned"):
            expect_pass(snapshot, other)

    def test_beside(self):
        snapshot = cluster(pools=[SERVICES, PODS, remote_pool("cluster-2", "10.50.0.0/16")])
        assert expect_fail(snapshot, "remote-pool-stale").severity == "warning"

    def test_peer_between_two_gateways(self):
        waiting = ok(SubmarinerCluster(Ref("Cluster", "cluster-3", NAMESPACE), "cluster-3", ("10.50.0.0/16",), ("10.51.0.0/16",), ()))
        snapshot = cluster(pools=[SERVICES, PODS, remote_pool("cluster-3", "10.50.0.0/16")], submariner_clusters=waiting)
        expect_pass(snapshot, "remote-pool-stale")
        expect_pass(snapshot, "remote-pool-orphaned")


class TestOrphaned:
    def test_of_a_cluster_that_left(self):
        snapshot = cluster(pools=[SERVICES, PODS, remote_pool("cluster-3", "10.50.0.0/16")])
        finding = expect_fail(snapshot, "remote-pool-orphaned")
        assert (finding.severity, "left over from cluster-3" in finding.title) == ("warning", True)
        expect_pass(snapshot, "remote-pool-stale")

    def test_that_keeps_the_right_one_out(self):
        snapshot = cluster(pools=[SERVICES, remote_pool("cluster-3", "10.42.8.0/24")])
        assert expect_fail(snapshot, "remote-pool-orphaned").severity == "blocker"

    def test_that_of_a_site_built_alike_is_none(self):
        """Same host name and private address, other subnets, not connected just now: nothing shows that it is dead."""
        twin = endpoint("site-b", "10.60.0.0/16")._replace(hostname="host-cluster-2")
        pools = [SERVICES, PODS, remote_pool("site-b", "10.60.0.0/16")]
        snapshot = cluster(pools=pools, endpoints=ok(*cluster().endpoints.items, twin))
        for check_id in CHECKS:
            expect_pass(snapshot, check_id)
        absent = expect_fail(replace(snapshot, gateways=ok(gateway(connection("cluster-2")))), "connection-not-connected")
        assert absent.caused_by == "cluster-1/broker-stale-records"

    def test_of_an_id_that_was_another_ones(self):
        former = endpoint("former", "10.42.0.0/24")._replace(hostname="host-cluster-2", created="2025-01-01T00:00:00Z")
        snapshot = cluster(pools=[SERVICES, remote_pool("former", "10.42.0.0/24")], endpoints=ok(*cluster().endpoints.items, former))
        assert expect_fail(snapshot, "remote-pool-stale").severity == "blocker"

    def test_unknown(self):
        expect_unknown(cluster(submariner_clusters=answer(FORBIDDEN)), "remote-pool-orphaned")

    @pytest.mark.parametrize(
        ("name", "cidr", "owner"),
        [
            ("submariner-east-1-10.50.0.0-16", "10.50.0.0/16", "east-1"),
            ("submariner-10.50.0.0-16", "10.50.0.0/16", ""),
            ("submariner-east-10.51.0.0-16", "10.50.0.0/16", ""),
            ("by-hand-10.50.0.0-16", "10.50.0.0/16", ""),
        ],
    )
    def test_owner_by_name(self, name, cidr, owner):
        assert pool_owner(pool(name, cidr)) == owner


class TestBlocked:
    def test_by_hand(self):
        snapshot = cluster(pools=[SERVICES, pool("by-hand", "10.42.0.0/17")])
        finding = expect_fail(snapshot, "remote-pool-blocked")
        assert finding.title == "IPPool by-hand (10.42.0.0/17) keeps the pool 10.42.0.0/16 of cluster-2 out"
        assert finding.severity == "blocker"
        expect_pass(snapshot, "remote-pool-missing")
        expect_pass(snapshot, "remote-pool-stale")

    def test_by_this_cluster(self):
        finding = expect_fail(cluster(remote=("10.43.0.0/16", "10.46.128.0/17"), pools=[SERVICES]), "remote-pool-blocked")
        assert "overlap" in finding.evidence[0].note
        assert "Globalnet" in finding.remedy.text
        assert (finding.severity, finding.caused_by) == ("warning", "clusterset/clusterset-cidr-overlap")


class TestFields:
    @pytest.mark.parametrize(
        ("fields", "severity", "right"),
        [
            ({"nat_outgoing": True}, "error", "natOutgoing: false"),
            ({"disabled": False}, "error", "disabled: true"),
            ({"disable_bgp_export": False}, "warning", "disableBGPExport: true"),
            ({"ipip_mode": "Always"}, "warning", "ipipMode: Never"),
        ],
    )
    def test_one(self, fields, severity, right):
        finding = expect_fail(cluster(pools=[SERVICES, remote_pool("cluster-2", "10.42.0.0/16", **fields)], **with_bgp()), "remote-pool-fields")
        assert finding.severity == severity
        assert right in finding.remedy.text

    @pytest.mark.parametrize(
        ("version", "severity"), [("v3.31.5", "warning"), ("v3.31.6", "error"), ("v3.32.0", "warning"), ("v3.32.1", "error"), ("", "error")]
    )
    def test_for_load_balancers_alone(self, version, severity):
        odd = remote_pool("cluster-2", "10.42.0.0/16", allowed_uses=("LoadBalancer",))
        changes = methods.operator(installations=ok(methods.installation(version=version)), cluster_informations=ok())
        assert expect_fail(cluster(pools=[SERVICES, odd], **changes), "remote-pool-fields").severity == severity

    @pytest.mark.parametrize(("version", "ignored"), [("3.27.4", False), ("3.31.7", True), ("3.33.0", True), ("master", None)])
    def test_release_that_ignores_them(self, version, ignored):
        assert load_balancer_pools_ignored(version) is ignored

    def test_encapsulation_that_is_in_use_anyway(self):
        expect_pass(cluster(pools=[SERVICES, remote_pool("cluster-2", "10.42.0.0/16", vxlan_mode="Always")]), "remote-pool-fields")

    @pytest.mark.parametrize("backend", ["vxlan", "none"])
    def test_export_is_harmless_without_bgp(self, backend):
        old = remote_pool("cluster-2", "10.42.0.0/16", disable_bgp_export=False)
        expect_pass(cluster(pools=[SERVICES, old]), "remote-pool-fields")
        expect_pass(cluster(pools=[SERVICES, old], **methods.manifest(backend)), "remote-pool-fields")

    def test_export_with_the_manifests_bird(self):
        old = remote_pool("cluster-2", "10.42.0.0/16", disable_bgp_export=False)
        finding = expect_fail(cluster(pools=[SERVICES, old], **methods.manifest("bird")), "remote-pool-fields")
        assert (finding.severity, finding.evidence[-1].value) == ("warning", "bird")

    def test_export_where_bgp_is_not_known(self):
        old = remote_pool("cluster-2", "10.42.0.0/16", disable_bgp_export=False)
        changes = methods.operator(installations=ok(methods.installation(bgp="")))
        assert "not known" in expect_fail(cluster(pools=[SERVICES, old], **changes), "remote-pool-fields").evidence[0].note


class TestOverlap:
    def test_pairs(self):
        pools = [pool(name, cidr) for name, cidr in (("a", "10.0.0.0/8"), ("b", "10.1.0.0/16"), ("c", "10.2.0.0/16"), ("d", "11.0.0.0/8"), ("e", "broken"))]
        assert [(one.ref.name, other.ref.name) for one, other in overlapping_pools(pools)] == [("a", "b"), ("a", "c")]

    def test_two_pools_for_one_range(self):
        finding = expect_fail(cluster(pools=[SERVICES, PODS, pool("podwestcluster", "10.42.0.0/16")]), "pool-overlap")
        assert finding.title == "Two IPPools have the range 10.42.0.0/16: podwestcluster and submariner-cluster-2-10.42.0.0-16"
        assert finding.severity == "warning"

    def test_with_the_clusters_own(self):
        finding = expect_fail(cluster(pools=[SERVICES, PODS, remote_pool("cluster-3", "10.46.128.0/17")]), "pool-overlap")
        assert finding.caused_by == "clusterset/clusterset-cidr-overlap"

    def test_condition_of_native_pools(self):
        refused = pool("b", "10.42.1.0/24", conditions=(Condition("Allocatable", "False", "CIDROverlap", "overlaps"),))
        assert expect_fail(cluster(pools=[SERVICES, PODS, refused]), "pool-overlap").evidence[-1].note == "CIDROverlap: overlaps"

    def test_passes(self):
        expect_pass(cluster(), "pool-overlap")

    def test_unknown(self):
        expect_unknown(cluster(ip_pools=answer(FORBIDDEN)), "pool-overlap")


class TestOperatorOwned:
    ID = "remote-pool-operator-owned"

    def test_remote_subnet_in_the_installation(self):
        listed = methods.installation()._replace(spec_pools=("10.46.0.0/16", "10.42.0.0/16"))
        status = TigeraStatus(Ref("TigeraStatus", "ippools"), (Condition("Degraded", "True", "ResourceUpdateError", "Cannot update an IP pool not owned"),))
        finding = expect_fail(cluster(**methods.operator(installations=ok(listed), tigera_statuses=ok(status))), self.ID)
        assert "holds 10.42.0.0/16, which is cluster-2's" in finding.title
        assert finding.evidence[-1].note == "Cannot update an IP pool not owned"

    def test_passes(self):
        expect_pass(cluster(), self.ID)

    def test_unknown(self):
        expect_unknown(cluster(installations=answer(FORBIDDEN)), self.ID)


class TestLabelsHidden:
    ID = "remote-pool-labels-hidden"

    def old(self, **changes):
        pools = [entry._replace(api_version="crd.projectcalico.org/v1") for entry in (SERVICES, PODS)]
        return cluster(pools=pools, ip_pools_v3=not_served(), **changes)

    def test_since_3_28(self):
        changes = methods.operator(installations=ok(methods.installation(version="v3.28.1")), cluster_informations=ok())
        finding = expect_fail(self.old(**changes), self.ID)
        assert (finding.severity, "finds none of Submariner's 2 IPPools" in finding.title) == ("info", True)

    def test_passes(self):
        expect_pass(cluster(), self.ID)
        expect_pass(self.old(), self.ID)

    def test_unknown(self):
        expect_unknown(self.old(installations=not_served(), cluster_informations=ok()), self.ID)
        expect_unknown(cluster(ip_pools=answer(FORBIDDEN)), self.ID)


class TestLocalEncapsulation:
    ID = "local-pool-encapsulation"
    ibm = {"service.kubernetes.io/ibm-load-balancer-cloud-provider-ip-type": "public"}
    balanced = Service(Ref("Service", "submariner-gateway", NAMESPACE), (), "LoadBalancer", ibm)

    def of(self, changes, **modes):
        ours = local_pool("10.46.0.0/16")._replace(vxlan_mode="Never", **modes)
        return cluster(ip_pools=ok(ours, SERVICES, PODS), **changes)

    def test_not_validated(self):
        assert expect_fail(self.of({}, ipip_mode="Always"), self.ID).severity == "info"

    def test_security_group_of_ibm(self):
        finding = expect_fail(self.of(methods.roks(), ipip_mode="CrossSubnet"), self.ID)
        assert (finding.severity, "security group drops" in finding.title) == ("warning", True)

    def test_workaround_of_submariner(self):
        old = methods.roks(installations=ok(methods.installation("OpenShift", version="v3.27.4")), services=ok(self.balanced), cluster_informations=ok())
        assert expect_fail(self.of(old, ipip_mode="CrossSubnet"), self.ID).severity == "info"

    def test_passes(self):
        expect_pass(cluster(), self.ID)

    def test_unknown(self):
        expect_unknown(cluster(ip_pools=answer(FORBIDDEN)), self.ID)


class TestAgentComplains:
    ID = "remote-pool-agent-complains"
    noise = log("ERR error creating Calico IPPool: IPPool(submariner-cluster-2-10.42.0.0-16) CIDR overlaps with IPPool(podwestcluster)")

    def test_noise(self):
        finding = expect_fail(cluster(pools=[SERVICES, pool("podwestcluster", "10.42.0.0/16")], logs=self.noise), self.ID)
        assert finding.severity == "info"
        assert finding.evidence[1].object == "IPPool podwestcluster"

    def test_no_noise_while_something_is_missing(self):
        snapshot = cluster(pools=[SERVICES], logs=self.noise)
        expect_pass(snapshot, self.ID)
        assert judged(snapshot, "remote-pool-missing").findings[0].severity == "blocker"

    def test_passes(self):
        expect_pass(cluster(), self.ID)

    def test_unknown(self):
        expect_unknown(cluster(logs=answer(FORBIDDEN)), self.ID)
