# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of the verdict on CIDRs."""

from __future__ import annotations

import ipaddress
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import FAMILIES, covers, parse_cidrs
from ansible_collections.fathom.submariner.plugins.module_utils._network._evidence import (
    AUTHORITY, INSTALL, LIVE, POD, SERVICE, SHOWN, STANDINGS, STATED, CidrEvidence, Reality, UsedAddress,
)
from ansible_collections.fathom.submariner.plugins.module_utils._network._verdict import ABSENT, AGREED, CONFLICT, REFUTED, UNKNOWN, judge

SOURCES = {AUTHORITY: "ip_pool", LIVE: "kube_controller_manager", INSTALL: "kubeadm_config", STATED: "stated", SHOWN: "node_pod_cidr"}


def row(standing, cidr, source=None, subject=POD, family="ipv4", rank=None, name="x"):
    source = source or ("service_cidr" if subject == SERVICE and standing == AUTHORITY else SOURCES[standing])
    rank = STANDINGS.index(standing) + 1 if rank is None else rank
    return CidrEvidence(subject, family, (cidr,), source, f"Object {name}", "field", cidr, rank, standing)


def unread(standing, subject=POD):
    return CidrEvidence(subject, "", (), SOURCES[standing], SOURCES[standing], "", "", STANDINGS.index(standing) + 1, standing, "", "forbidden (GET /x)")


def pods(*addresses, missing=""):
    return Reality(POD, tuple(UsedAddress(f"Pod default/p{index}", address) for index, address in enumerate(addresses)), missing)


def services(*addresses, missing=""):
    return Reality(SERVICE, tuple(UsedAddress(f"Service default/s{index}", address) for index, address in enumerate(addresses)), missing)


def pod_verdict(*rows, reality=pods("10.42.1.1"), family="ipv4"):
    return judge(rows, reality, services()).pod(family)


def service_verdict(*rows, reality=services("10.43.0.1")):
    return judge(rows, pods(), reality).service()


POOL = row(AUTHORITY, "10.42.0.0/16")
KCM = row(LIVE, "10.42.0.0/16")


