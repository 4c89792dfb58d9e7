# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parsing and comparing ranges."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import (
    IPV4, IPV6, collapse, covers, family_of, holds, overlap, parse_address, parse_cidrs, same,
)

networks = st.one_of(
    st.tuples(st.integers(0, 2**32 - 1), st.integers(1, 32)).map(lambda pair: ipaddress.IPv4Network(pair, strict=False)),
    st.tuples(st.integers(0, 2**128 - 1), st.integers(1, 128)).map(lambda pair: ipaddress.IPv6Network(pair, strict=False)),
)
near_networks = st.tuples(st.integers(0, 255), st.integers(24, 32)).map(lambda pair: ipaddress.IPv4Network((0x0A000000 + pair[0], pair[1]), strict=False))


@pytest.mark.parametrize(
    ("text", "cidrs"),
    [
        ("10.42.0.0/16", ["10.42.0.0/16"]),
        ("10.42.0.0/16,fd00:42::/56", ["10.42.0.0/16", "fd00:42::/56"]),
        (" 10.42.0.0/16 ,  10.43.0.0/16\n", ["10.42.0.0/16", "10.43.0.0/16"]),
        ('"10.42.0.0/16"', ["10.42.0.0/16"]),
        ("10.42.0.0/16,10.42.0.0/16", ["10.42.0.0/16"]),
        (["10.42.0.0/16", "fd00::/48"], ["10.42.0.0/16", "fd00::/48"]),
        ("FD00:0:0::/48", ["fd00::/48"]),
        ("10.0.0.1/32", ["10.0.0.1/32"]),
        ("", []),
        (None, []),
        (",, ,", []),
    ],
)
def test_what_is_clean_is_read_without_a_word(text, cidrs):
    parsed = parse_cidrs(text)
    assert (list(parsed.cidrs), parsed.problems, parsed.notes) == (cidrs, (), ())


@pytest.mark.parametrize(
    ("text", "cidr", "said"),
    [
        ("10.42.7.1/16", "10.42.0.0/16", "host bits set"),
        ("fd00::1/64", "fd00::/64", "host bits set"),
        ("::ffff:10.42.0.0/112", "10.42.0.0/16", "IPv4-mapped"),
        ("::ffff:10.42.7.1/112", "10.42.0.0/16", "IPv4-mapped"),
    ],
)
def test_what_is_normalised_is_said(text, cidr, said):
    parsed = parse_cidrs(text)
    assert parsed.cidrs == (cidr,)
    assert parsed.problems == ()
    assert len(parsed.notes) == 1 and said in parsed.notes[0] and cidr in parsed.notes[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("10.42.0.0", "without a prefix length"),
        ("010.042.0.0/16", "leading zeros"),
        ("10.42.0.0/016", "plain number"),
        ("10.42.0.0/255.255.0.0", "plain number"),
        ("10.42.0.0/33", "no CIDR"),
        ("fd00::/129", "no CIDR"),
        ("10.42.0/16", "no CIDR"),
        ("10.42.0.0/", "plain number"),
        ("/16", "no CIDR"),
        ("fe80::1%eth0/64", "no CIDR"),
        ("0.0.0.0/0", "whole address space"),
        ("::/0", "whole address space"),
        ("::ffff:0:0/96", "IPv4-mapped"),
        ("$(CLUSTER_CIDR)", "no CIDR"),
        ("nonsense", "no CIDR"),
        ("10.42.0.0/٣", "plain number"),
        ("10.42.0.0/99999999999999999999", "no CIDR"),
    ],
)
def test_what_is_no_range_is_a_problem(text, said):
    parsed = parse_cidrs(text)
    assert parsed.networks == ()
    assert len(parsed.problems) == 1 and said in parsed.problems[0]


def test_a_good_piece_survives_beside_a_bad_one():
    parsed = parse_cidrs("10.42.0.0/16,rubbish")
    assert parsed.cidrs == ("10.42.0.0/16",)
    assert parsed.problems == ("'rubbish' is no CIDR",)


def test_hostile_text_is_shortened_and_escaped():
    (problem,) = parse_cidrs("\x1b[31m" + "x" * 10_000).problems
    assert "\x1b" not in problem
    assert len(problem) < 120


@given(st.text())
def test_parsing_never_raises_and_accounts_for_every_piece(text):
    parsed = parse_cidrs(text)
    assert parse_cidrs(parsed.cidrs) == (parsed.networks, (), ())
    if any(character.isalnum() for character in text):
        assert parsed.networks or parsed.problems


@given(st.lists(networks, max_size=6))
def test_normalising_is_idempotent(ranges):
    once = parse_cidrs(",".join(str(network) for network in ranges))
    twice = parse_cidrs(once.cidrs)
    assert once.problems == twice.problems == twice.notes == ()
    assert twice.networks == once.networks


@given(networks, st.integers(0, 2**128 - 1))
def test_host_bits_never_change_the_range(network, bits):
    address = network[bits % network.num_addresses]
    mapped = network.version == 6 and network.network_address.ipv4_mapped is not None
    parsed = parse_cidrs(f"{address}/{network.prefixlen}")
    assert mapped or parsed.networks == (network,)


@given(st.lists(near_networks, max_size=5), near_networks)
def test_covering_looks_at_every_address(outer, inner):
    assert covers(outer, [inner]) == all(any(address in network for network in outer) for address in inner)


@given(st.lists(networks, max_size=5))
def test_collapsing_keeps_the_addresses(ranges):
    collapsed = collapse(ranges)
    assert covers(collapsed, ranges) and covers(ranges, collapsed)
    assert same(collapsed, reversed(ranges))


def test_two_halves_are_the_whole():
    halves = parse_cidrs("10.42.128.0/17,10.42.0.0/17").networks
    whole = parse_cidrs("10.42.0.0/16").networks
    assert same(halves, whole)
    assert covers(halves, whole)
    assert not covers(halves[:1], whole)


def test_overlap_names_the_pairs_of_one_family_only():
    left = parse_cidrs("10.42.0.0/16,fd00::/48").networks
    right = parse_cidrs("10.42.1.0/24,10.43.0.0/16,fd01::/48").networks
    assert [(str(one), str(other)) for one, other in overlap(left, right)] == [("10.42.0.0/16", "10.42.1.0/24")]


def test_addresses():
    assert parse_address("::ffff:10.42.0.1") == ipaddress.IPv4Address("10.42.0.1")
    assert [parse_address(text) for text in ("010.0.0.1", "10.0.0", "fe80::1%eth0", "")] == [None] * 4
    assert family_of(parse_address("10.0.0.1")) == IPV4
    assert family_of(parse_address("fd00::1")) == IPV6
    assert holds(parse_cidrs("10.42.0.0/16,fd00::/48").networks, parse_address("fd00::1"))
    assert not holds(parse_cidrs("10.42.0.0/16").networks, parse_address("fd00::1"))
