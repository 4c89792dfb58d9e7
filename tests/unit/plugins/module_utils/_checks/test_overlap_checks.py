# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The overlap matrix: clusters that are joined, that are not, and that are only planned."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import replace

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._checks._card import Card, CardEndpoint, CardRange, card_of, unreadable_card
from ansible_collections.fathom.submariner.plugins.module_utils._checks._engine import judge_clusterset
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError
from ansible_collections.fathom.submariner.plugins.module_utils._report._candidates import candidate_cards, without_known
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import FORBIDDEN, Deployment, Ref
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import (
    NAMESPACE,
    answer,
    cluster,
    container,
    judged,
    ok,
    only,
    submariner,
)
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.expectations import (
    expect_fail,
    expect_not_asked,
    expect_pass,
    expect_unknown,
)

OVERLAP, NODES, RESERVED, NO_PROXY = "clusterset-cidr-overlap", "clusterset-node-network-overlap", "clusterset-range-reserved", "no-proxy-incomplete"


def card(name, pods="10.46.0.0/16", services="10.45.0.0/16", *, nodes=(), joined=True, **fields):
    made = Card(
        name, joined=joined, cluster_id=name if joined else "", pods=CardRange((pods,)), services=CardRange((services,)), node_networks=tuple(nodes), **fields
    )
    return Card.from_dict(json.loads(json.dumps(made.to_dict())))


ONE = card("one", nodes=["192.0.2.0/24"])
TWO = card("two", "10.42.0.0/16", "10.43.0.0/16", nodes=["192.0.2.0/24"])


def found(check_id, *cards):
    return judge_clusterset(cards, only(check_id)).findings


def single(check_id, *cards):
    findings = found(check_id, *cards)
    assert len(findings) == 1, [finding.title for finding in findings]
    return findings[0]


class TestCidrOverlap:
    def test_healthy(self):
        assert judge_clusterset((ONE, TWO), only(OVERLAP)).passed == (OVERLAP,)

    def test_services_against_pods(self):
        finding = single(OVERLAP, ONE, card("three", "10.41.0.0/16", "10.46.128.0/20"))
        assert (finding.severity, finding.title) == ("blocker", "one and three both use 10.46.128.0/20")

    def test_a_candidate_is_told_what_is_free(self):
        finding = single(OVERLAP, ONE, TWO, *candidate_cards({"new": {"pods": "10.46.0.0/16", "services": "10.0.0.0/16"}}))
        assert finding.severity == "error"
        assert finding.remedy.text == (
            "Build new with other ranges, or join all with Globalnet. Free in this clusterset: pods 10.1.0.0/16, Services 10.2.0.0/16."
        )

    def test_the_cluster_that_is_not_joined_is_renumbered(self):
        assert "rebuild late with" in single(OVERLAP, card("late", joined=False), ONE).remedy.text

    def test_each_proposal_is_given_once(self):
        findings = found(OVERLAP, ONE, *candidate_cards({"a": ["10.46.0.0/16"], "b": ["10.45.0.0/16"]}))
        texts = [finding.remedy.text.partition("Free")[2] for finding in findings]
        assert len(texts) == 2 and len(set(texts)) == 2

    def test_globalnet_compares_global_ranges(self):
        one, two = (card(name, globalnet=True, global_cidrs=(cidr,)) for name, cidr in (("one", "242.0.0.0/16"), ("two", "242.1.0.0/16")))
        assert found(OVERLAP, one, two) == ()
        finding = single(OVERLAP, one, card("two", globalnet=True, global_cidrs=("242.0.128.0/17",)))
        assert finding.title == "one and two both use 242.0.128.0/17"
        assert "--globalnet-cidr" in finding.remedy.text

    def test_many_pairs_are_bounded(self):
        findings = found(OVERLAP, *candidate_cards({f"edge-{number}": ["10.42.0.0/16", "10.43.0.0/16"] for number in range(30)}))
        assert len(findings) == 41
        assert findings[-1].title.startswith("395 more pairs")

    def test_unread(self):
        finding = single(OVERLAP, ONE, unreadable_card("two", "refused"))
        assert (finding.verdict, finding.missing) == ("unknown", "refused")

    def test_half_known_candidate(self):
        finding = single(OVERLAP, ONE, *candidate_cards({"new": {"pods": "10.1.0.0/16"}}))
        assert finding.verdict == "unknown" and "service CIDR" in finding.missing


    def test_alone(self):
        assert judge_clusterset((ONE,), only(OVERLAP)) == judge_clusterset((), only(OVERLAP))


