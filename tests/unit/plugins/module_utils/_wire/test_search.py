# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import random

import pytest
from hypothesis import given, strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._wire._search import HINTS, Search, most_packets, most_sizes

LEAST = 68


def run(search, path, hint=lambda size: None):
    """Plays a path for a search; the sizes that were tried."""
    tried = []
    size = search.following()
    while size is not None:
        tried.append(size)
        search.tell(size, path(size), None if path(size) else hint(size))
        size = search.following()
    return tried


@given(most=st.integers(LEAST, 65535), limit=st.integers(0, 70000))
def test_any_monotone_path_is_found_exactly_and_within_the_bound(most, limit):
    search = Search(LEAST, most)
    tried = run(search, lambda size: size <= limit)
    if limit < LEAST:
        assert (search.arrived, search.lost, tried) == (None, LEAST, [LEAST])
    elif limit >= most:
        assert (search.arrived, search.lost) == (most, None) and len(tried) <= 2
    else:
        assert (search.arrived, search.lost) == (limit, limit + 1)
    assert len(tried) <= most_sizes(LEAST, most) and len(tried) == len(set(tried))


@given(most=st.integers(LEAST + 1, 9000), limit=st.integers(LEAST, 9000), hints=st.lists(st.one_of(st.none(), st.integers(0, 70000)), max_size=40))
def test_hints_may_lie_and_cost_no_more_than_their_bound(most, limit, hints):
    search = Search(LEAST, most)
    told = iter(hints)
    tried = run(search, lambda size: size <= limit, lambda size: next(told, None))
    assert search.arrived == min(limit, most) and search.lost == (limit + 1 if limit < most else None)
    assert len(tried) <= most_sizes(LEAST, most)


@given(most=st.integers(LEAST + 2, 65535), limit=st.integers(LEAST, 65534))
def test_a_router_that_names_its_mtu_saves_the_search(most, limit):
    search = Search(LEAST, most)
    tried = run(search, lambda size: size <= limit, lambda size: limit)
    assert search.arrived == min(limit, most) and len(tried) <= 4


@given(limit=st.integers(LEAST, 1600), tries=st.integers(1, 5), seed=st.integers())
def test_lost_packets_do_not_mislead_it_while_fewer_than_the_tries_are_lost(limit, tries, seed):
    """Each size loses up to tries - 1 packets by accident; the search sends no more than its bound."""
    chance, sent = random.Random(seed), []

    def path(size):
        accidents = chance.randrange(tries)
        for attempt in range(tries):
            sent.append(size)
            if size <= limit and attempt >= accidents:
                return True
        return False

    search = Search(LEAST, 1500)
    size = search.following()
    while size is not None:
        search.tell(size, path(size))
        size = search.following()
    assert search.arrived == min(limit, 1500)
    assert len(sent) <= most_packets(LEAST, 1500, tries)


@pytest.mark.parametrize(("least", "most", "expected"), [(68, 68, 2 + 2 * HINTS), (68, 1500, 2 + 2 * HINTS + 11), (1500, 68, 2 + 2 * HINTS)])
def test_the_bound_is_known_before(least, most, expected):
    assert most_sizes(least, most) == expected


def test_a_range_of_one_size_is_one_try():
    assert run(Search(1500, 68), lambda size: True) == [68]
