# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock of a cluster: against an API server on loopback."""

from __future__ import annotations

import os
import re
import threading
import time

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._apply import _lease as leasing
from ansible_collections.fathom.submariner.plugins.module_utils._apply import _process as processes
from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._apply.writing import LEASES, Bench, StampingApi
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._kube.faulty_api import status


WAYS = ("submariner_wait_for_lock=", "submariner_steal_lock=true", "kubectl -n kube-system delete lease fathom-submariner", "submariner_run")


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


@pytest.fixture(autouse=True)
def unseen(monkeypatch):
    """Who holds a lock is on another machine, unless a test says otherwise."""
    monkeypatch.setattr(processes, "is_dead", lambda process: None)


def test_a_second_run_is_refused_with_who_when_and_how_to_go_on(bench):
    first = bench.lease("run-1")
    first.acquire(bench.deadline)
    first.pause()
    bench.api.now = 30
    with pytest.raises(RefusedError) as caught:
        bench.lease("run-2").acquire(bench.deadline)
    for said in ("run run-1 is at work", f"process {os.getpid()} on", "held since 20", "renewed 30 s ago", "expires in 90 s", *WAYS):
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

    def test_a_lock_that_the_run_s_keeper_has_shortened_lasts_no_longer(self, bench, clock):
        lease = self.held(bench, duration=1800)
        bench.lease("run-1")._renew(bench.deadline, {"leaseDurationSeconds": leasing.DURATION})
        lease._renew(bench.deadline)
        clock["now"] += 1000
        bench.api.now = 1000
        bench.lease("run-2").acquire(bench.deadline)
        with pytest.raises(RefusedError, match="it is held by run-2 now"):
            lease.require()

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