def holding(cluster_id, *subnets, **fields):
    return card("one", "10.1.0.0/16", "10.2.0.0/16", remote=(CardEndpoint(cluster_id, f"Endpoint {cluster_id}", subnets),), **fields)


class TestMembersThatNobodyRead:
    """They are known by the Endpoints that others hold."""

    def test_overlap(self):
        finding = single(OVERLAP, holding("absent", "10.42.0.0/16", "10.43.0.0/16"), card("new", "10.42.0.0/16", "10.60.0.0/16", joined=False))
        assert (finding.severity, finding.title) == ("error", "new and absent both use 10.42.0.0/16")
        assert ("cluster absent", "Endpoint's subnets", "10.42.0.0/16, 10.43.0.0/16", "as one holds them") in [entry[:4] for entry in finding.evidence]

    def test_nodes_in_its_ranges(self):
        new = card("new", "10.3.0.0/16", "10.4.0.0/16", nodes=["10.42.7.0/28"], joined=False)
        assert "10.42.7.0/28" in single(NODES, holding("absent", "10.42.0.0/16"), new).title

    def test_globalnet_compares_the_global_ranges(self):
        new = card("new", "10.42.0.0/16", "10.60.0.0/16", joined=False, globalnet=True, global_cidrs=("242.1.0.0/16",))
        holder = {"globalnet": True, "global_cidrs": ("242.0.0.0/16",)}
        assert single(OVERLAP, holding("absent", "242.1.0.0/16", **holder), new).title == "new and absent both use 242.1.0.0/16"
        assert judge_clusterset((holding("absent", "242.2.0.0/16", **holder), new), only(OVERLAP)).passed == (OVERLAP,)

    def test_one_that_was_read_or_stated_is_known_better(self):
        stated = candidate_cards({"absent": ["10.9.0.0/16", "10.10.0.0/16"]})
        new = card("new", "10.42.0.0/16", "10.60.0.0/16", joined=False)
        assert judge_clusterset((holding("absent", "10.42.0.0/16"), new, *stated), only(OVERLAP)).passed == (OVERLAP,)
        like_what_one_holds = card("new", "10.46.0.0/16", "10.60.0.0/16", joined=False)
        assert judge_clusterset((holding("two", "10.46.0.0/16"), TWO, like_what_one_holds), only(OVERLAP)).passed == (OVERLAP,)

    def test_of_its_own_id_it_is_asked_whether_that_is_free(self):
        new = replace(card("new", "10.42.0.0/16", "10.43.0.0/16", joined=False), planned_id="absent")
        assert judge_clusterset((holding("absent", "10.42.0.0/16"), new), only(OVERLAP)).passed == (OVERLAP,)


class TestIdsToBe:
    """Under which id a cluster would be joined."""

    ID = "clusterset-duplicate-id"

    @pytest.mark.parametrize(
        ("planned", "title"),
        [
            ("two", "new would be joined under the id two, which two has"),
            ("absent", "new would be joined under the id absent, of which one holds an Endpoint already"),
        ],
    )
    def test_taken(self, planned, title):
        new = replace(card("new", "10.5.0.0/16", "10.6.0.0/16", joined=False), planned_id=planned)
        finding = single(self.ID, holding("absent", "10.42.0.0/16"), TWO, new)
        assert (finding.title, finding.severity, finding.cluster) == (title, "warning", "new")
        assert planned in {entry.value for entry in finding.evidence}  # by which the line of the inventory is found

    def test_the_same_for_two(self):
        both = [replace(card(name, joined=False), planned_id="cluster-2") for name in ("cluster-1", "cluster-2")]
        finding = single(self.ID, *both)
        assert (finding.cluster, finding.title) == ("cluster-2", "cluster-2 and cluster-1 would both be joined under the id cluster-2")

    def test_free_or_its_own_from_before(self):
        new = card("new", "10.5.0.0/16", "10.6.0.0/16", joined=False)
        for each in (new, replace(new, planned_id="new"), replace(new, planned_id="absent", left_ids=("absent",))):
            assert judge_clusterset((holding("absent", "10.42.0.0/16"), TWO, each), only(self.ID)).passed == (self.ID,)


