# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Before and after: what became better, worse, and what is the same."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._network._wire_comparison import compare
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._node_documents import document_of
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_wire import Contrast, Latency, NodeProbes, PathMtu

PATH = PathMtu("192.168.0.2", "two", answer="open", mtu=1500, latency=Latency(0.1, 1.0, 3.0))
CONTRAST = Contrast("192.168.0.2", "two", port=28470, answer="open", milliseconds=1.0, megabits_per_second=900.0)


def documents(*entries, node="one"):
    paths = tuple(entry for entry in entries if isinstance(entry, PathMtu))
    return [document_of(NodeProbes(node, paths=paths, contrasts=tuple(entry for entry in entries if isinstance(entry, Contrast))))]


@pytest.mark.parametrize(
    ("before", "after", "better", "words"),
    [
        (PATH._replace(answer="black_hole", mtu=1400), PATH, True, "black hole up to 1400 bytes before, open up to 1500 bytes now"),
        (PATH, PATH._replace(answer="dead", mtu=None), False, "open up to 1500 bytes before, dead now"),
        (CONTRAST._replace(answer="unknown"), CONTRAST._replace(answer="dead"), None, "unknown before, dead now"),
        (CONTRAST._replace(answer="black_hole"), CONTRAST, True, "black hole before, open now"),
        (PATH._replace(latency=Latency(1, 9.0, 10)), PATH, True, "latency 9 ms before, latency 1 ms now"),
        (CONTRAST, CONTRAST._replace(megabits_per_second=90.0), False, "throughput 900 Mbit/s before, throughput 90 Mbit/s now"),
    ],
)
def test_changes(before, after, better, words):
    found = compare(documents(before), documents(after))
    assert [change.better for change in found.changes] == [better]
    assert words in found.lines[0] and "one to two" in found.lines[0]


@pytest.mark.parametrize("after", [PATH, PATH._replace(latency=Latency(0.1, 1.3, 3.0)), PATH._replace(latency=None)])
def test_what_moves_a_little_is_the_same(after):
    found = compare(documents(PATH, CONTRAST), documents(after, CONTRAST._replace(milliseconds=1.2)))
    assert found.changes == () and found.same == 2
    assert found.lines == ("2 probes as before, 0 otherwise; 0 were made before alone, 0 now alone.",)


def test_probes_of_one_time_alone_are_counted_and_worse_comes_first():
    other = PATH._replace(target="192.168.0.3")
    bad = CONTRAST._replace(answer="dead")
    found = compare(documents(PATH._replace(mtu=1400), CONTRAST, other), documents(PATH, bad) + [{"kind": "NodeInfo"}])
    assert (found.gone, found.new) == (1, 0)
    assert "worse" in found.lines[0] and "better" in found.lines[1]
    assert compare([], documents(PATH)).new == 1