class TestTheProcessThatHoldsIt:
    """On one host, where it is seen whether it lives."""

    PLAYBOOK = processes.Process("here", "boot", "pid:[1]", 4711, 1)
    OTHER = PLAYBOOK._replace(pid=4712)

    @pytest.fixture
    def dead(self, monkeypatch):
        found = set()
        monkeypatch.setattr(processes, "is_dead", lambda process: None if process is None else process in found)
        return found

    @staticmethod
    def held(bench, run="run-1", process=PLAYBOOK):
        lease = bench.lease(run, lasting=True, process=process, duration=1800)
        lease.acquire(bench.deadline)
        lease.pause()
        return lease

    def test_while_it_lives_the_lock_is_refused_and_it_is_named(self, bench, dead):
        self.held(bench)
        with pytest.raises(RefusedError, match=r"process 4711 on here, held since.*That process lives"):
            bench.lease("run-2").acquire(bench.deadline)

    @pytest.mark.parametrize("holder, said", [("run-1", "What it wrote stays.*rollback -e submariner_run=run-1"), ("rollback-1", "run the rollback again")])
    def test_when_it_is_dead_the_lock_is_taken_at_once_and_that_is_said(self, bench, dead, holder, said):
        self.held(bench, holder)
        dead.add(self.PLAYBOOK)
        lease = bench.lease("run-2")
        lease.require_free(bench.deadline)
        lease.acquire(bench.deadline)
        assert re.search(rf"c1: (run )?{holder} ended without giving back the lock \(process 4711 on here is gone\).*{said}", lease.taken)
        assert not lease.shared and lease.release(bench.deadline)
        assert "annotations" not in bench.api.objects[LEASES]["fathom-submariner"]["metadata"] or not processes.read(
            bench.api.objects[LEASES]["fathom-submariner"]["metadata"]["annotations"].get(leasing.PROCESS)
        )

    def test_a_lock_that_was_given_back_was_nobody_s(self, bench, dead):
        self.held(bench).release(bench.deadline)
        lease = bench.lease("run-2")
        lease.acquire(bench.deadline)
        assert lease.taken == ""

    def test_a_task_shares_the_lock_of_its_run_and_writes_nothing_more_when_that_is_dead(self, bench, dead):
        self.held(bench)
        task = bench.lease("run-1")
        task.acquire(bench.deadline)
        assert task.shared
        task.require()
        dead.add(self.PLAYBOOK)
        with pytest.raises(RefusedError, match="the playbook of this run .process 4711 on here. has ended before this task. Nothing more was written"):
            task.require()
        task.pause()

    def test_who_goes_on_with_a_dead_run_holds_its_lock_for_itself(self, bench, dead):
        self.held(bench)
        dead.add(self.PLAYBOOK)
        task = bench.lease("run-1")
        task.acquire(bench.deadline)
        task.require()
        assert not task.shared and task.taken == ""
        assert task.release(bench.deadline)

    def test_a_playbook_that_goes_on_with_a_dead_run_takes_its_lock(self, bench, dead):
        self.held(bench)
        dead.add(self.PLAYBOOK)
        again = self.held(bench, process=self.OTHER)
        assert not again.shared and again.taken == "" and leasing.process_in(bench.api.objects[LEASES]["fathom-submariner"]) == self.OTHER
        assert self.held(bench, process=self.OTHER).shared

    def test_a_plan_that_is_carried_out_twice_is_two_runs(self, bench, dead):
        first, second = self.held(bench), bench.lease("run-1", lasting=True, process=self.OTHER, duration=1800)
        for ask in (second.acquire, second.require_free):
            with pytest.raises(RefusedError, match=r"run run-1 is at work.*process 4711 on here.*That process lives.*the same plan.*started twice") as caught:
                ask(bench.deadline)
            assert caught.value.details == {"holder": "run-1"}
        assert second.release(bench.deadline) is False
        first._renew(bench.deadline)
        first.require()
        self.held(bench)
        assert first.release(bench.deadline)
        second.acquire(bench.deadline)
        second.pause()

    def test_one_on_another_machine_goes_on_with_it_when_it_has_expired(self, bench, monkeypatch):
        self.held(bench)
        for now in (1799, 1801):
            bench.api.now = now
            second = bench.lease("run-1", lasting=True, process=self.OTHER)
            if now < 1800:
                with pytest.raises(RefusedError, match="its lock expires in 1 s"):
                    second.acquire(bench.deadline)
        second.acquire(bench.deadline)
        second.pause()
        assert second.taken == "" and leasing.process_in(bench.api.objects[LEASES]["fathom-submariner"]) == self.OTHER

    def test_who_lost_it_to_another_process_of_its_id_neither_writes_nor_gives_it_back(self, bench):
        first, task = self.held(bench), bench.lease("run-1")
        task.acquire(bench.deadline)
        task.pause()
        thief = bench.lease("run-1", lasting=True, process=self.OTHER, steal=True)
        thief.acquire(bench.deadline)
        thief.pause()
        task._renew(bench.deadline)
        with pytest.raises(RefusedError, match="it is held by run-1 now, in process 4712 on here"):
            task.require()
        keeper = bench.lease("run-1", lasting=True, process=self.PLAYBOOK)
        keeper._renew(bench.deadline)
        assert keeper._lost and not task.release(bench.deadline) and not first.release(bench.deadline)
        assert bench.lease("run-1", lasting=True).release(bench.deadline), "who does not tell its process is known by its id"

    def test_a_lasting_run_of_which_the_process_is_not_known_is_not_this_process(self, bench, dead):
        self.held(bench, process=None)
        assert leasing.process_in(bench.api.objects[LEASES]["fathom-submariner"]) is None

    def test_it_is_kept_until_it_was_given_back_or_its_process_is_dead(self, bench, dead, monkeypatch):
        monkeypatch.setattr(leasing, "_LOOK", 0.001)
        monkeypatch.setattr(leasing, "_RENEWAL", 0.002)
        lock = self.held(bench)
        keeper = bench.lease("run-1", lasting=True, process=self.PLAYBOOK)
        thread = threading.Thread(target=keeper.keep, daemon=True)
        thread.start()
        wait_until(lambda: len(bench.writes()) > 4)
        assert bench.api.objects[LEASES]["fathom-submariner"]["spec"]["leaseDurationSeconds"] == leasing.DURATION
        lock.release(bench.deadline)
        thread.join(10)
        assert not thread.is_alive()
        self.held(bench)
        dead.add(self.PLAYBOOK)
        sent = len(bench.writes())
        bench.lease("run-1", lasting=True, process=self.PLAYBOOK).keep()
        bench.lease("run-1", lasting=True, process=None).keep()
        assert len(bench.writes()) == sent and bench.api.objects[LEASES]["fathom-submariner"]["spec"]["holderIdentity"] == "run-1"


def wait_until(holds):
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.005)