class TestNodes:
    def test_the_same_node_network_is_no_clash(self):
        assert judge_clusterset((ONE, TWO), only(NODES)).passed == (NODES,)

    def test_nodes_inside_a_remote_range(self):
        finding = single(NODES, card("one", nodes=["10.42.7.0/28"]), TWO)
        assert (finding.severity, finding.cluster) == ("blocker", "clusterset")
        assert finding.title == "Nodes of one: addresses among the pods of two, 10.42.7.0/28"
        assert "rebuild two with" in finding.remedy.text

    def test_nodes_inside_the_own_range(self):
        finding = single(NODES, card("one", nodes=["10.46.0.1/32"]), TWO)
        assert (finding.cluster, finding.subject) == ("one", "cluster one")
        assert "of the same cluster" in finding.title

    def test_pods_and_services_of_one_cluster(self):
        assert (
            "Pods of one: addresses among the Services of the same cluster"
            in single(NODES, card("one", "10.0.0.0/8", "10.96.0.0/12"), card("two", "192.168.0.0/17", "192.168.128.0/17")).title
        )

    def test_before_a_join_it_is_an_error(self):
        assert single(NODES, card("one", nodes=["10.42.7.0/28"], joined=False), TWO).severity == "error"

    def test_globalnet_hides_the_real_ranges(self):
        two = card("two", "10.42.0.0/16", "10.43.0.0/16", globalnet=True, global_cidrs=("242.0.0.0/16",))
        assert found(NODES, card("one", nodes=["10.42.7.0/28"], globalnet=True, global_cidrs=("242.1.0.0/16",)), two) == ()
        assert single(NODES, card("one", nodes=["242.0.0.1/32"]), two).verdict == "fail"

    def test_proxy(self):
        finding = single(NODES, card("one", proxies=("10.43.0.9",)), TWO)
        assert finding.title == "The proxy of one: addresses among the Services of two, 10.43.0.9/32"

    def test_candidate_given_by_addresses(self):
        planned = candidate_cards({"new": {"pods": ["10.50.0.0/16"], "services": ["10.51.0.0/16"], "nodes": ["10.46.1.5", "192.0.2.0/24"]}})
        assert single(NODES, ONE, *planned).title == "Nodes of new: addresses among the pods of one, 10.46.1.5/32"

    def test_unread_nodes(self):
        snapshot = cluster("cluster-1", nodes=answer(FORBIDDEN))
        findings = found(NODES, card_of(Facts.of(snapshot)), TWO)
        assert [(finding.verdict, finding.cluster) for finding in findings] == [("unknown", "cluster-1")]


class TestReserved:
    @pytest.mark.parametrize(
        ("pods", "fields", "severity"),
        [
            ("240.1.0.0/16", {}, "error"),
            ("241.1.0.0/16", {"cable_driver": "vxlan"}, "error"),
            ("242.1.0.0/16", {}, "warning"),
            ("243.1.0.0/16", {}, "warning"),
            ("172.17.0.0/18", {}, "info"),
        ],
    )
    def test_taken(self, pods, fields, severity):
        finding = single(RESERVED, card("one", pods, **fields), TWO)
        assert (finding.severity, finding.cluster) == (severity, "one")
        assert pods in finding.title

    @pytest.mark.parametrize("fields", [{"pods": "241.1.0.0/16"}, {"global_cidrs": ("242.0.0.0/16",)}, {"nodes": ["172.17.0.2/32"]}])
    def test_nothing_to_say(self, fields):
        assert judge_clusterset((card("one", **fields), TWO), only(RESERVED)).passed == (RESERVED,)

    def test_vtep_addresses_of_nodes(self):
        assert single(RESERVED, card("one", nodes=["240.0.0.0/8"]), TWO).severity == "error"

    def test_unread(self):
        assert single(RESERVED, ONE, unreadable_card("two", "refused")).verdict == "unknown"


