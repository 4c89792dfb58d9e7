# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import threading

from hypothesis import given, strategies as st

from ansible_collections.fathom.submariner.plugins.module_utils._wire._allowance import Allowance


@given(most=st.integers(0, 20), wanted=st.integers(0, 40))
def test_never_more_than_allowed(most, wanted):
    allowance = Allowance(most)
    assert sum(allowance.take() for _packet in range(wanted)) == min(most, wanted) == allowance.sent


def test_what_was_not_sent_may_be_sent_later():
    allowance = Allowance(1)
    assert allowance.take() and not allowance.take()
    allowance.give_back()
    assert allowance.take()


def test_a_reservation_waits_for_another_to_be_settled_and_not_for_nobody():
    allowance = Allowance(10)
    assert allowance.reserve(8)
    answers = []
    waiting = threading.Thread(target=lambda: answers.append(allowance.reserve(8)))
    waiting.start()
    allowance.settle(8, 2)
    waiting.join(60)
    assert answers == [True] and allowance.sent == 10
    allowance.settle(8, 8)
    assert not allowance.reserve(1)
