# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the lab's well-behaved clusters do not show: somebody else writes the same objects."""

from __future__ import annotations

import pytest
from ansible_collections.fathom.submariner.plugins.module_utils._apply import _correction as correcting
from ansible_collections.fathom.submariner.plugins.module_utils._apply._members import Member, Outcome
from ansible_collections.fathom.submariner.plugins.module_utils._errors import SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import ConflictError
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._cidr_correction import PATCH_SUBMARINER, Wanted
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._submariner import members

RIGHT = ("10.46.0.0/16", "10.45.0.0/16")
WANTED = Wanted("cluster-1", *RIGHT)
LOCAL = Member("cluster-1", None)


@pytest.fixture
def cluster(monkeypatch):
    """A cluster that shows the given states, one a look; ``performed`` collects what was done to it."""

    def show(states, failures=()):
        states, failures, performed = iter(states), list(failures), []

        def perform(step, *rest):
            performed.append(step.action)
            if failures:
                raise failures.pop(0)

        monkeypatch.setattr(correcting, "read_members", lambda group, deadline: [next(states)])
        monkeypatch.setattr(correcting, "_perform", perform)
        return performed

    return show


def wrong():
    return members.member("cluster-1", RIGHT, spec=("", ""))


def right():
    return members.member("cluster-1", RIGHT)


def correct(outcome):
    return correcting.correct(LOCAL, (), WANTED, outcome, Deadline(5))


def test_a_conflict_is_read_and_judged_again_and_not_overwritten(cluster):
    performed = cluster([wrong(), wrong(), right()], [ConflictError("the object has been modified")])
    outcome = Outcome()
    correct(outcome)
    assert performed == [PATCH_SUBMARINER, PATCH_SUBMARINER]
    assert [step.action for step in outcome.steps] == [PATCH_SUBMARINER]


def test_a_conflict_after_which_nothing_is_left_to_do_writes_nothing_more(cluster):
    performed = cluster([wrong(), right()], [ConflictError("the object has been modified")])
    outcome = Outcome()
    correct(outcome)
    assert performed == [PATCH_SUBMARINER] and outcome.steps == []


def test_endless_conflicts_end(cluster):
    cluster([wrong()] * 20, [ConflictError("the object has been modified")] * 20)
    with pytest.raises(ConflictError):
        correct(Outcome())


def test_a_write_that_is_reverted_is_told_and_not_repeated_for_ever(cluster):
    performed = cluster([wrong(), wrong()])
    with pytest.raises(SubmarinerError, match="is needed again.*Something reverts the write"):
        correct(Outcome())
    assert performed == [PATCH_SUBMARINER]