class TestAgreed:
    def test_pools_and_flags_that_are_equal(self):
        verdict = pod_verdict(POOL, KCM, row(LIVE, "10.42.0.0/16", "helm_chart"))
        assert (verdict.status, verdict.cidrs, verdict.verified) == (AGREED, ("10.42.0.0/16",), True)
        assert verdict.because == "ip_pool, as helm_chart and kube_controller_manager say"
        assert (verdict.dissent, verdict.missing, verdict.outside_count) == ((), (), 0)

    def test_pools_alone(self):
        assert pod_verdict(POOL).because == "ip_pool"

    def test_several_pools_are_one_range_where_they_fit_together(self):
        verdict = pod_verdict(row(AUTHORITY, "10.42.0.0/17", name="a"), row(AUTHORITY, "10.42.128.0/17", name="b"), KCM)
        assert (verdict.status, verdict.cidrs) == (AGREED, ("10.42.0.0/16",))

    def test_several_pools_apart_are_several_ranges(self):
        verdict = pod_verdict(row(AUTHORITY, "10.42.0.0/16", name="a"), row(AUTHORITY, "10.50.0.0/16", name="b"), reality=pods("10.42.0.9", "10.50.0.9"))
        assert (verdict.status, verdict.cidrs) == (AGREED, ("10.42.0.0/16", "10.50.0.0/16"))

    def test_a_covering_cluster_cidr_is_the_answer_and_the_pools_lie_inside(self):
        verdict = pod_verdict(row(AUTHORITY, "10.42.64.0/18"), KCM, reality=pods("10.42.64.7"))
        assert (verdict.status, verdict.cidrs, verdict.verified) == (AGREED, ("10.42.0.0/16",), True)
        assert "ip_pool 10.42.64.0/18 inside" in verdict.because
        assert [claim.relation for claim in verdict.claims] == ["part", "equal"]

    def test_install_time_sources_that_differ_are_dissent(self):
        verdict = pod_verdict(POOL, KCM, row(INSTALL, "10.244.0.0/16"))
        assert verdict.status == AGREED
        assert verdict.dissent == ("kubeadm_config (Object x): 10.244.0.0/16, as asked for at installation",)

    def test_a_live_source_that_reality_refutes_is_outvoted(self):
        verdict = pod_verdict(row(AUTHORITY, "10.244.0.0/16"), KCM, reality=pods("10.244.3.4"))
        assert (verdict.status, verdict.cidrs) == (AGREED, ("10.244.0.0/16",))
        assert "pod addresses lie outside it" in verdict.dissent[0]

    def test_flags_alone(self):
        verdict = pod_verdict(KCM, row(LIVE, "10.42.0.0/16", "node_args"))
        assert (verdict.status, verdict.cidrs, verdict.verified) == (AGREED, ("10.42.0.0/16",), True)

    def test_install_time_sources_alone_when_reality_confirms(self):
        assert pod_verdict(row(INSTALL, "10.42.0.0/16")).status == AGREED

    def test_reality_that_cannot_be_read_leaves_it_unverified(self):
        verdict = pod_verdict(POOL, KCM, reality=pods(missing="pods: forbidden"))
        assert (verdict.status, verdict.verified, verdict.missing) == (AGREED, False, ("pods: forbidden",))

    def test_no_addresses_leave_it_unverified(self):
        verdict = pod_verdict(POOL, KCM, reality=pods())
        assert (verdict.status, verdict.verified) == (AGREED, False)
        assert "to compare with yet" in verdict.missing[0]

    def test_unread_pools_do_not_matter_where_reality_confirms_the_flags(self):
        verdict = pod_verdict(unread(AUTHORITY), KCM)
        assert (verdict.status, verdict.verified) == (AGREED, True)
        assert verdict.missing == ("ip_pool: forbidden (GET /x)",)

    def test_node_pod_cidrs_are_never_a_candidate(self):
        assert pod_verdict(row(SHOWN, "10.42.0.0/24"), reality=pods()).status == ABSENT

    def test_families_are_judged_apart(self):
        truth = judge([POOL, row(AUTHORITY, "fd00::/48", family="ipv6")], pods("10.42.0.1", "fd00::1"), services())
        assert truth.pod("ipv6").cidrs == ("fd00::/48",)
        assert [str(network) for network in truth.networks(POD)] == ["10.42.0.0/16", "fd00::/48"]
        assert truth.networks(SERVICE) == ()

    def test_service_cidrs_beyond_the_flag_are_an_extension(self):
        verdict = service_verdict(
            row(AUTHORITY, "10.43.0.0/16", subject=SERVICE, name="kubernetes"), row(AUTHORITY, "10.99.0.0/24", subject=SERVICE, name="more"),
            row(LIVE, "10.43.0.0/16", "kube_apiserver", SERVICE),
        )
        assert (verdict.status, verdict.cidrs) == (AGREED, ("10.43.0.0/16", "10.99.0.0/24"))


