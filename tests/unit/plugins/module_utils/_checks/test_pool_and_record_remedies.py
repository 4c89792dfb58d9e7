# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What findings about pools and records propose: a role where it repairs them, and a person where one must decide."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import NOT_SERVED, Broker, Origin, Ref
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import (
    NAMESPACE,
    answer,
    cluster,
    endpoint,
    not_served,
    ok,
    pool,
    remote_pool,
    submariner,
)
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.expectations import expect_fail

SERVICES = remote_pool("cluster-2", "10.43.0.0/16")
PODS = remote_pool("cluster-2", "10.42.0.0/16")
BROKEN = PODS._replace(nat_outgoing=True)
STALE = remote_pool("cluster-2", "10.42.0.0/24")
OWN = endpoint("cluster-1", "10.45.0.0/16", "10.46.0.0/16")
PEER = endpoint("cluster-2", "10.43.0.0/16", "10.42.0.0/16")
FORMER = endpoint("former", "10.45.0.0/16", "10.46.0.0/16")._replace(hostname="host-cluster-1", created="2025-01-01T00:00:00Z")
ROLE = "fathom.submariner.remote_ippools"


@pytest.mark.parametrize(
    ("pools", "check_id", "disruptive"),
    [
        ([SERVICES], "remote-pool-missing", False),
        ([SERVICES, STALE], "remote-pool-stale", True),
        ([SERVICES, PODS, remote_pool("cluster-2", "10.50.0.0/16")], "remote-pool-stale", False),
        ([SERVICES, PODS, remote_pool("cluster-3", "10.50.0.0/16")], "remote-pool-orphaned", False),
        ([SERVICES, BROKEN], "remote-pool-fields", False),
    ],
)
def test_the_role_repairs(pools, check_id, disruptive):
    remedy = expect_fail(cluster(pools=pools), check_id).remedy
    assert (remedy.role, dict(remedy.variables), remedy.disruptive) == (ROLE, {}, disruptive)
    assert remedy.target.startswith("IPPool submariner-cluster-")


def test_with_globalnet_the_pools_are_those_of_the_global_ranges():
    """submariner pkg/routeagent_driver/handlers/calico/ippool_handler.go makes a pool for whatever an Endpoint announces."""
    joined = submariner("cluster-1", globalCIDR="172.30.0.0/16")
    remedy = expect_fail(cluster(joined=joined, remote=("172.31.0.0/16",), pools=[]), "remote-pool-missing").remedy
    assert (remedy.role, remedy.target) == (ROLE, "IPPool submariner-cluster-2-172.31.0.0-16")


@pytest.mark.parametrize(("pools", "check_id"), [([SERVICES, STALE], "remote-pool-stale"), ([SERVICES, BROKEN], "remote-pool-fields")])
def test_without_the_api_a_person_chooses_the_other_one(pools, check_id):
    assert expect_fail(cluster(pools=pools, ip_pools_v3=answer(NOT_SERVED)), check_id).remedy.role == ""


def test_what_somebody_else_looks_after_is_theirs():
    kept = BROKEN._replace(origin=Origin(annotations={"argocd.argoproj.io/tracking-id": "pools"}))
    assert expect_fail(cluster(pools=[SERVICES, kept]), "remote-pool-fields").remedy.role == ""


def test_a_pool_made_by_hand_is_a_persons_to_name():
    remedy = expect_fail(cluster(pools=[SERVICES, pool("podwestcluster", "10.42.0.0/17")]), "remote-pool-blocked").remedy
    assert remedy.role == "" and "remote_ippools_remove: [podwestcluster]" in remedy.text


def test_pools_of_a_submariner_that_was_removed():
    remedy = expect_fail(cluster(joined=False, ip_pools=ok(PODS)), "submariner-leftovers").remedy
    assert (remedy.role, dict(remedy.variables)) == (ROLE, {"remote_ippools_state": "absent"})
    assert expect_fail(cluster(joined=False, ip_pools=ok(PODS), endpoints=ok(PEER)), "submariner-leftovers").remedy.role == ""
    assert expect_fail(cluster(joined=False, ip_pools=ok(PODS), ip_pools_v3=not_served()), "submariner-leftovers").remedy.role == ""


def test_records_of_an_earlier_id():
    remedy = expect_fail(cluster(endpoints=ok(OWN, PEER, FORMER)), "broker-stale-records").remedy
    assert (remedy.role, dict(remedy.variables)) == ("fathom.submariner.broker_records", {"broker_records_cluster_id": ["former"]})
    assert remedy.disruptive


def test_an_endpoint_of_an_id_that_lives_is_a_persons():
    old = PEER._replace(ref=PEER.ref._replace(name="cluster-2-old"), hostname="host-old", created="2025-01-01T00:00:00Z")
    assert expect_fail(cluster(endpoints=ok(OWN, PEER._replace(created="2026-01-01T00:00:00Z"), old)), "broker-stale-records").remedy.role == ""


def test_one_that_may_live_at_a_site_built_alike_is_a_persons():
    twin = endpoint("twin", "10.61.0.0/16")._replace(hostname="host-cluster-1", created="2025-01-01T00:00:00Z")
    here = ok(Broker(Ref("Broker", "submariner-broker", NAMESPACE), ("connectivity",), False, ""))
    assert expect_fail(cluster(brokers=here, endpoints=ok(OWN, PEER, twin)), "broker-stale-records").remedy.role == ""
