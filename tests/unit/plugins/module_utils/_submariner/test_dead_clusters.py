# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which cluster ids are taken for dead, and above all which are not."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Ref, RemoteEndpoint, RouteAgent, SubmarinerCluster
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._dead_clusters import (
    BROKER_NAMESPACE,
    ORIGIN,
    Record,
    Trace,
    broker_namespace,
    in_order,
    interrupts,
    only_silent,
    proof_of_death,
    records_of,
    signs_of_life,
    token_use,
    why_not_dead,
    with_origin,
)
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import (
    NAMESPACE,
    cluster,
    connection,
    endpoint,
    gateway,
    ok,
    submariner,
)

OWN = endpoint("cluster-1", "10.45.0.0/16", "10.46.0.0/16")
PEER = endpoint("cluster-2", "10.43.0.0/16", "10.42.0.0/16")
FORMER = endpoint("former", "10.45.0.0/16", "10.46.0.0/16")._replace(hostname="host-cluster-1", created="2025-01-01T00:00:00Z")
OLD = "2025-12-31T00:00:00Z"  # a day before the snapshots of builders
YOUNG = "2025-12-31T23:59:00Z"


def at_broker(*endpoints):
    return [entry._replace(ref=entry.ref._replace(namespace=BROKER_NAMESPACE)) for entry in endpoints]


def record(changed=OLD, kind="Endpoint", cluster_id="former"):
    return Record(kind, BROKER_NAMESPACE, f"{cluster_id}-cable", cluster_id, cluster_id, False, changed)


def why(*snapshots, cluster_id="former", records=None, min_age=900, traces=()):
    return why_not_dead(cluster_id, snapshots, [record(cluster_id=cluster_id)] if records is None else records, BROKER_NAMESPACE, min_age, traces)


class TestLife:
    def test_none(self):
        assert signs_of_life("former", [cluster(endpoints=ok(OWN, PEER, FORMER))]) == ()

    def test_joined_under_that_id_though_its_gateway_is_down(self):
        (sign,) = signs_of_life("cluster-2", [cluster(gateways=ok()), cluster("cluster-2", gateways=ok())])
        assert sign.startswith("cluster-2 is joined under that id")

    def test_a_gateway_is_connected(self):
        third = gateway(connection("cluster-3"))
        assert signs_of_life("cluster-3", [cluster(gateways=ok(third))]) == ("Gateway submariner-operator/node-1 of cluster-1 is connected to it",)

    def test_even_one_that_is_passive(self):
        assert signs_of_life("cluster-3", [cluster(gateways=ok(gateway(connection("cluster-3"), ha_status="passive")))])

    @pytest.mark.parametrize("status", ["error", "connecting", "none", ""])
    def test_a_connection_that_does_not_stand_is_no_sign(self, status):
        assert signs_of_life("cluster-3", [cluster(gateways=ok(gateway(connection("cluster-3", status))))]) == ()

    def test_an_agent_reaches_it(self):
        agent = RouteAgent(Ref("RouteAgent", "node-2", NAMESPACE), "v0.19.0", "", (RemoteEndpoint("cluster-3", "gw", (), "", "connected", ""),))
        assert signs_of_life("cluster-3", [cluster(route_agents=ok(agent))])


class TestDeath:
    def test_another_id_has_its_gateway_and_its_subnets(self):
        snapshot = cluster(endpoints=ok(OWN, PEER, FORMER))
        assert "former and cluster-1 are both on gateway host-cluster-1" in proof_of_death("former", [snapshot], BROKER_NAMESPACE)
        assert why(snapshot, records=[record(YOUNG)]) == ""

    def test_at_the_broker_alone(self):
        assert proof_of_death("former", [cluster(endpoints=ok(OWN, PEER, *at_broker(OWN, PEER, FORMER)))], BROKER_NAMESPACE)

    def test_a_cluster_is_not_dead_because_it_had_two_gateways(self):
        second = PEER._replace(ref=PEER.ref._replace(name="second"), hostname="other", created="2020-01-01T00:00:00Z")
        assert proof_of_death("cluster-2", [cluster(endpoints=ok(OWN, PEER, second))], BROKER_NAMESPACE) == ""

    def test_two_sites_built_alike_behind_different_public_addresses(self):
        """Same host name, same private address, even the same subnets: public addresses that differ are two clusters."""
        twin = FORMER._replace(public_ip="203.0.113.9")
        snapshot = cluster(endpoints=ok(OWN._replace(public_ip="198.51.100.7"), PEER, twin))
        assert proof_of_death("former", [snapshot], BROKER_NAMESPACE) == ""
        assert "was written 1 min ago" in why(snapshot, records=[record(YOUNG)])

    @pytest.mark.parametrize("public", ["", "198.51.100.7"])
    def test_two_sites_built_alike_with_subnets_of_their_own(self, public):
        """With unknown public addresses, or behind the same one: nothing shows that one of them is dead."""
        twin = endpoint("twin", "10.61.0.0/16", "10.60.0.0/16")._replace(hostname="host-cluster-1", public_ip=public)
        snapshot = cluster(endpoints=ok(OWN._replace(public_ip=public), PEER, twin))
        assert proof_of_death("twin", [snapshot], BROKER_NAMESPACE) == ""
        assert why(snapshot, cluster_id="twin", records=[record(YOUNG, cluster_id="twin")])