class TestConflict:
    def test_every_source_and_value_is_named(self):
        verdict = pod_verdict(row(AUTHORITY, "10.42.0.0/16"), row(LIVE, "10.42.0.0/17"), reality=pods("10.42.1.1"))
        assert (verdict.status, verdict.cidrs, verdict.verified) == (CONFLICT, (), False)
        assert all(text in verdict.because for text in ("ip_pool", "10.42.0.0/16", "kube_controller_manager", "10.42.0.0/17"))

    def test_disjoint_sources_that_reality_does_not_tell_apart(self):
        assert pod_verdict(row(AUTHORITY, "10.244.0.0/16"), KCM, reality=pods()).status == CONFLICT
        assert pod_verdict(row(AUTHORITY, "10.244.0.0/16"), KCM, reality=pods(missing="pods: forbidden")).status == CONFLICT

    def test_an_unused_pool_outside_the_flag_may_be_of_a_remote_cluster(self):
        assert pod_verdict(POOL, row(AUTHORITY, "10.46.0.0/16", name="remote"), KCM).status == CONFLICT

    def test_two_covering_ranges(self):
        verdict = pod_verdict(row(AUTHORITY, "10.42.64.0/18"), KCM, row(LIVE, "10.0.0.0/8", "helm_chart"), reality=pods())
        assert verdict.status == CONFLICT

    def test_live_sources_without_pools(self):
        assert pod_verdict(KCM, row(LIVE, "10.0.0.0/8", "helm_chart")).status == CONFLICT

    def test_reality_decides_between_live_sources_without_pools(self):
        verdict = pod_verdict(KCM, row(LIVE, "10.50.0.0/16", "helm_chart"))
        assert (verdict.status, verdict.cidrs) == (AGREED, ("10.42.0.0/16",))

    def test_two_control_planes_with_different_flags(self):
        assert pod_verdict(KCM, row(LIVE, "10.0.0.0/8", name="y")).status == CONFLICT

    def test_pods_outside_the_pools_side_with_the_flag(self):
        assert pod_verdict(row(AUTHORITY, "10.244.0.0/16"), KCM).status == CONFLICT


class TestRefuted:
    def test_addresses_outside_are_counted_and_named(self):
        outside = [f"192.168.7.{index}" for index in range(1, 10)]
        verdict = pod_verdict(POOL, KCM, reality=pods("10.42.1.1", *outside))
        assert (verdict.status, verdict.cidrs, verdict.outside_count, verdict.addresses) == (REFUTED, ("10.42.0.0/16",), 9, 10)
        assert len(verdict.outside) == 5
        assert verdict.outside[0] == "Pod default/p1 192.168.7.1"
        assert "9 of 10" in verdict.because

    def test_a_range_that_is_too_narrow(self):
        verdict = pod_verdict(row(LIVE, "10.42.0.0/24"))
        assert (verdict.status, verdict.outside_count) == (REFUTED, 1)

    def test_a_covering_flag_saves_pools_that_no_longer_hold_every_pod(self):
        verdict = pod_verdict(row(AUTHORITY, "10.42.0.0/17"), KCM, reality=pods("10.42.200.1"))
        assert (verdict.status, verdict.cidrs) == (AGREED, ("10.42.0.0/16",))

    def test_addresses_without_any_source(self):
        assert pod_verdict(reality=pods("10.42.0.1")).status == REFUTED


class TestUnknownAndAbsent:
    def test_nothing_anywhere_is_absent(self):
        verdict = pod_verdict(reality=pods())
        assert (verdict.status, verdict.cidrs) == (ABSENT, ())

    def test_a_source_that_names_the_other_family_only_settles_it(self):
        verdict = pod_verdict(POOL, unread(INSTALL), family="ipv6")
        assert verdict.status == ABSENT

    def test_pods_with_addresses_of_the_other_family_only_settle_it(self):
        assert pod_verdict(unread(AUTHORITY), KCM, family="ipv6").status == ABSENT
        assert pod_verdict(unread(AUTHORITY), KCM, family="ipv6", reality=pods()).status == UNKNOWN

    def test_services_of_one_family_do_not_settle_the_other(self):
        assert judge([unread(AUTHORITY, SERVICE)], pods(), services("10.43.0.1")).service("ipv6").status == UNKNOWN

    def test_unread_sources_make_it_unknown(self):
        verdict = pod_verdict(unread(AUTHORITY), unread(LIVE), reality=pods())
        assert verdict.status == UNKNOWN
        assert len(verdict.missing) == 2

    def test_flags_without_pools_and_without_reality(self):
        assert pod_verdict(unread(AUTHORITY), KCM, reality=pods(missing="pods: forbidden")).status == UNKNOWN

    def test_install_time_sources_without_reality(self):
        assert pod_verdict(row(INSTALL, "10.42.0.0/16"), reality=pods()).status == UNKNOWN

    def test_install_time_sources_with_unread_pools(self):
        assert pod_verdict(unread(AUTHORITY), row(INSTALL, "10.42.0.0/16")).status == UNKNOWN