class TestCandidates:
    @pytest.mark.parametrize(
        ("given", "says"),
        [
            ({"new": ["10.0.0.0"]}, "an address without a prefix length"),
            ({"new": {"pod": ["10.0.0.0/16"]}}, "pod. Keys are pods"),
            ({"new": []}, "no CIDR at all"),
            ({"new": {"nodes": ["here"]}}, "'here' is no CIDR"),
            ({"new": 7}, "'7' is"),
        ],
    )
    def test_nonsense(self, given, says):
        with pytest.raises(InputError, match=says):
            candidate_cards(given)

    def test_one_list_for_a_fleet_names_the_clusters_at_hand_too(self):
        stated = candidate_cards({name: ["10.46.0.0/16", "10.45.0.0/16"] for name in ("host", "id-1", "planned", "dead", "new")})
        read = [
            card("host"),
            replace(card("other"), cluster_id="id-1"),
            replace(card("third", joined=False), planned_id="planned"),
            unreadable_card("dead", "refused"),
        ]
        kept, notes = without_known(stated, read)
        assert ([each.cluster for each in kept], notes) == (["dead", "new"], ())

    def test_ranges_that_are_stated_otherwise_than_they_were_read_are_told(self):
        kept, notes = without_known(candidate_cards({"one": ["10.46.0.0/16", "10.99.0.0/16"]}), [ONE])
        assert kept == () and notes == ("candidates: one is stated with 10.99.0.0/16, and has 10.45.0.0/16, 10.46.0.0/16, which counts.",)

    def test_facts_say_so(self):
        assert candidate_cards({"new": "10.0.0.0/16"})[0].facts == ("candidate", "pods 10.0.0.0/16")


class TestCards:
    def test_what_a_card_tells_of_nodes_globalnet_and_proxies(self):
        joined = submariner("cluster-1", globalCIDR="242.0.0.0/16")
        made = card_of(Facts.of(cluster("cluster-1", submariners=ok(joined), deployments=ok(operator(HTTPS_PROXY="http://u:x@192.0.2.9:3128")))))
        assert made.node_networks == ("192.168.0.1/32",)
        assert (made.global_cidrs, made.proxies, made.cable_driver) == (("242.0.0.0/16",), ("192.0.2.9",), "libreswan")
        assert Card.from_dict(json.loads(json.dumps(made.to_dict()))) == made


def operator(**env):
    return Deployment(Ref("Deployment", "submariner-operator", NAMESPACE), (container("submariner-operator", **env),), 1, 1)


def behind_proxy(past, **changes):
    return cluster(**{"deployments": ok(operator(HTTPS_PROXY="http://192.0.2.9:3128", NO_PROXY=past)), **changes})


class TestNoProxy:
    def test_without_proxy(self):
        expect_not_asked(cluster(), NO_PROXY)

    @pytest.mark.parametrize("past", ["10.45.0.0/16,10.46.0.0/16,.svc", "*", "10.0.0.0/8, localhost"])
    def test_complete(self, past):
        expect_pass(behind_proxy(past), NO_PROXY)

    @pytest.mark.parametrize("past", ["", "localhost,.svc", "10.46.0.0/16"])
    def test_api_server_through_the_proxy(self, past):
        finding = expect_fail(behind_proxy(past), NO_PROXY)
        assert finding.severity == "error"
        assert finding.title == "no_proxy does not name the API server (10.45.0.1/32), so that is asked for through 192.0.2.9"

    def test_pods_through_the_proxy(self):
        finding = expect_fail(behind_proxy("10.45.0.0/16"), NO_PROXY)
        assert (finding.severity, finding.impact) == ("warning", "Traffic of Submariner's components to pods of this cluster goes to the proxy.")

    def test_services_and_pods(self):
        titles = [finding.title for finding in judged(behind_proxy("10.45.0.1"), NO_PROXY).findings]
        assert [title.split(" (")[0] for title in titles] == ["no_proxy does not name Services", "no_proxy does not name pods"]

    def test_unknown(self):
        expect_unknown(behind_proxy("*", deployments=answer(FORBIDDEN)), NO_PROXY)
        unclear = {name: answer(FORBIDDEN) for name in ("ip_pools", "pods", "helm_charts", "installations")}
        assert "not agreed" in expect_unknown(behind_proxy("*", **unclear), NO_PROXY).missing


def test_reserved_ranges_are_what_submariner_takes():
    from ansible_collections.fathom.submariner.plugins.module_utils._checks._overlap_matrix import RESERVED as TABLE

    assert [str(entry.network) for entry in TABLE] == ["240.0.0.0/8", "241.0.0.0/8", "242.0.0.0/8", "243.0.0.0/8", "172.17.0.0/16"]
    assert all(isinstance(entry.network, ipaddress.IPv4Network) for entry in TABLE)
