# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each check of the clusterset: a set on which it passes, one on which it fails, one on which it cannot be judged."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._checks._card import Card, card_of, unreadable_card
from ansible_collections.fathom.submariner.plugins.module_utils._checks._catalogue import CHECKS
from ansible_collections.fathom.submariner.plugins.module_utils._checks._engine import judge_clusterset
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import CLUSTERSET
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import FORBIDDEN, Ref
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import (
    answer,
    broken,
    cluster,
    endpoint,
    judged,
    ok,
    only,
    remote_pool,
    set_judged,
    submariner,
)

HEALTHY = [cluster("cluster-1"), cluster("cluster-2")]
BROKEN = [broken("cluster-1"), broken("cluster-2")]


def one(snapshots, check_id, verdict="fail"):
    findings = set_judged(snapshots, check_id).findings
    assert [(finding.id, finding.verdict) for finding in findings] == [(check_id, verdict)]
    return findings[0]


class TestHealthy:
    def test_all_pass(self):
        judgement = set_judged(HEALTHY)
        assert judgement.findings == ()
        assert set(judgement.passed) == {check.id for check in CHECKS if check.scope == CLUSTERSET}

    def test_not_joined_ones(self):
        assert set_judged([cluster("cluster-1", joined=False), cluster("cluster-2", joined=False)]).findings == ()


class TestEach:
    """Each check by itself, where the tests below judge several."""

    @pytest.mark.parametrize(
        "check_id", ["clusterset-duplicate-id", "clusterset-member-unread", "clusterset-endpoint-wrong", "clusterset-pool-wrong"]
    )
    def test_passes(self, check_id):
        assert set_judged(HEALTHY, check_id).passed == (check_id,)

    @pytest.mark.parametrize("check_id", ["clusterset-duplicate-id", "clusterset-endpoint-wrong"])
    def test_unread_cluster(self, check_id):
        cards = [card_of(Facts.of(cluster("cluster-1"))), unreadable_card("cluster-2", "connection refused")]
        (finding,) = judge_clusterset(cards, only(check_id)).findings
        assert (finding.cluster, finding.verdict, finding.missing) == ("cluster-2", "unknown", "connection refused")


class TestIncident001:
    def test_consequences_name_their_cause(self):
        findings = set_judged(BROKEN).findings
        assert sorted((finding.id, finding.cluster, finding.severity, finding.caused_by) for finding in findings) == [
            ("clusterset-endpoint-wrong", "cluster-1", "warning", "cluster-2/submariner-cidr-wrong"),
            ("clusterset-endpoint-wrong", "cluster-2", "warning", "cluster-1/submariner-cidr-wrong"),
            ("clusterset-pool-wrong", "cluster-1", "warning", "cluster-2/submariner-cidr-wrong"),
            ("clusterset-pool-wrong", "cluster-2", "warning", "cluster-1/submariner-cidr-wrong"),
        ]

    def test_every_cause_exists(self):
        keys = {finding.key for snapshot in BROKEN for finding in judged(snapshot).findings}
        assert {finding.caused_by for finding in set_judged(BROKEN).findings} <= keys

    def test_the_remedy_runs_on_the_owner(self):
        finding = next(item for item in set_judged(BROKEN, "clusterset-pool-wrong").findings if item.cluster == "cluster-2")
        assert finding.remedy.cluster == "cluster-1"
        assert finding.remedy.variables["join_cluster_cidr"] == "10.46.0.0/16"
        assert finding.remedy.variables["join_cluster_id"] == "cluster-1"


class TestHalfRepaired:
    """cluster-1 is right again, its peer still follows the old value."""

    def test_stale_endpoint(self):
        peer = cluster("cluster-2", remote=("10.45.0.0/16", "10.46.0.0/24"))
        finding = one([cluster("cluster-1"), peer], "clusterset-endpoint-wrong")
        assert (finding.cluster, finding.severity, finding.caused_by) == ("cluster-2", "error", "")
        assert "really has 10.45.0.0/16, 10.46.0.0/16" in finding.title

    def test_stale_pool(self):
        peer = cluster("cluster-2", pools=[remote_pool("cluster-1", "10.45.0.0/16"), remote_pool("cluster-1", "10.46.0.0/24")])
        finding = one([cluster("cluster-1"), peer], "clusterset-pool-wrong")
        assert (finding.cluster, finding.severity, finding.caused_by) == ("cluster-2", "warning", "cluster-2/remote-pool-stale")
        assert finding.title.endswith("it is left over from a wrong value")

    def test_pool_of_an_endpoint_that_is_stale_itself(self):
        peer = cluster("cluster-2", remote=("10.45.0.0/16", "10.46.0.0/24"))
        finding = one([cluster("cluster-1"), peer], "clusterset-pool-wrong")
        assert (finding.cluster, finding.severity, finding.caused_by) == ("cluster-2", "error", "")

    def test_endpoint_not_yet_announced_anew(self):
        owner = cluster("cluster-1", announced=("10.45.0.0/16", "10.46.0.0/24"))
        finding = one([owner, cluster("cluster-2", remote=("10.45.0.0/16", "10.46.0.0/24"))], "clusterset-endpoint-wrong")
        assert finding.caused_by == "cluster-1/announced-cidr-wrong"
        assert finding.caused_by in {item.key for item in judged(owner).findings}