class TestSilence:
    def test_long_enough(self):
        assert why(cluster(endpoints=ok(OWN, PEER, endpoint("former")))) == ""

    @pytest.mark.parametrize("changed", [YOUNG, "", "2026-01-01T00:05:00Z"])
    def test_too_short_unknown_or_of_a_clock_ahead(self, changed):
        assert "min_age" in why(cluster(), records=[record(), record(changed, "Cluster")])

    def test_as_long_as_the_user_says(self):
        assert why(cluster(), records=[record(YOUNG)], min_age=30) == ""

    @pytest.mark.parametrize(("when", "lives"), [(YOUNG, True), ("", True), (OLD, False)])
    def test_what_it_does_beside_its_records(self, when, lives):
        """Its tunnel is down and its gateway has long run: its records are old, and it exports a service all the same."""
        reason = why(cluster(), traces=[Trace("former", "EndpointSlice x/y was written", when), Trace("cluster-2", "another's", YOUNG)])
        assert reason.startswith("EndpointSlice x/y was written") if lives else reason == ""

    @pytest.mark.parametrize(
        ("day", "min_age", "lives"),
        [("2026-01-01", 900, True), ("2026-01-01", 0, False), ("2025-12-31", 900, True), ("2025-12-30", 90000, True), ("2025-12-30", 86400, False)],
    )
    def test_a_token_that_was_used_on_a_day_may_have_been_used_at_its_end(self, day, min_age, lives):
        used = token_use("former", day, "2026-01-01T00:00:00Z")
        assert (f"its token was used on {day}" in why(cluster(), records=[], traces=[used], min_age=min_age)) is lives

    def test_of_a_cluster_whose_tunnel_is_down_it_proves_nothing(self):
        third = connection("cluster-3", "error")
        snapshots = [cluster(gateways=ok(gateway(third)), endpoints=ok(OWN, PEER, endpoint("cluster-3", "10.60.0.0/16")))]
        assert why(*snapshots, cluster_id="cluster-3") == "", "it has been silent for long enough"
        (line,) = only_silent(["cluster-3"], snapshots, BROKER_NAMESPACE)
        assert "nothing but silence says that cluster-3 is dead" in line

    def test_a_proof_needs_no_consent_to_silence(self):
        assert only_silent(["former"], [cluster(endpoints=ok(OWN, PEER, FORMER))], BROKER_NAMESPACE) == ()

    def test_nobody_would_hear_it(self):
        assert "no active gateway was asked" in why(cluster(gateways=ok()))
        assert why(cluster(gateways=ok()), cluster("cluster-2")) == ""

    def test_a_cluster_without_an_endpoint_is_heard_by_nobody_anyway(self):
        assert why(cluster(gateways=ok()), records=[record(kind="Cluster")]) == ""


