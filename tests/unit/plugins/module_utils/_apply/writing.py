# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run on one cluster, whose API server is on loopback, and what it takes to look at it."""

from __future__ import annotations

from ansible_collections.fathom.submariner.plugins.module_utils._apply._cluster_state import read_history
from ansible_collections.fathom.submariner.plugins.module_utils._apply._journal import Journal, file_name
from ansible_collections.fathom.submariner.plugins.module_utils._apply._lease import Lease
from ansible_collections.fathom.submariner.plugins.module_utils._apply._members import Member
from ansible_collections.fathom.submariner.plugins.module_utils._apply._rollback import Rollback
from ansible_collections.fathom.submariner.plugins.module_utils._apply._writer import Writer
from ansible_collections.fathom.submariner.plugins.module_utils._kube._connect import connect
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._kube.faulty_api import QUICK, FaultyApi

NAMESPACE = "kube-system"
MAPS = f"/api/v1/namespaces/{NAMESPACE}/configmaps"
LEASES = f"/apis/coordination.k8s.io/v1/namespaces/{NAMESPACE}/leases"
THINGS = "/apis/example.org/v1/things"
SECRETS = "/api/v1/namespaces/other/secrets"


class StampingApi(FaultyApi):
    """Stamps what it writes in managedFields, as kube-apiserver does, by a clock that a test sets.

    :ivar now: seconds.
    """

    now = 0

    def answer(self, call):
        status, body = super().answer(call)
        if call.method in ("PATCH", "POST") and status < 300:
            manager = call.query.get("fieldManager", "unknown")
            body["metadata"]["managedFields"] = [{"manager": manager, "time": f"2026-11-21T18:{self.now // 60:02}:{self.now % 60:02}Z"}]
        if call.method == "POST" and status < 300:
            body["metadata"]["creationTimestamp"] = "2001-01-01T00:00:00Z"  # by a clock that is not the controller's
        return status, body


class Bench:
    """One run on one cluster, and what it takes to look at it."""

    def __init__(self, api, directory):
        self.api = api
        self.directory = str(directory)
        self.member = Member("c1", connect({"host": api.url, "api_key": "the-token"}, patience=QUICK))
        self.deadline = Deadline(60)

    def lease(self, run="run-1", **options):
        return Lease(self.member, NAMESPACE, run, **options)

    def writer(self, run="run-1", check_mode=False, expected=(), directory=True):
        journal = Journal(self.member, NAMESPACE, run, self.directory if directory else None)
        self.last_lease = self.lease(run)
        return Writer(self.member, "some_remedy", journal, self.last_lease, self.deadline, check_mode=check_mode, expected=expected)

    def history(self, run="run-1", file=True):
        return read_history(self.member, NAMESPACE, run, file_name(self.directory, run, "c1") if file else None, self.deadline)

    def rollback(self, run="run-1", remedy="", file=True, check_mode=False, force=False):
        lease = self.lease("rollback")
        work = Rollback(
            self.member, Journal(self.member, NAMESPACE, run, self.directory if file else None), lease, self.deadline, check_mode=check_mode, force=force
        )
        work.carry_out(work.decide(self.history(run, file), remedy))
        if work.locked:
            lease.release(self.deadline)
        return work

    def writes(self):
        return [call for call in self.api.calls if call.writes]

    def things(self):
        return {name: {key: value for key, value in obj.items() if key not in ("metadata",)} for name, obj in self.api.objects[THINGS].items()}
