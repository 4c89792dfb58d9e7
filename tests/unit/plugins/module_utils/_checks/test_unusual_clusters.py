# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Healthy clusters that are not built as most are: nothing is called broken there, and nothing is proposed that would break them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import FORBIDDEN, ApiService, ContainerStatus, Ref
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks import methods
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import (
    NAMESPACE,
    PODS,
    SERVICES,
    agent,
    answer,
    cluster,
    connection,
    daemon_set,
    endpoint,
    gateway,
    judged,
    local_pool,
    node,
    not_served,
    ok,
    pool,
    remote_pool,
    tigera_operator,
)
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.expectations import (
    expect_fail,
    expect_not_asked,
    expect_pass,
    expect_unknown,
)

AGENT = "submariner-routeagent"
API = "calico-api-unavailable"
STALE_POOLS = ("remote-pool-stale", "remote-pool-orphaned")
ROUTED = local_pool(PODS["cluster-1"])._replace(nat_outgoing=False, vxlan_mode="Never")


def with_pools(*pools, **changes):
    return cluster(ip_pools=ok(*pools), ip_pools_v3=ok(*pools), ip_pools_v1=ok(*pools), **changes)


class TestPodsAreNotMasqueraded:
    """BGP without natOutgoing: Calico masquerades nothing, so that a missing pool harms nothing."""

    def test_a_missing_pool_is_a_warning(self):
        finding = expect_fail(with_pools(ROUTED), "remote-pool-missing")
        assert finding.severity == "warning" and finding.impact.startswith("None now")

    def test_one_pool_that_masquerades_is_enough(self):
        second = pool("second", "10.99.0.0/16", disabled=False, nat_outgoing=True)
        assert expect_fail(with_pools(ROUTED, second), "remote-pool-missing").severity == "blocker"

    def test_a_pool_of_load_balancers_masquerades_nothing(self):
        services = pool("services", "10.99.0.0/16", disabled=False, nat_outgoing=True, allowed_uses=("LoadBalancer",))
        assert expect_fail(with_pools(ROUTED, services), "remote-pool-missing").severity == "warning"

    def test_no_pool_of_its_own_proves_nothing(self):
        assert expect_fail(with_pools(), "remote-pool-missing").severity == "blocker"

    def test_a_left_over_pool_that_keeps_one_out(self):
        left = remote_pool("cluster-2", "10.42.0.0/24")
        assert expect_fail(with_pools(ROUTED, left), STALE_POOLS[0]).severity == "warning"
        assert expect_fail(with_pools(local_pool(PODS["cluster-1"]), left), STALE_POOLS[0]).severity == "blocker"

    def test_a_pool_made_by_hand_that_keeps_one_out(self):
        by_hand = pool("wide", "10.42.0.0/15")
        assert {finding.severity for finding in judged(with_pools(ROUTED, by_hand), "remote-pool-blocked").findings} == {"warning"}

    def test_an_absent_api_server(self):
        snapshot = replace(with_pools(ROUTED), ip_pools_v3=not_served())
        assert expect_fail(snapshot, API).severity == "error"
        assert expect_fail(replace(with_pools(local_pool(PODS["cluster-1"])), ip_pools_v3=not_served()), API).severity == "blocker"


class TestPoolOfAUser:
    """A name that begins with submariner- does not make a pool Submariner's: deleting it would take the pods' addresses away."""

    MINE = pool("submariner-pods", PODS["cluster-1"], disabled=False, nat_outgoing=True, vxlan_mode="Always")
    REMOTE = (remote_pool("cluster-2", SERVICES["cluster-2"]), remote_pool("cluster-2", PODS["cluster-2"]))

    @pytest.mark.parametrize("check_id", STALE_POOLS)
    def test_is_not_left_over(self, check_id):
        expect_pass(with_pools(self.MINE, *self.REMOTE), check_id)

    def test_is_not_left_after_a_removal(self):
        expect_pass(cluster(joined=False, ip_pools=ok(self.MINE)), "submariner-leftovers")

    def test_the_agents_own_scheme_is_known_without_label(self):
        assert pool("submariner-cluster-2-10.42.0.0-16", "10.42.0.0/16").is_submariner
        assert not pool("submariner-10.42.0.0-16", "10.42.0.0/16").is_submariner


class TestSitesBuiltAlike:
    """Two sites with one plan of names and private addresses, each behind a public address of its own."""

    HOST = {"hostname": "gw-1", "private_ip": "192.168.0.1"}
    OWN = endpoint("cluster-1", SERVICES["cluster-1"], PODS["cluster-1"])._replace(**HOST, public_ip="198.51.100.1")
    PEER = endpoint("cluster-2", SERVICES["cluster-2"], PODS["cluster-2"])._replace(**HOST, public_ip="203.0.113.1")

    @pytest.mark.parametrize("check_id", ("broker-stale-records", *STALE_POOLS))
    def test_both_live(self, check_id):
        expect_pass(cluster(endpoints=ok(self.OWN, self.PEER)), check_id)
        bare = [entry._replace(public_ip="") for entry in (self.OWN, self.PEER)]
        expect_pass(cluster(endpoints=ok(*bare)), check_id)

    def test_the_same_public_address_is_one_gateway(self):
        same = self.PEER._replace(public_ip=self.OWN.public_ip)
        assert expect_fail(cluster(endpoints=ok(self.OWN, same)), "broker-stale-records").severity == "error"

    def test_nobody_connected_and_no_public_address(self):
        bare = [entry._replace(public_ip="") for entry in (self.OWN, self.PEER)]
        down = ok(gateway(connection("cluster-2", "error")))
        assert expect_fail(cluster(endpoints=ok(*bare), gateways=down), "broker-stale-records").severity == "error"