class TestStated:
    def test_what_is_stated_and_found(self):
        verdict = pod_verdict(POOL, row(STATED, "10.42.0.0/16"))
        assert (verdict.status, verdict.because) == (AGREED, "ip_pool; as stated")

    def test_it_resolves_a_conflict_when_it_covers_the_pools(self):
        conflict = (POOL, row(AUTHORITY, "10.46.0.0/16", name="b"), KCM)
        assert pod_verdict(*conflict, row(STATED, "10.42.0.0/16")).status == CONFLICT
        verdict = pod_verdict(*conflict, row(STATED, "10.40.0.0/13"))
        assert (verdict.status, verdict.cidrs) == (AGREED, ("10.40.0.0/13",))

    def test_it_chooses_between_live_sources(self):
        rows = (KCM, row(LIVE, "10.0.0.0/8", "helm_chart"))
        assert pod_verdict(*rows, row(STATED, "10.42.0.0/16")).cidrs == ("10.42.0.0/16",)
        assert pod_verdict(*rows, row(STATED, "10.99.0.0/16"), reality=pods()).status == CONFLICT

    def test_it_is_checked_against_reality(self):
        verdict = pod_verdict(KCM, row(LIVE, "10.0.0.0/8", "helm_chart"), row(STATED, "10.50.0.0/16"))
        assert (verdict.status, verdict.outside) == (REFUTED, ("Pod default/p0 10.42.1.1",))

    def test_it_does_not_overrule_agreement(self):
        verdict = pod_verdict(POOL, KCM, row(STATED, "10.0.0.0/8"))
        assert verdict.status == CONFLICT
        assert "10.0.0.0/8" in verdict.because and "10.42.0.0/16" in verdict.because

    def test_it_may_be_the_range_that_the_pools_are_cut_out_of(self):
        verdict = pod_verdict(row(AUTHORITY, "10.42.0.0/18"), row(STATED, "10.42.0.0/16"))
        assert (verdict.status, verdict.cidrs) == (AGREED, ("10.42.0.0/16",))

    def test_it_fills_a_gap(self):
        verdict = pod_verdict(row(STATED, "10.42.0.0/16"), unread(AUTHORITY), reality=pods(missing="pods: forbidden"))
        assert (verdict.status, verdict.verified) == (AGREED, False)

    def test_it_does_not_invent_a_family(self):
        assert pod_verdict(POOL, row(STATED, "fd00::/48", family="ipv6"), family="ipv6").status == CONFLICT

    def test_nonsense_is_never_passed_over(self):
        nonsense = CidrEvidence(POD, "", (), "stated", "the user", "pod_cidrs", "rubbish", 30, STATED, "", "'rubbish' is no CIDR")
        verdict = pod_verdict(POOL, KCM, nonsense)
        assert verdict.status == CONFLICT
        assert "rubbish" in verdict.because


def test_garbled_addresses_leave_the_answer_unverified():
    verdict = pod_verdict(POOL, reality=pods("10.42.0.1", "garbage"))
    assert (verdict.status, verdict.verified) == (AGREED, False)
    assert "garbage" in verdict.missing[0]


def test_pods_and_services_that_overlap_are_a_problem():
    truth = judge([POOL, row(AUTHORITY, "10.42.128.0/17", subject=SERVICE)], pods("10.42.0.1"), services("10.42.128.1"))
    assert truth.problems == ("the pod CIDR 10.42.0.0/16 and the service CIDR 10.42.128.0/17 overlap",)


def test_the_result_is_plain_json():
    truth = judge([POOL, KCM, unread(INSTALL)], pods("10.42.0.1", "10.99.0.1"), services("10.43.0.1"))
    plain = truth.to_dict()
    assert json.loads(json.dumps(plain)) == plain
    assert plain["pod"]["ipv4"]["status"] == REFUTED
    assert plain["pod"]["ipv4"]["claims"][0]["cidrs"] == ["10.42.0.0/16"]


