# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evictions: what a budget's refusal, a lost answer and a pod that is gone mean."""

from __future__ import annotations

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._kube import _evict as evicting
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import NotFoundError, TimedOutError, UncertainError

PATH = "/api/v1/namespaces/shop/pods/web-1"


class Connection:
    """Answers evictions with ``answers`` in turn, and reads with ``pod``."""

    def __init__(self, *answers, pod=None):
        self.answers = list(answers)
        self.pod = pod
        self.sent = []

    def request(self, method, path, query=None, body=None, **dummy):
        if method == "GET":
            if self.pod is None:
                raise NotFoundError("gone", reason="NotFound")
            return self.pod
        self.sent.append((path, query, body))
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return {"kind": "Status"}


def evict(connection, **options):
    evicting.evict(connection, PATH, uid="u1", deadline=Deadline(5), **options)


def test_the_pod_that_is_meant_is_evicted():
    connection = Connection("done")
    evict(connection)
    ((path, query, body),) = connection.sent
    assert path == f"{PATH}/eviction" and query["dryRun"] is None
    assert body["metadata"] == {"name": "web-1", "namespace": "shop"} and body["deleteOptions"] == {"preconditions": {"uid": "u1"}}


def test_a_dry_run_is_one_for_the_server_and_for_the_audit_log():
    connection = Connection("done")
    evict(connection, dry_run=True)
    ((dummy, query, body),) = connection.sent
    assert query["dryRun"] == "All" and body["deleteOptions"]["dryRun"] == ["All"]


def test_a_budget_that_forbids_is_told_in_the_servers_words():
    refused = TimedOutError("too many requests", status=429, api_message="Cannot evict pod as it would violate the pod's disruption budget.")
    with pytest.raises(evicting.EvictionBlockedError) as caught:
        evict(Connection(refused))
    assert "disruption budget" in caught.value.api_message


def test_a_deadline_is_no_budget():
    with pytest.raises(TimedOutError):
        evict(Connection(TimedOutError("no answer")))


def test_a_pod_that_is_gone_is_evicted():
    connection = Connection(NotFoundError("gone", reason="NotFound"))
    evict(connection)
    assert len(connection.sent) == 1


@pytest.mark.parametrize("pod", [None, {"metadata": {"uid": "u1", "deletionTimestamp": "2026-01-01T00:00:00Z"}}, {"metadata": {"uid": "u2"}}])
def test_after_a_lost_answer_the_pod_tells(pod):
    connection = Connection(UncertainError("lost"), pod=pod)
    evict(connection)
    assert len(connection.sent) == 1


def test_a_pod_that_is_unharmed_after_a_lost_answer_is_evicted_again():
    connection = Connection(UncertainError("lost"), "done", pod={"metadata": {"uid": "u1"}})
    evict(connection)
    assert len(connection.sent) == 2


def test_answers_that_are_always_lost_are_told():
    with pytest.raises(UncertainError):
        evict(Connection(*[UncertainError("lost")] * 3, pod={"metadata": {"uid": "u1"}}))
