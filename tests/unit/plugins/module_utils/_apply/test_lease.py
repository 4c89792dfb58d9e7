# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock of a cluster: against an API server on loopback."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._apply import _lease as leasing
from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._apply.writing import LEASES, Bench, StampingApi
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._kube.faulty_api import status


@pytest.fixture
def api():
    with StampingApi() as server:
        server.objects[LEASES] = {}
        yield server


@pytest.fixture
def bench(api, tmp_path):
    made = Bench(api, tmp_path)
    yield made
    made.member.connection.close()


def test_a_second_run_is_refused_with_who_when_and_how_to_go_on(bench):
    first = bench.lease("run-1")
    first.acquire(bench.deadline)
    first.pause()
    bench.api.now = 30
    with pytest.raises(RefusedError) as caught:
        bench.lease("run-2").acquire(bench.deadline)
    for said in ("run run-1 is at work", "held since 20", "renewed 30 s ago", "expires in 90 s", "submariner_steal_lock=true", "submariner_run"):
        assert said in caught.value.message
    with pytest.raises(RefusedError):
        bench.lease("run-2").require_free(bench.deadline)


@pytest.mark.parametrize("options, later", [({}, 121), ({"steal": True}, 1)])
def test_a_dead_run_s_lock_is_taken_when_it_has_expired_or_is_stolen(bench, options, later):
    bench.lease("run-1").acquire(bench.deadline)
    bench.api.now = later
    lease = bench.lease("run-2", **options)
    lease.acquire(bench.deadline)
    spec = bench.api.objects[LEASES]["fathom-submariner"]["spec"]
    assert (spec["holderIdentity"], spec["leaseTransitions"]) == ("run-2", 1)
    assert lease.release(bench.deadline) and not lease.release(bench.deadline)
    bench.lease("run-3").acquire(bench.deadline)


def test_a_task_of_a_run_does_not_shorten_the_run_s_lock(bench):
    whole = bench.lease("run-1", duration=1800)
    whole.acquire(bench.deadline)
    whole.pause()
    task = bench.lease("run-1")
    task.acquire(bench.deadline)
    task.pause()
    assert bench.api.objects[LEASES]["fathom-submariner"]["spec"]["leaseDurationSeconds"] == 1800


def test_a_run_whose_lock_was_stolen_writes_no_more(bench):
    lease = bench.lease("run-1")
    lease.acquire(bench.deadline)
    bench.lease("run-2", steal=True).acquire(bench.deadline)
    lease._renew(bench.deadline)
    with pytest.raises(RefusedError, match="the lock of this run was lost: it is held by run-2 now"):
        lease.require()


class TestRenewalsThatFailed:
    """The lock of run-1, whose renewals fail, and a clock that is set here."""

    @pytest.fixture
    def clock(self, monkeypatch):
        made = {"now": 1000.0}
        monkeypatch.setattr(leasing, "_clock", lambda: made["now"])
        return made

    @staticmethod
    def held(bench, **options):
        lease = bench.lease("run-1", **options)
        lease.acquire(bench.deadline)
        lease.pause()
        return lease

    @pytest.mark.parametrize(("duration", "fresh", "old"), [(120, 100, 101), (1800, 1780, 1781)])
    def test_the_server_is_asked_only_when_the_lock_may_expire(self, bench, clock, duration, fresh, old):
        lease = self.held(bench, duration=duration)
        writes = len(bench.writes())
        clock["now"] += fresh
        lease.require()
        assert len(bench.writes()) == writes
        clock["now"] += old - fresh
        lease.require()
        lease.require()
        assert len(bench.writes()) == writes + 1

    def test_the_run_s_longer_lock_is_what_counts(self, bench, clock):
        self.held(bench, duration=1800)
        lease = self.held(bench)
        writes = len(bench.writes())
        clock["now"] += 1000
        lease.require()
        assert len(bench.writes()) == writes

    def test_one_that_cannot_be_renewed_is_not_trusted_until_it_can(self, bench, clock):
        lease = self.held(bench)
        clock["now"] += 119
        bench.api.inject("GET", "/fathom-submariner", status(403, "Forbidden", "not you"))
        with pytest.raises(RefusedError, match=r"last renewed 119 s ago, lasts 120 s, and could not be renewed now.*not you.*Nothing more was written"):
            lease.require()
        lease.require()

    def test_one_that_was_taken_after_it_expired_is_lost(self, bench, clock):
        lease = self.held(bench)
        clock["now"] += 130
        bench.api.now = 130
        bench.lease("run-2").acquire(bench.deadline)
        with pytest.raises(RefusedError, match="it is held by run-2 now"):
            lease.require()

    @pytest.mark.parametrize(("conflicts", "refused"), [(2, False), (3, True)])
    def test_another_task_that_renews_at_the_same_moment_is_no_failure(self, bench, clock, conflicts, refused):
        lease = self.held(bench)
        clock["now"] += 119
        bench.api.inject("PATCH", "/fathom-submariner", *[status(409, "Conflict", "modified")] * conflicts)
        if refused:
            with pytest.raises(RefusedError, match="could not be renewed now"):
                lease.require()
        else:
            lease.require()

    def test_who_never_took_it_may_not_write(self, bench, clock):
        with pytest.raises(RefusedError, match="it is held by nobody now"):
            bench.lease("run-1").require()