CIDRS = ["10.42.0.0/16", "10.42.0.0/17", "10.42.128.0/17", "10.43.0.0/16", "10.40.0.0/13", "10.42.0.0/24", "fd00::/48", "fd00::/56"]
ADDRESSES = ["10.42.0.1", "10.42.200.1", "10.43.0.1", "10.99.0.1", "fd00::1", "fd00:0:0:ff00::1", "garbage"]
any_row = st.builds(
    lambda standing, cidr, source, subject, rank: row(
        standing, cidr, "ip_pool" if standing == AUTHORITY else source, subject, "ipv6" if ":" in cidr else "ipv4", rank
    ),
    st.sampled_from(STANDINGS), st.sampled_from(CIDRS), st.sampled_from(["a", "b", "c"]), st.sampled_from([POD, SERVICE]), st.integers(1, 5),
)
unread_rows = st.builds(unread, st.sampled_from(STANDINGS), st.sampled_from([POD, SERVICE]))
evidence = st.lists(st.one_of(any_row, any_row, any_row, unread_rows), max_size=7)
realities = st.tuples(st.lists(st.sampled_from(ADDRESSES), max_size=4), st.sampled_from(["", "", "pods: forbidden"]))


@settings(max_examples=400)
@given(evidence, realities, realities)
def test_an_agreed_verdict_holds_all_of_reality(rows, pod_reality, service_reality):
    truth = judge(rows, pods(*pod_reality[0], missing=pod_reality[1]), services(*service_reality[0], missing=service_reality[1]))
    for verdict, reality in [(truth.of(subject, family), value) for subject, value in ((POD, pod_reality), (SERVICE, service_reality)) for family in FAMILIES]:
        assert verdict.because
        assert bool(verdict.cidrs) == (verdict.status in (AGREED, REFUTED)) or verdict.status == REFUTED
        assert verdict.verified <= verdict.agreed
        if verdict.agreed:
            inside = [ipaddress.ip_address(text) for text in reality[0] if text != "garbage"]
            inside = [address for address in inside if (address.version == 4) == (verdict.family == "ipv4")]
            assert all(any(address in network for network in verdict.networks) for address in inside)
            assert verdict.outside_count == 0
            assert not verdict.verified or inside and not reality[1] and "garbage" not in reality[0]
            about = (AUTHORITY, verdict.subject, verdict.family)
            authority = [cidr for entry in rows for cidr in entry.cidrs if (entry.standing, entry.subject, entry.family) == about]
            assert covers(verdict.networks, parse_cidrs(authority).networks)


@settings(max_examples=300)
@given(evidence, realities, st.randoms(use_true_random=False))
def test_the_order_of_evidence_and_of_addresses_does_not_matter(rows, reality, random):
    shuffled, addresses = list(rows), list(pods(*reality[0]).addresses)
    before = judge(rows, Reality(POD, tuple(addresses), reality[1]), services())
    random.shuffle(shuffled)
    random.shuffle(addresses)
    assert judge(shuffled, Reality(POD, tuple(addresses), reality[1]), services()) == before


@settings(max_examples=300)
@given(evidence, realities)
def test_an_agreed_answer_never_passes_over_a_live_source_of_pods(rows, reality):
    unstated = [entry for entry in rows if entry.standing != STATED]
    verdict = judge(unstated, pods(*reality[0], missing=reality[1]), services()).pod()
    differing = [claim for claim in verdict.claims if claim.standing == LIVE and claim.relation not in ("equal", "refuted")]
    assert not (verdict.agreed and differing)


@pytest.mark.parametrize("subject", [POD, SERVICE])
def test_what_is_shown_changes_nothing(subject):
    rows = [row(AUTHORITY, "10.42.0.0/16", subject=subject)]
    before = judge(rows, pods(), services()).of(subject)
    assert judge([*rows, row(SHOWN, "10.99.0.0/24", subject=subject)], pods(), services()).of(subject) == before
