# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is waited for after the autodetection was changed, and who keeps a field as it stands."""

from __future__ import annotations

import types

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._apply import _autodetection as remedy
from ansible_collections.fathom.submariner.plugins.module_utils._apply._autodetection import _rolled_out, _successor_ready
from ansible_collections.fathom.submariner.plugins.module_utils._apply._durable_owners import kept_by, last_written
from ansible_collections.fathom.submariner.plugins.module_utils._calico._autodetection_repair import Repair, Wanted
from ansible_collections.fathom.submariner.plugins.module_utils._errors import SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import TimedOutError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import TIMED_OUT, Answer, Pod, Ref
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks import methods
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._checks.builders import cluster, ok

ENV = {"IP_AUTODETECTION_METHOD": "kubernetes-internal-ip"}


def daemon_set(value="kubernetes-internal-ip", generation=2, **status):
    container = {"name": "calico-node", "env": [{"name": "IP_AUTODETECTION_METHOD", "value": value}]}
    return {
        "metadata": {"name": "calico-node", "generation": generation},
        "spec": {"template": {"spec": {"containers": [container]}}},
        "status": {"observedGeneration": 2, "desiredNumberScheduled": 3, "updatedNumberScheduled": 3, "numberAvailable": 3, **status},
    }


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        (daemon_set(), True),
        (daemon_set("first-found"), "its template does not have IP_AUTODETECTION_METHOD=kubernetes-internal-ip yet"),
        (daemon_set(generation=3), "3 of 3 pods are of the new template"),
        (daemon_set(updatedNumberScheduled=1), "1 of 3 pods are of the new template"),
        (daemon_set(numberAvailable=2), "2 of 3 pods are available"),
        (daemon_set(desiredNumberScheduled=0, updatedNumberScheduled=0, numberAvailable=0), True),
    ],
)
def test_rollout(found, verdict):
    assert _rolled_out([{"metadata": {"name": "other"}}, found], "calico-node", ENV) == verdict


def test_rollout_of_nothing():
    assert _rolled_out([], "calico-node", ENV) == "there is no DaemonSet calico-node"


OLD = Pod(Ref("Pod", "calico-node-a", "calico-system"), "old", "a", True, "Running", True, (), owner="DaemonSet/calico-node")


def pod(uid="new", ready="True", owner="calico-node", **metadata):
    return {
        "metadata": {"name": f"calico-node-{uid}", "uid": uid, "ownerReferences": [{"kind": "DaemonSet", "name": owner}], **metadata},
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }


@pytest.mark.parametrize(
    ("pods", "verdict"),
    [
        ([pod()], True),
        ([pod("old"), pod()], True),
        ([pod("old")], "no new pod on a"),
        ([pod(owner="other")], "no new pod on a"),
        ([pod(deletionTimestamp="2026-11-21T00:00:00Z")], "no new pod on a"),
        ([pod(ready="False")], "calico-node-new is not ready"),
        ([], "no new pod on a"),
    ],
)
def test_successor(pods, verdict):
    assert _successor_ready(pods, OLD) == verdict


def managed(manager, fields, time="2026-11-21T10:00:00Z", **more):
    return {"manager": manager, "operation": "Update", "time": time, "fieldsV1": fields, **more}


VALUES = {"f:spec": {"f:valuesContent": {}}}


@pytest.mark.parametrize(
    ("entries", "managers", "kept"),
    [
        ([managed("deploy@a", VALUES)], (), True),
        ([managed("fathom-submariner", VALUES)], (), False),
        ([managed("fathom-submariner", VALUES), managed("deploy@a", {"f:spec": {}})], (), False),  # what is left of it after another one's write
        ([managed("deploy@a", {"f:metadata": {"f:labels": {"f:x": {}}}})], (), False),
        ([managed("kubectl", VALUES)], ("helm",), False),
        ([managed("helm", VALUES)], ("helm",), True),
        ([managed("deploy@a", VALUES, subresource="status")], (), False),
        ([], (), False),
    ],
)
def test_who_keeps_a_field(entries, managers, kept):
    assert kept_by({"metadata": {"managedFields": entries}}, "spec.valuesContent", managers) is kept


def test_the_record_is_three_steps_deep():
    fields = {"f:spec": {"f:calicoNetwork": {"f:nodeAddressAutodetectionV4": {"f:kubernetes": {}}}}}
    obj = {"metadata": {"managedFields": [managed("helm", fields)]}}
    assert kept_by(obj, "spec.calicoNetwork.nodeAddressAutodetectionV4.kubernetes", ("helm",))
    assert not kept_by(obj, "spec.calicoNetwork.mtu", ("helm",))


def test_last_written():
    entries = [managed("a", VALUES, "2026-11-21T10:00:00Z"), managed("b", VALUES, "2026-11-21T11:00:00Z")]
    obj = {"metadata": {"managedFields": [*entries, managed("c", {}, "2026-11-21T12:00:00Z", subresource="status")]}}
    assert (last_written(obj), last_written(obj, "a"), last_written(obj, "z"), last_written({})) == ("2026-11-21T11:00:00Z", "2026-11-21T10:00:00Z", "", "")


@pytest.mark.parametrize("unread", ["pods", "nodes", "daemon_sets"])
def test_a_proof_that_cannot_be_read_says_what_was_done(monkeypatch, unread):
    lists = {"nodes": ok(methods.plain_node("a")), "pods": ok()}
    fields = methods.without_operator(methods.calico_node(IP="autodetect"), **lists)
    after = cluster(**{**fields, unread: Answer(TIMED_OUT, (), "GET /x", "late")})
    monkeypatch.setattr(remedy, "_read", lambda _task: after)
    task = types.SimpleNamespace(member=types.SimpleNamespace(name="c"), writer=types.SimpleNamespace(changed=True))
    with pytest.raises(SubmarinerError, match="the autodetection was changed.*could not be proved.*Run this again") as told:
        remedy._prove(task, Wanted("kubernetes-internal-ip"), ())
    assert "Nothing was written" not in told.value.message


def test_a_rollout_that_stays_at_a_node_is_told_with_what_makes_it_stay(monkeypatch):
    def late(*_args, **_more):
        raise TimedOutError("c: the rollout was waited for in vain.")

    monkeypatch.setattr(remedy, "wait_for", late)
    snapshot = cluster(**methods.without_operator(methods.calico_node(IP="autodetect")))
    task = types.SimpleNamespace(member=types.SimpleNamespace(name="c", connection=None), deadline=None)
    with pytest.raises(TimedOutError, match="in vain. calico-node ends where kubernetes-internal-ip finds no address on an interface of its node"):
        remedy._await(task, snapshot, Repair((), (), (), (), False), Wanted("kubernetes-internal-ip"))
