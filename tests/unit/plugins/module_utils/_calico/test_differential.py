# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The decision tree: causes exclude each other, nothing is claimed without its observations, and knowing less never claims more."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._calico import _differential as tree

DEAD = {tree.WHAT: tree.PATH, tree.ALIVE: True, tree.SMALL: False, tree.WIRED: True, tree.STRICT: False, tree.DROPPED: False}
LIVING = {tree.WHAT: tree.PATH, tree.ALIVE: True, tree.SMALL: True, tree.WIRED: True, tree.STRICT: False, tree.DROPPED: False, tree.EXCHANGE: True}
TUNNEL = {tree.CARRIER: True, tree.BESIDE: True, tree.UDP_BESIDE: True, tree.LARGE_BESIDE: True, tree.OFFLOADED: True}
FILTERED = {tree.FULL: False, tree.DATAGRAM: True, tree.LARGE: True, tree.REFUSAL: False}
# What somebody may see, and what it is to be called: "" is none, or not told apart. Written by hand, from what the network does, not from the signatures.
SEEN = [
    ("a link that is too small, in silence", {**LIVING, tree.FULL: False, tree.DATAGRAM: False, tree.LARGE: False, tree.REFUSAL: False}, "mtu"),
    ("the same, without a responder for TCP", {**LIVING, tree.EXCHANGE: None, tree.FULL: False, tree.DATAGRAM: False, tree.REFUSAL: False}, "mtu"),
    ("a router says so, and TCP adapts", {**LIVING, tree.FULL: False, tree.DATAGRAM: False, tree.LARGE: True, tree.REFUSAL: True}, "mtu"),
    ("a router says so to pings, nothing else was tried", {**LIVING, tree.EXCHANGE: None, tree.FULL: False, tree.REFUSAL: True}, "mtu"),
    ("pings are filtered altogether, large UDP and TCP lost", {**LIVING, tree.DATAGRAM: False, tree.LARGE: False}, "mtu"),
    ("large pings lost, nothing else was tried", {**LIVING, tree.EXCHANGE: None, tree.FULL: False, tree.REFUSAL: False}, ""),
    ("large pings lost, UDP as large passes", {**LIVING, tree.FULL: False, tree.DATAGRAM: True, tree.REFUSAL: False}, ""),
    ("large pings are filtered", {**LIVING, **FILTERED}, ""),
    ("large pings are filtered in the tunnel", {**LIVING, **FILTERED, **TUNNEL}, ""),
    ("checksums: no TCP and no UDP in the tunnel", {**LIVING, **TUNNEL, tree.FULL: True, tree.EXCHANGE: False}, "checksum-offload"),
    ("segmentation: no large TCP in the tunnel", {**LIVING, **TUNNEL, tree.FULL: True, tree.DATAGRAM: True, tree.LARGE: False}, "checksum-offload"),
    ("no large TCP, beside the tunnel neither", {**LIVING, **TUNNEL, tree.FULL: True, tree.DATAGRAM: True, tree.LARGE: False, tree.LARGE_BESIDE: False}, ""),
    ("no large TCP, beside the tunnel not tried", {**LIVING, **TUNNEL, tree.FULL: True, tree.DATAGRAM: True, tree.LARGE: False, tree.LARGE_BESIDE: None}, ""),
    ("no TCP and no UDP, beside the tunnel neither", {**LIVING, **TUNNEL, tree.FULL: True, tree.EXCHANGE: False, tree.BESIDE: False}, ""),
    ("no TCP and no UDP, checksums made by the kernel", {**LIVING, **TUNNEL, tree.FULL: True, tree.EXCHANGE: False, tree.OFFLOADED: False}, ""),
    ("no TCP and no UDP, a policy drops them", {**LIVING, **TUNNEL, tree.FULL: True, tree.EXCHANGE: False, tree.DROPPED: True}, "policy"),
    ("nothing through the tunnel, UDP beside it", {**DEAD, **TUNNEL}, "udp-blocked"),
    ("nothing through the tunnel, a rule of a node drops it", {**DEAD, tree.CARRIER: True, tree.RULE: True}, "udp-blocked"),
    ("nothing, and there is no tunnel", {**DEAD, **TUNNEL, tree.CARRIER: False}, ""),
    ("nothing, and whether there is a tunnel is not known", {**DEAD, **TUNNEL, tree.CARRIER: None}, ""),
    ("nothing through the tunnel, UDP beside it not tried", {**DEAD, tree.CARRIER: True, tree.RULE: False}, ""),
    ("nothing, no route", {**DEAD, **TUNNEL, tree.WIRED: False}, "route"),
    ("nothing, a strict filter", {**DEAD, **TUNNEL, tree.STRICT: True}, "rp-filter"),
    ("nothing, a policy", {**DEAD, **TUNNEL, tree.DROPPED: True}, "policy"),
    ("nothing, and the node may be down", {**DEAD, **TUNNEL, tree.ALIVE: None}, ""),
    ("a Service, its pods answer", {tree.WHAT: tree.SERVICE, tree.EXCHANGE: False, tree.DIRECT: True, tree.IS_IPVS: True}, "ipvs"),
    ("a Service, a pod of it does not answer either", {tree.WHAT: tree.SERVICE, tree.EXCHANGE: False, tree.DIRECT: None, tree.IS_IPVS: True}, ""),
    ("a Service, by iptables", {tree.WHAT: tree.SERVICE, tree.EXCHANGE: False, tree.DIRECT: True, tree.IS_IPVS: False}, ""),
    ("everything passes", {**LIVING, **TUNNEL, tree.FULL: True, tree.DATAGRAM: True, tree.LARGE: True}, ""),
]


