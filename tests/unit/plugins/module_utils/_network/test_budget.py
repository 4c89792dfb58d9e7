# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cost of probing: bounds that hold for what the search really does."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._network._budget import Budget, Probing, described, of_all, of_node, steps
from ansible_collections.fathom.submariner.plugins.module_utils._wire._search import Search, most_sizes

SIZES = st.integers(69, 65535)


@given(SIZES, st.integers(0, 65535), st.lists(st.integers(1, 65535)))
def test_no_search_takes_more_sizes(largest, mtu, hints):
    """The search itself, over a path of any MTU and with routers that name any."""
    search, tried, named = Search(68, largest), 0, iter(hints)
    while True:
        size = search.following()
        if size is None:
            break
        tried += 1
        search.tell(size, size <= mtu, next(named, None) if size > mtu else None)
    assert tried <= steps(largest)
    assert most_sizes(68, largest) <= steps(largest)


@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 5), st.integers(1, 1000))
def test_bounds_of_a_node(searches, exchanges, retries, packets):
    probing = Probing(searches=searches, exchanges=exchanges, retries=retries, packets=packets, exchange_packets=packets)
    found = of_node(probing)
    assert found.packets <= 3 * packets  # what is sent, what comes back of it, and the exchanges
    more = of_node(probing._replace(searches=searches + 1, exchanges=exchanges + 1))
    assert more.packets >= found.packets and more.bytes >= found.bytes and more.seconds >= found.seconds
    assert found.bytes <= found.packets * 1500


def test_sums_and_words():
    one = Probing(searches=2, exchanges=2, workers=1)
    assert of_all([]) == Budget()
    both = of_all([one, one._replace(searches=4)])
    assert both.packets == of_node(one).packets + of_node(one._replace(searches=4)).packets
    assert both.seconds == of_node(one._replace(searches=4)).seconds
    assert described(Budget(1200, 1_500_000, 12.2), 3) == (
        "At most 1200 packets and 1.5 MB in all, sent and received by 3 nodes at the same time, for 13 seconds where every packet is lost."
    )


def test_throughput_counts():
    without = of_node(Probing(exchanges=2))
    measured = of_node(Probing(exchanges=2, throughputs=1, throughput_bytes=1_000_000, throughput_seconds=1.0))
    assert measured.bytes >= without.bytes + 1_000_000 and measured.seconds == without.seconds + 2.0