class TestOverlap:
    def test_same_ranges(self):
        twin = replace(cluster("cluster-1"), cluster="copy")
        finding = one([cluster("cluster-1"), twin, cluster("cluster-2")], "clusterset-cidr-overlap")
        assert finding.cluster == "clusterset"
        assert finding.title == "cluster-1 and copy both use 10.46.0.0/16, 10.45.0.0/16"

    def test_globalnet_is_for_that(self):
        joined = submariner("cluster-1", globalCIDR="242.0.0.0/16")
        one_side = cluster("cluster-1", joined=joined)
        other_side = replace(one_side, cluster="copy", submariners=ok(submariner("cluster-1", globalCIDR="242.1.0.0/16")))
        assert set_judged([one_side, other_side], "clusterset-cidr-overlap").findings == ()

    def test_wrong_announcement_does_not_hide_it(self):
        first, second = broken("cluster-1"), replace(broken("cluster-1"), cluster="copy")
        assert one([first, second], "clusterset-cidr-overlap").verdict == "fail"

    def test_unknown(self):
        unread = cluster(
            "cluster-2", ip_pools=answer(FORBIDDEN), pods=answer(FORBIDDEN), helm_charts=answer(FORBIDDEN), installations=answer(FORBIDDEN)
        )
        finding = one([cluster("cluster-1"), unread], "clusterset-cidr-overlap", "unknown")
        assert finding.cluster == "cluster-2"


class TestMembers:
    def test_duplicate_id(self):
        twin = replace(cluster("cluster-1"), cluster="copy")
        assert one([cluster("cluster-1"), twin], "clusterset-duplicate-id").title == "cluster-1 and copy have the same cluster id cluster-1"

    def test_unread_cluster(self):
        cards = [card_of(Facts.of(cluster("cluster-1"))), unreadable_card("cluster-2", "connection refused")]
        findings = judge_clusterset(cards, only("clusterset-member-unread")).findings
        assert [(finding.cluster, finding.verdict, finding.missing) for finding in findings] == [("cluster-2", "unknown", "connection refused")]

    def test_nothing_passes_on_a_cluster_that_was_not_read(self):
        judgement = judge_clusterset([card_of(Facts.of(cluster("cluster-1"))), unreadable_card("cluster-2", "connection refused")])
        assert judgement.passed == ()
        assert {finding.missing for finding in judgement.findings} == {"connection refused"}

    def test_member_without_truth(self):
        unread = cluster(
            "cluster-2", ip_pools=answer(FORBIDDEN), pods=answer(FORBIDDEN), helm_charts=answer(FORBIDDEN), installations=answer(FORBIDDEN)
        )
        judgement = set_judged([cluster("cluster-1"), unread])
        assert not {"clusterset-endpoint-wrong", "clusterset-pool-wrong", "clusterset-cidr-overlap"} & set(judgement.passed)

    def test_forbidden_endpoints(self):
        finding = one([cluster("cluster-1", endpoints=answer(FORBIDDEN)), cluster("cluster-2")], "clusterset-member-unread", "unknown")
        assert "forbidden" in finding.missing

    def test_stranger(self):
        finding = one([cluster("cluster-1")], "clusterset-member-unread", "unknown")
        assert finding.severity == "info"
        assert "add it to the inventory" in finding.missing

    def test_forbidden_pools(self):
        finding = one([cluster("cluster-1", ip_pools=answer(FORBIDDEN)), cluster("cluster-2")], "clusterset-pool-wrong", "unknown")
        assert finding.cluster == "cluster-1"


class TestCard:
    @pytest.mark.parametrize("snapshot", [cluster(), broken(), cluster(joined=False), cluster(submariners=answer(FORBIDDEN))])
    def test_survives_the_journey(self, snapshot):
        card = card_of(Facts.of(snapshot))
        assert Card.from_dict(card.to_dict()) == card

    def test_remote_and_own_endpoints(self):
        card = card_of(Facts.of(cluster(endpoints=ok(endpoint("cluster-1", "10.46.0.0/16"), endpoint("cluster-2", "10.42.0.0/16")))))
        assert [entry.cluster_id for entry in card.announced] == ["cluster-1"]
        assert [entry.cluster_id for entry in card.remote] == ["cluster-2"]

    @pytest.mark.parametrize(
        "change", [{"format": 99}, {"format": None}, {"surprise": 1}, {"pods": 7}, {"remote": [{"subnets": []}]}, {"pools": [{"x": 1}]}]
    )
    def test_nonsense(self, change):
        with pytest.raises(InputError):
            Card.from_dict({**card_of(Facts.of(cluster())).to_dict(), **change})

    def test_refs_are_texts(self):
        card = card_of(Facts.of(cluster()))
        assert card.announced[0].object == str(Ref("Endpoint", "cluster-1-submariner-cable-cluster-1-192-168-0-1", "submariner-operator"))