@pytest.mark.parametrize(("observed", "expected"), [pytest.param(*rest, id=name) for name, *rest in SEEN])
def test_what_is_seen_is_called_what_it_is(observed, expected):
    assert tree.decide(observed).cause == expected


def test_large_pings_that_are_filtered_are_no_symptom():
    assert tree.symptoms({**LIVING, **FILTERED}) == ()
    for name in (tree.DATAGRAM, tree.LARGE, tree.REFUSAL):
        assert tree.FULL in tree.symptoms({**LIVING, **FILTERED, name: None})


VALUES = {
    name: ((tree.PATH, tree.SERVICE, tree.PORT, None) if name == tree.WHAT else (True, False, None)) for name in tree.WORDS
}
OBSERVED = st.fixed_dictionaries({name: st.sampled_from(values) for name, values in VALUES.items()})


@pytest.mark.parametrize(("one", "other"), list(itertools.permutations(tree.CAUSES, 2)))
def test_every_two_causes_are_separated_by_an_observation(one, other):
    for cause, signature in tree.SIGNATURES:
        for another, against in tree.SIGNATURES:
            if (cause, another) == (one, other):
                assert [name for name in signature if name in against and signature[name] != against[name]], (signature, against)
    assert tree.separating(one, other)
    assert set(tree.separating(one, other)) == set(tree.separating(other, one))


def test_every_cause_has_a_signature_with_a_symptom():
    assert {cause for cause, _signature in tree.SIGNATURES} == set(tree.CAUSES)
    for _cause, signature in tree.SIGNATURES:
        assert tree.symptoms(signature)
        assert set(signature) <= set(tree.WORDS)


@pytest.mark.parametrize(("cause", "signature"), tree.SIGNATURES)
def test_a_signature_is_recognised_and_each_of_its_observations_is_needed(cause, signature):
    assert tree.decide(signature) == tree.Verdict(cause, signature, (cause,))
    for name in signature:
        fewer = {key: value for key, value in signature.items() if key != name}
        verdict = tree.decide(fewer)
        assert not verdict.cause
        if tree.symptoms(fewer):
            assert cause in verdict.possible
            assert name in verdict.wanted


@given(OBSERVED)
def test_a_claim_has_all_of_its_observations(observed):
    verdict = tree.decide(observed)
    if verdict.cause:
        assert (verdict.cause, verdict.because) in tree.SIGNATURES
        assert all(observed[name] == value for name, value in verdict.because.items())
        assert tree.symptoms(observed)
    elif not tree.symptoms(observed):
        assert verdict == tree.Verdict()


@given(OBSERVED, st.sets(st.sampled_from(sorted(tree.WORDS))))
def test_knowing_less_never_claims_and_never_claims_another(observed, dropped):
    before = tree.decide(observed)
    after = tree.decide({name: None if name in dropped else value for name, value in observed.items()})
    assert after.cause in ("", before.cause)
    if before.cause and tree.symptoms({name: value for name, value in observed.items() if name not in dropped}):
        assert before.cause in after.possible


@given(OBSERVED)
def test_what_is_wanted_is_unknown_and_would_tell(observed):
    verdict = tree.decide(observed)
    for name in verdict.wanted:
        assert observed[name] is None
    if len(verdict.possible) > 1 and verdict.wanted != (tree.WHAT,):  # whoever probes knows what was addressed
        assert tree.telling(verdict.wanted)


BOOLS = st.lists(st.sampled_from((True, False, None)), min_size=1, max_size=4)


@given(BOOLS)
def test_three_values(values):
    known = [value for value in values if value is not None]
    for joined, two in ((tree.any_of, any), (tree.all_of, all)):
        found = joined(*values)
        # Whatever the unknown ones turn out to be, a known answer stays.
        fillings = map(iter, itertools.product((True, False), repeat=values.count(None)))
        filled = {two([value if value is not None else next(filling) for value in values]) for filling in fillings}
        assert filled == {found} if found is not None else len(filled) == 2
        assert found is not None or len(known) < len(values)


def test_words():
    assert tree.in_words(tree.FULL, False) == "a full-sized ping is lost"
    assert tree.in_words(tree.WHAT, tree.PATH) == ""
    assert tree.telling((tree.WHAT, tree.FULL, tree.FULL)) == "path_mtu by ICMP to the same address"
