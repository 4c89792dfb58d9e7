# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A remediation of two clusters, killed with ``kill -9`` at each of its writes: before it reaches the API server, and after that has answered.

The modules are run as the role does, each a process. What is there afterwards is never in between without somebody saying so.
"""

from __future__ import annotations

import itertools

import pytest

from tests.integration.damaged_pools import POOLS, REMOTE, Clusterset
from tests.integration.pools_and_records import STATE, without_state

pytestmark = [pytest.mark.lab, pytest.mark.xdist_group("rke2")]

# On each cluster: the lock of the run; its renewal by the task; three changes with two entries in the journal each; the lock given back.
WRITES = 2 * (1 + 1 + 3 * 3 + 1)
RUNS = itertools.count(1)
# Of the 24 those on the first cluster before its first change and around that, and one on the second one.
OFTEN = (2, 4, 5, 17)
SWEPT = [at if at in OFTEN else pytest.param(at, marks=pytest.mark.exhaustive) for at in range(1, WRITES + 1)]


@pytest.fixture(scope="module")
def clusterset(bench, tmp_path_factory):
    with bench.planted("rke2", "rke2") as lab, without_state(*lab.clusters):
        made = Clusterset(lab, bench.modules, tmp_path_factory.mktemp("journals"))
        yield made
        made.killer.arm()
        made.reset()
        made.remediate("last")
        made.killer.close()


def kill(clusterset, at, *, after):
    """A remediation that was killed; its run, and the writes of it that reached each cluster."""
    run = f"killed-{next(RUNS)}"
    clusterset.reset()
    clusterset.killer.arm(at, after=after)
    clusterset.remediate(run)
    reached = clusterset.killer.writes[: at if after else at - 1]
    assert len(clusterset.killer.writes) >= at
    clusterset.killer.arm()
    return run, {name: [(verb, path) for cluster, verb, path in reached if cluster == name] for name in REMOTE}


def given_back(writes):
    return len(writes) == WRITES // 2


def of_pools(writes):
    return [path for dummy, path in writes if path.startswith(POOLS)]


def journalled(writes):
    return sum(path.startswith(STATE) for dummy, path in writes)


def require_said(clusterset, run, reached):
    """Every cluster that the run wrote to, and did not give back, says what became of it; no other does."""
    for name, told in clusterset.told().items():
        writes = reached[name]
        text = " ".join(told.get("lines", ()))
        if not writes or given_back(writes):
            assert told == {}, (name, told)
        elif journalled(writes) % 2:
            entries = told["entries"]
            assert told["run"] == run and f"submariner_run={run}" in text and "interrupted in the middle of a write" in text
            carried_out = len(of_pools(writes)) > journalled(writes) // 2
            assert [each["state"] for each in entries] == ["was written" if carried_out else "was not written"], told
        else:
            assert told["run"] == run and f"Run {run} ended without giving back the lock (process " in text and "is gone" in text, told


def test_it_makes_as_many_writes_as_are_swept(clusterset):
    clusterset.reset()
    clusterset.killer.arm()
    results = clusterset.remediate("whole")
    assert len(clusterset.killer.writes) == WRITES, clusterset.killer.writes
    assert not [each for each in results.values() if each.get("failed")]
    assert clusterset.found() == clusterset.healthy and set(clusterset.holders().values()) == {""}
    assert set(map(str, clusterset.told().values())) == {"{}"}


@pytest.mark.parametrize("at", SWEPT)
def test_killed_before_a_write_it_is_rolled_back(clusterset, at):
    run, reached = kill(clusterset, at, after=False)
    require_said(clusterset, run, reached)
    results = clusterset.rollback(run)
    for name, result in results.items():
        if not (clusterset.journals / run / f"{name}.jsonl").exists():  # begun before the copy in the cluster
            assert (result["known"], result["changed"]) == (False, False) and f"run {run} has written nothing here" in str(result["warnings"])
            continue
        assert result["known"]
        assert not result.get("failed") and result["cannot"] == result["refused"] == [], result
        assert len(result["lines"]) == len(of_pools(reached[name])), result
        warned = f"run {run} ended without giving back the lock" in str(result.get("warnings"))
        assert warned or given_back(reached[name]), result
    assert clusterset.found() == clusterset.broken


@pytest.mark.parametrize("at", SWEPT)
def test_killed_after_a_write_the_next_run_goes_on(clusterset, at):
    run, reached = kill(clusterset, at, after=True)
    require_said(clusterset, run, reached)
    results = clusterset.remediate(f"next-{at}")
    for name in REMOTE:
        lock, done = results["lease", name, "present"], results["remote_ippools", name, "present"]
        lost = bool(reached[name]) and not given_back(reached[name])
        assert (f"{name}: run {run} ended without giving back the lock" in lock["taken"]) is lost, (lock, reached)
        assert not done.get("failed") and len(done["lines"]) == 3 - len(of_pools(reached[name])), done
    assert clusterset.found() == clusterset.healthy and set(clusterset.holders().values()) == {""}
