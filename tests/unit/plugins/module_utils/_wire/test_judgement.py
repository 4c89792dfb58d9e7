# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._wire._judgement import Heard, judge

BASE = Heard("10.0.0.2", 68, 1500)
ROUTER = "192.0.2.1"


@pytest.mark.parametrize(
    ("heard", "answer", "next_hop", "reporter", "words"),
    [
        (BASE._replace(arrived=1500), "open", None, "", ""),
        (BASE._replace(arrived=1400, lost=1401), "black_hole", None, "", "nobody says so"),
        (BASE._replace(arrived=1400, lost=1401, refusals=((1400, ROUTER),)), "refused", 1400, ROUTER, ""),
        # Behind the router that speaks there is a smaller link that does not.
        (BASE._replace(arrived=1300, lost=1301, refusals=((1400, ROUTER),)), "black_hole", 1400, ROUTER, "a further link is smaller"),
        (BASE._replace(arrived=1400, lost=1401, refusals=((1300, ROUTER),)), "refused", 1300, ROUTER, "though 1400 bytes arrive"),
        (BASE._replace(arrived=1400, lost=1401, refusals=((None, ROUTER),)), "refused", None, ROUTER, "named no MTU"),
        (BASE._replace(arrived=1400, lost=1401, refusals=((1450, ROUTER), (1400, "192.0.2.2"))), "refused", 1400, "192.0.2.2", ""),
        (BASE._replace(arrived=1400, lost=1401, refusals=((1400, ""), (1400, ROUTER))), "refused", 1400, ROUTER, ""),
        (BASE._replace(most=9000, arrived=1500, lost=1501, refusals=((1500, ROUTER),), largest_silent=True), "black_hole", 1500, ROUTER, "those of 9000 bytes"),
        # Larger sizes than the device takes were asked for.
        (BASE._replace(most=9000, arrived=1500, lost=1501, refusals=((1500, ""),)), "refused", 1500, "", ""),
        # A silent path is no black hole for a host whose own route keeps it below.
        (BASE._replace(arrived=1400, lost=1401, believed=1400), "refused", 1400, "", "own route says 1400"),
        (BASE._replace(arrived=1400, lost=1401, believed=1500), "black_hole", None, "", ""),
        # A stale cache, or a route with an mtu: the path takes more than the host believes.
        (BASE._replace(arrived=1500, believed=1400), "open", 1400, "", "though 1500 arrive"),
        (BASE._replace(arrived=1400, lost=1401, refusals=((1400, ROUTER),), believed=1300), "refused", 1400, ROUTER, "own route says 1300"),
        (BASE._replace(lost=68, packets=3), "dead", None, "", "no answer to 3 packets of 68 bytes"),
        (BASE._replace(lost=68, said="192.0.2.1 answered: host unreachable"), "dead", None, "", "host unreachable"),
        (BASE._replace(lost=68, silent_means_lost=False, packets=3), "unknown", None, "", "path_responder"),
        (BASE._replace(lost=68, refusals=((60, ROUTER),)), "refused", 60, ROUTER, "not even 68 bytes"),
        (BASE._replace(complete=False), "unknown", None, "", "raise packets"),
        (BASE._replace(arrived=68, complete=False), "unknown", None, "", "68 bytes arrive, 1500 were not settled"),
    ],
)
def test_answers(heard, answer, next_hop, reporter, words):
    judged = judge(heard)
    assert (judged.answer, judged.next_hop_mtu, judged.reporter) == (answer, next_hop, reporter)
    assert words in judged.why


@given(
    arrived=st.one_of(st.none(), st.integers(68, 1500)),
    refusals=st.lists(st.tuples(st.one_of(st.none(), st.integers(0, 2000)), st.sampled_from(["", ROUTER])), max_size=3),
    believed=st.one_of(st.none(), st.integers(68, 9000)),
    complete=st.booleans(),
    said=st.sampled_from(["", "something"]),
)
def test_whatever_is_heard_has_an_answer_that_fits(arrived, refusals, believed, complete, said):
    lost = 68 if arrived is None else None if arrived == 1500 else arrived + 1
    judged = judge(Heard("10.0.0.2", 68, 1500, arrived, lost, tuple(refusals), said, believed, complete))
    assert (judged.answer == "dead") <= (arrived is None)
    assert (judged.answer == "open") <= (arrived == 1500)
    assert (judged.answer == "black_hole") <= (arrived is not None and lost is not None)
    assert judged.why or judged.answer in ("open", "refused")
