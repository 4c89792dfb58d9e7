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


@pytest.fixture
def calls(monkeypatch):
    """In which order things are awaited and written; nothing is."""
    seen = []
    for name in ("await_status", "await_daemon_sets", "await_endpoint", "await_gateway", "await_pools"):
        monkeypatch.setattr(correcting.awaiting, name, lambda member, *rest, name=name: seen.append((name, member.name)))
    for name in ("_patch_submariner", "_delete_pool", "restart_pod"):
        monkeypatch.setattr(correcting, name, lambda member, *rest, name=name, **keywords: seen.append((name, member.name)))
    return seen


def perform(snapshot, step):
    correcting._perform(step, Member(snapshot.cluster, None), snapshot, WANTED, Deadline(5))  # pylint: disable=protected-access


def first_step(local, *peers):
    return correcting.correction.steps(local, peers, WANTED)[0]


def test_a_gateway_that_the_operator_rolls_may_announce_by_itself_before_it_is_judged(calls):
    perform(wrong(), first_step(wrong()))
    assert [name for name, dummy in calls] == ["_patch_submariner", "await_status", "await_daemon_sets", "await_endpoint"]


def test_with_globalnet_no_announcement_is_waited_for(calls):
    found = wrong()
    found = found.__class__(**{**found.__dict__, "submariners": members.ok(members.submariner("cluster-1", status=RIGHT, global_cidr="242.0.0.0/16"))})
    perform(found, first_step(found))
    assert "await_endpoint" not in [name for name, dummy in calls]


def test_nothing_is_touched_on_a_peer_before_the_new_endpoint_has_come_there(calls):
    """The agent and the gateway would take up the old one again, and make the pool that was just deleted."""
    stale = members.pool("submariner-cluster-1-10.46.0.0-24", "10.46.0.0/24")
    peer = members.member("cluster-2", ("10.42.0.0/16", "10.43.0.0/16"), remote={"cluster-1": ("10.45.0.0/16", "10.46.0.0/24")}, pools=(stale,))
    for step in correcting.correction.steps(right(), [peer], WANTED):
        calls.clear()
        perform(peer, step)
        assert calls[0] == ("await_endpoint", "cluster-2"), step
        assert calls[1][0] in ("_delete_pool", "restart_pod"), step
