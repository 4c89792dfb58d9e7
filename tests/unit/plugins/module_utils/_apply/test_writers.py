# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writing to two clusters in one task, each an API server on loopback."""

from __future__ import annotations

import contextlib

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._apply import _process as processes
from ansible_collections.fathom.submariner.plugins.module_utils._apply._members import Member, Outcome
from ansible_collections.fathom.submariner.plugins.module_utils._apply._writers import Settings, Writers
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, SubmarinerError
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._apply.writing import LEASES, MAPS, THINGS, Bench, StampingApi


@pytest.fixture
def clusters(tmp_path):
    with contextlib.ExitStack() as stack:
        made = []
        for name in ("c1", "c2"):
            api = stack.enter_context(StampingApi())
            api.objects.update({path: {} for path in (MAPS, LEASES, THINGS)})
            api.put(THINGS, "one", spec={"a": 1})
            bench = Bench(api, tmp_path)
            bench.member = bench.member._replace(name=name)
            stack.callback(bench.member.connection.close)
            made.append(bench)
        yield made


def task(clusters, outcome=None, **settings):
    given = {"remedy": "join", "run": "nightly", "state_namespace": "kube-system", "journal_dir": None, "preconditions": [], "check_mode": False, **settings}
    return Writers([bench.member for bench in clusters], Settings(**given), outcome or Outcome(), clusters[0].deadline)


def change(writers):
    for member in writers.members:
        member.writer.patch(f"{THINGS}/one", member.writer.read(f"{THINGS}/one"), {"spec": {"a": 2}})


def holders(clusters):
    return [bench.api.objects[LEASES].get("fathom-submariner", {}).get("spec", {}).get("holderIdentity") for bench in clusters]


def test_a_lock_that_the_run_had_before_stays_and_one_that_the_task_took_is_given_back(clusters):
    """A join of one cluster alone (--limit) takes the lock of its peer, for which no other task of the run comes."""
    lease = clusters[0].lease("nightly", lasting=True, process=processes.this_process())
    lease.acquire(clusters[0].deadline)
    lease.pause()
    writers = task(clusters)
    change(writers)
    assert holders(clusters) == ["nightly", "nightly"]
    writers.leave()
    assert holders(clusters) == ["nightly", ""]


def test_a_lock_that_a_dead_run_left_is_taken_and_told_once(clusters):
    for bench in clusters:
        gone = processes.this_process()._replace(started=1)
        lease = bench.lease("killed", lasting=True, process=gone)
        lease.acquire(bench.deadline)
        lease.pause()
    outcome = Outcome()
    writers = task(clusters, outcome)
    change(writers)
    writers.leave()
    assert [each.partition(" ended")[0] for each in outcome.warnings] == ["c1: run killed", "c2: run killed"] and holders(clusters) == ["", ""]


def test_each_cluster_has_its_own_journal_and_its_own_preconditions(clusters):
    planning = task(clusters, check_mode=True)
    change(planning)
    assert [(each["cluster"], each["path"]) for each in planning.preconditions] == [("c1", f"{THINGS}/one"), ("c2", f"{THINGS}/one")]
    writers = task(clusters, preconditions=planning.preconditions)
    writers.require_preconditions()
    change(writers)
    writers.leave()
    assert writers.written and [list(bench.api.objects[MAPS]) for bench in clusters] == [["fathom-submariner-journal-nightly"]] * 2


def test_what_somebody_puts_back_on_any_of_the_clusters_is_a_failure(clusters):
    writers = task(clusters)
    change(writers)
    writers.require_kept()
    clusters[1].api.put(THINGS, "one", spec={"a": 1})
    with pytest.raises(SubmarinerError, match="^c2: Thing one was written and is not so any more, in spec.a"):
        writers.require_kept()
    writers.leave()


def test_two_clusters_of_one_name_are_refused(clusters):
    twice = [Member("c1", bench.member.connection) for bench in clusters]
    with pytest.raises(InputError, match="Two clusters have the same name: c1, c1. Nothing was written"):
        Writers(twice, Settings("join", "r", "kube-system", None, [], False), Outcome(), clusters[0].deadline)