class TestWindowsNodes:
    IDS = ("route-agent-not-ready", "image-pull-failed")
    NODE = node("win-1")._replace(labels={"kubernetes.io/os": "windows"}, operating_system="windows")

    def snapshot(self, extra, *, ready=False):
        waiting = ContainerStatus(AGENT, ready, 0, "agent:test", waiting_reason="" if ready else "ImagePullBackOff", waiting_message="no matching manifest")
        made = agent(AGENT, PODS["cluster-1"], SERVICES["cluster-1"], ready=ready)
        lost = made._replace(node=extra.ref.name, ref=Ref("Pod", f"{AGENT}-other", NAMESPACE), statuses=(waiting,))
        base = cluster()
        sets = [entry for entry in base.daemon_sets.items if entry.ref.name != AGENT]
        sets.append(daemon_set(AGENT, PODS["cluster-1"], SERVICES["cluster-1"], desired=2, ready=1))
        return replace(base, nodes=ok(*base.nodes.items, extra), pods=ok(*base.pods.items, lost), daemon_sets=ok(*sets))

    @pytest.mark.parametrize("check_id", IDS)
    def test_an_agent_that_cannot_run_there_is_no_finding(self, check_id):
        expect_pass(self.snapshot(self.NODE), check_id)
        virtual = node("virtual")._replace(labels={"type": "virtual-kubelet"})
        expect_pass(self.snapshot(virtual), check_id)

    @pytest.mark.parametrize("check_id", IDS)
    def test_on_linux_it_is(self, check_id):
        expect_fail(self.snapshot(node("node-2")), check_id)


class TestGatewayThatHangs:
    ID = "connection-not-connected"

    def test_connections_of_hours_ago_prove_nothing(self):
        old = gateway(connection("cluster-2"), updated_at="2025-12-31T20:00:00Z")
        assert "2025-12-31T20:00:00Z" in expect_unknown(cluster(gateways=ok(old)), self.ID).missing

    def test_a_failure_of_hours_ago_is_still_told(self):
        old = gateway(connection("cluster-2", "error"), updated_at="2025-12-31T20:00:00Z")
        expect_fail(cluster(gateways=ok(old)), self.ID)

    def test_the_record_of_a_gateway_that_is_gone_is_left_out(self):
        gone = gateway(connection("cluster-2", "error"), node="node-0", updated_at="2025-12-31T20:00:00Z")
        alive = gateway(connection("cluster-2"), updated_at="2025-12-31T23:59:58Z")
        expect_pass(cluster(gateways=ok(gone, alive)), self.ID)


def test_canal_needs_no_calico_api_before_a_join():
    canal = {**methods.canal(joined=False), "ip_pools": ok(), "ip_pools_v3": not_served(), "ip_pools_v1": ok()}
    expect_not_asked(cluster(**canal), API)


def test_calico_enterprise_counts_its_releases_on_its_own():
    base = cluster(deployments=ok(tigera_operator("v1.34.8")))
    enterprise = base.installations.items[0]._replace(variant="TigeraSecureEnterprise", calico_version="v3.19.4")
    expect_not_asked(replace(base, installations=ok(enterprise)), "calico-operator-pair")


def test_pools_that_may_not_be_listed_are_no_cause_of_a_crash():
    """Forbidden to the reader is not unavailable to the agent: its crash stays an error of its own."""
    ended = ContainerStatus(
        AGENT, False, 9, "agent:test", waiting_reason="CrashLoopBackOff", exit_code=1, exit_message="FTL Error registering the handlers: timed out"
    )
    crashed = agent(AGENT, PODS["cluster-1"], SERVICES["cluster-1"], ready=False, restarts=9)._replace(statuses=(ended,))
    base = cluster()
    pods = [entry for entry in base.pods.items if entry.labels.get("app") != AGENT]
    sets = [entry for entry in base.daemon_sets.items if entry.ref.name != AGENT]
    sets.append(daemon_set(AGENT, PODS["cluster-1"], SERVICES["cluster-1"], ready=0))
    served = ApiService(Ref("APIService", "v3.projectcalico.org"), "calico-system/calico-api", True, "Passed", "")
    snapshot = replace(base, pods=ok(*pods, crashed), daemon_sets=ok(*sets), ip_pools_v3=answer(FORBIDDEN), api_services=ok(served))
    finding = expect_fail(snapshot, "route-agent-not-ready")
    assert (finding.severity, finding.caused_by) == ("error", "")
    dead = replace(snapshot, ip_pools_v3=not_served(), api_services=ok())
    assert expect_fail(dead, "route-agent-not-ready").caused_by == "cluster-1/calico-api-unavailable"