class TestRecords:
    def test_those_of_both_namespaces_and_of_no_other(self):
        elsewhere = FORMER._replace(ref=FORMER.ref._replace(namespace="backup"))
        objects = ok(SubmarinerCluster(Ref("Cluster", "former", NAMESPACE), "former", (), (), ()))
        snapshot = cluster(endpoints=ok(OWN, PEER, FORMER, *at_broker(FORMER, PEER), elsewhere), submariner_clusters=objects)
        found = records_of(["former"], snapshot, BROKER_NAMESPACE)
        assert [(entry.kind, entry.namespace) for entry in found] == [("Endpoint", NAMESPACE), ("Endpoint", BROKER_NAMESPACE), ("Cluster", NAMESPACE)]

    def origin(self, namespace, labels, snapshot=None):
        obj = {"metadata": {"labels": labels, "creationTimestamp": OLD, "managedFields": [{"time": YOUNG}]}}
        return with_origin(Record("Endpoint", namespace, "x", "former"), obj, snapshot or cluster(), BROKER_NAMESPACE)

    def test_a_copy_says_who_published_it(self):
        for namespace in (NAMESPACE, BROKER_NAMESPACE):
            found = self.origin(namespace, {ORIGIN: "cluster-3"})
            assert (found.publisher, found.source, found.changed) == ("cluster-3", False, YOUNG)

    def test_what_a_member_holds_without_a_label_it_publishes(self):
        assert self.origin(NAMESPACE, {})[4:6] == ("cluster-1", True)
        assert self.origin(BROKER_NAMESPACE, {})[4:6] == ("", False)
        assert self.origin(NAMESPACE, None, cluster(joined=False))[4:6] == ("", False)

    def test_what_publishes_goes_first_and_copies_last(self):
        source = Record("Cluster", NAMESPACE, "a", "former", "cluster-1", True)
        broker = [Record(kind, BROKER_NAMESPACE, "b", "former", "former") for kind in ("Cluster", "Endpoint")]
        copy = Record("Endpoint", NAMESPACE, "c", "former", "former")
        assert in_order([copy, *broker, source], BROKER_NAMESPACE) == (source, broker[1], broker[0], copy)

    def test_where_the_broker_is(self):
        assert broker_namespace(cluster(joined=False), "") == BROKER_NAMESPACE
        told = cluster(joined=submariner("cluster-1", brokerK8sRemoteNamespace="hub"))
        assert (broker_namespace(told, ""), broker_namespace(told, "other")) == ("hub", "other")


class TestInterrupts:
    def test_nothing_where_the_dead_one_shares_nothing_with_the_living(self):
        assert interrupts(["former"], cluster(endpoints=ok(OWN, PEER, endpoint("former", "10.99.0.0/16"))), BROKER_NAMESPACE) == ()

    def test_a_members_own_subnets_do_not_count(self):
        assert interrupts(["former"], cluster(endpoints=ok(OWN, PEER, FORMER)), BROKER_NAMESPACE) == ()

    def test_at_the_broker_they_do(self):
        (line,) = interrupts(["former"], cluster(endpoints=ok(OWN, PEER, *at_broker(OWN, PEER, FORMER))), BROKER_NAMESPACE)
        assert "shares 10.45.0.0/16, 10.46.0.0/16 with cluster-1" in line

    def test_two_dead_ones_share_what_they_like(self):
        assert interrupts(["former", "cluster-2"], cluster(endpoints=ok(OWN, PEER, endpoint("former", "10.42.0.0/16"))), BROKER_NAMESPACE) == ()


IDS = ("cluster-1", "cluster-2", "cluster-3", "former")
ENDPOINTS = st.builds(
    lambda cluster_id, host, private, public, subnet, created, broker: endpoint(cluster_id, subnet)._replace(
        ref=Ref("Endpoint", f"{cluster_id}-{host}-{private}", BROKER_NAMESPACE if broker else NAMESPACE),
        hostname=host,
        private_ip=private,
        public_ip=public,
        created=created,
    ),
    st.sampled_from(IDS),
    st.sampled_from(("gw-1", "gw-2")),
    st.sampled_from(("192.168.0.1", "192.168.0.2")),
    st.sampled_from(("", "198.51.100.7", "203.0.113.9")),
    st.sampled_from(("10.1.0.0/16", "10.2.0.0/16", "10.2.128.0/17")),
    st.sampled_from(("2025-01-01T00:00:00Z", "2025-06-01T00:00:00Z", "")),
    st.booleans(),
)
CONNECTIONS = st.lists(st.builds(connection, st.sampled_from(IDS), st.sampled_from(("connected", "error"))), max_size=3)


@given(st.lists(ENDPOINTS, max_size=6), CONNECTIONS)
def test_who_shows_no_death_of_its_own_is_never_proved_dead(endpoints, connections):
    snapshot = cluster(endpoints=ok(*endpoints), gateways=ok(gateway(*connections)))
    for cluster_id in IDS:
        if not proof_of_death(cluster_id, [snapshot], BROKER_NAMESPACE):
            continue
        mine = [entry for entry in endpoints if entry.cluster_id == cluster_id]
        assert cluster_id != "cluster-1", "the id that is asked is the cluster's own"
        assert any(
            (one.hostname, one.private_ip, one.ref.namespace) == (other.hostname, other.private_ip, other.ref.namespace)
            and not (one.public_ip and other.public_ip and one.public_ip != other.public_ip)
            and one.subnets[0][:4] == other.subnets[0][:4]
            for one in mine
            for other in endpoints
            if other.cluster_id != cluster_id
        )
