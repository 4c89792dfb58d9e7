# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Restarts one by one: what ends them, what is asked before the first write, and what counts as proof."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._apply import _route_agent as agents
from ansible_collections.fathom.submariner.plugins.module_utils._apply._members import Member
from ansible_collections.fathom.submariner.plugins.module_utils._apply._task import Task
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, RefusedError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import KubeError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import FORBIDDEN, NOT_SERVED
from ansible_collections.fathom.submariner.plugins.module_utils._submariner import _restart_order as order
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks import builders, reboots
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._submariner.test_agent_sight import ADDED
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._submariner.test_restart_order import GATEWAY, GAVE_UP, STANDBY, WORKER, three

SEES = [reboots.STARTED, ADDED]
FORBIDDEN_LOGS = builders.answer(FORBIDDEN, "GET pods/log", "pods/log is forbidden")


class Cluster:
    """What a task sees and does: logs by node, and the pods that were restarted, in order."""

    def __init__(self, monkeypatch, snapshot, logs=None):
        self.logs = logs or {}
        self.restarted = []
        monkeypatch.setattr(agents, "look", lambda task: snapshot)
        monkeypatch.setattr(agents, "restart_pod", self.restart)
        monkeypatch.setattr(agents, "get_object", lambda connection, path, deadline: None)
        monkeypatch.setattr(agents, "_LOOK_AGAIN", 0.01)
        monkeypatch.setattr(agents, "_SEARCH", 0.1)
        self.connection = SimpleNamespace(request_text=self.log)

    def restart(self, writer, pod, deadline, *, wait=True):
        self.restarted.append(pod.node)
        return None if writer.check_mode or not wait else {"metadata": {"name": f"new-{pod.node}", "uid": f"new-uid-{pod.node}"}}

    def log(self, path, query, deadline):
        lines = self.logs.get(path.split("/")[-2].removeprefix("new-"))
        if lines is None:
            raise KubeError("the log is not there", FORBIDDEN)
        return "\n".join(lines)

    def task(self, check_mode=False, **params):
        options = {"nodes": [], "gateways": False, "started_before": None, "allow_disruption": False, "wait": True, **params}
        writer = SimpleNamespace(check_mode=check_mode)
        return Task(options, Member("cluster-1", self.connection), writer, Deadline(5), check_mode=check_mode)


@pytest.fixture
def cluster(monkeypatch):
    return lambda *arguments, **keywords: Cluster(monkeypatch, *arguments, **keywords)


def test_each_is_proved_before_the_next(cluster):
    here = cluster(three(dict.fromkeys((GATEWAY, STANDBY, WORKER), GAVE_UP)), {GATEWAY: SEES, STANDBY: SEES, WORKER: SEES})
    task = here.task(allow_disruption=True)
    agents.perform(task)
    assert here.restarted == [WORKER, STANDBY, GATEWAY]
    assert [each["node"] for each in task.facts["restarted"]] == here.restarted
    assert all("kubeproxy-iptables-handler" in each["evidence"] for each in task.facts["restarted"])


@pytest.mark.parametrize(
    ("log", "words"),
    [
        (GAVE_UP, "still does not see Calico's interface"),
        ([reboots.STARTED], "nothing has proved that it sees Calico's interface"),
        (None, "the log is not there"),
    ],
)
def test_the_first_that_does_not_heal_ends_it(cluster, log, words):
    here = cluster(three(dict.fromkeys((STANDBY, WORKER), GAVE_UP)), {STANDBY: SEES, **({WORKER: log} if log else {})})
    with pytest.raises(SubmarinerError, match=words):
        agents.perform(here.task())
    assert here.restarted == [WORKER]


def test_consent_is_asked_before_the_first_restart(cluster):
    here = cluster(three(dict.fromkeys((GATEWAY, WORKER), GAVE_UP)))
    with pytest.raises(RefusedError, match="allow_disruption"):
        agents.perform(here.task())
    assert here.restarted == []


def test_check_mode_says_that_consent_is_missing_and_what_would_be_done(cluster):
    here = cluster(three(dict.fromkeys((GATEWAY, WORKER), GAVE_UP)))
    task = here.task(check_mode=True)
    agents.perform(task)
    assert len(task.lines) == 2 and len(task.disruptive) == 1 and task.facts["restarted"] == []
    assert any("allow_disruption" in warning for warning in task.warnings)


def test_what_cannot_be_told_is_refused_and_names_the_right(cluster):
    here = cluster(three(logs=FORBIDDEN_LOGS))
    with pytest.raises(RefusedError, match="cannot be told.*pods/log is forbidden.*Grant get on pods/log"):
        agents.perform(here.task())


def test_without_any_way_to_prove_it_nothing_is_restarted(cluster):
    here = cluster(three(logs=FORBIDDEN_LOGS, route_agents=builders.answer(NOT_SERVED)))
    with pytest.raises(RefusedError, match="nothing could prove"):
        agents.perform(here.task(nodes=[WORKER]))
    assert here.restarted == []


def test_several_at_once_are_refused(cluster):
    here = cluster(three(dict.fromkeys((STANDBY, WORKER), GAVE_UP)))
    with pytest.raises(RefusedError, match="2 pods at once"):
        agents.perform(here.task(wait=False))
    assert here.restarted == []


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"nodes": ["nowhere"]}, "no Node nowhere"),
        ({"nodes": [WORKER], "started_before": "yesterday"}, "no time such as"),
        ({"started_before": "2026-01-01T00:00:00Z"}, "goes with nodes"),
    ],
)
def test_bad_input(cluster, params, words):
    here = cluster(three())
    with pytest.raises(InputError, match=words):
        agents.perform(here.task(**params))


def test_answers_of_a_survey(cluster):
    here = cluster(three({WORKER: SEES}), {WORKER: SEES, STANDBY: SEES})
    agents.perform(here.task(nodes=["", f" {WORKER} ,{STANDBY}"], started_before=""))
    assert here.restarted == [WORKER, STANDBY]


def test_a_reboot_seen_from_the_outside_is_proved_by_the_log_alone(cluster):
    snapshot = three({WORKER: SEES})
    here = cluster(snapshot, {f"{order.AGENT}-{WORKER}": SEES})
    (start,) = [each for each in agents_of(snapshot) if each.node == WORKER]
    assert "kubeproxy" in agents.settled_sight(here.task(), snapshot, start)
    here.logs = {f"{order.AGENT}-{WORKER}": GAVE_UP}
    assert agents.settled_sight(here.task(), snapshot, start) == ""


def test_a_log_that_has_lost_its_beginning_is_no_search_that_goes_on(cluster):
    snapshot = three({WORKER: ["2026-01-05T10:00:00.000Z INF ..x.go:1 KubeProxy something of late"]})
    (start,) = [each for each in agents_of(snapshot) if each.node == WORKER]
    assert "found Calico's interface" in agents.settled_sight(cluster(snapshot).task(), snapshot, start)


def agents_of(snapshot):
    return agents.order.agent_starts(snapshot)
