# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Probing from pods, against an API server on loopback that makes pods of a Job when its ConfigMap is there."""

from __future__ import annotations

import base64
import gzip
import json
import threading

import pytest

from ansible_collections.fathom.submariner.plugins.module_utils._apply import _node_probe as probing
from ansible_collections.fathom.submariner.plugins.module_utils._apply._task import Task
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, RefusedError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._submariner import _probe_objects as objects
from ansible_collections.fathom.submariner.plugins.modules.node_probe import ARGUMENT_SPEC
from ansible_collections.fathom.submariner.tests.unit.plugins.module_utils._apply.writing import LEASES, MAPS, Bench, StampingApi

SPACE = "fathom-submariner-probe"
SPACES, NODES = "/api/v1/namespaces", "/api/v1/nodes"
JOBS, OURS, PODS, EVENTS = (probing._path(SPACE, kind) for kind in ("jobs", "configmaps", "pods", "events"))
READY = {"conditions": [{"type": "Ready", "status": "True"}]}
TARGETS = {name: {"path_mtu": [{"address": "10.0.0.1", "path": "underlay", "protocols": ["icmp"]}]} for name in ("a", "b")}


class PodMakingApi(StampingApi):
    """:ivar logs: by node. :ivar denied: why it makes no pods. :ivar lingering: seconds for which pods outlive their Job."""

    def __init__(self):
        super().__init__()
        self.logs = {node: report(node) for node in TARGETS}
        self.status = READY
        self.denied = ""
        self.lingering = 0.0

    def answer(self, call):
        if call.path.endswith("/log"):
            return 200, self.logs[call.path.split("/")[-2].rpartition("-")[2]]
        status, body = super().answer(call)
        if call.method == "POST" and call.path == OURS and call.writes:
            if self.denied:
                self.put(EVENTS, "e", type="Warning", reason="FailedCreate", involvedObject={"uid": f"uid-{objects.NAME}"}, message=self.denied)
            else:
                for node in TARGETS:
                    self.put(PODS, f"{objects.NAME}-{node}", spec={"nodeName": node}, status=self.status)
        if call.method == "DELETE" and "/jobs/" in call.path and call.writes:
            for name in list(self.objects[PODS]):
                threading.Timer(self.lingering, self.remove, (PODS, name)).start()
        return status, body


def report(node):
    document = {"apiVersion": "fathom.submariner/v1", "kind": "NodeProbes", "metadata": {"name": node}, "origin": "pod"}
    found = {"apiVersion": "fathom.submariner/v1", "kind": "PodReport", "documents": [document], "lines": ["underlay is open"], "notes": ["port taken"]}
    return json.dumps(found, separators=(",", ":")) + "\n"


@pytest.fixture
def api():
    with PodMakingApi() as server:
        server.objects.update({path: {} for path in (MAPS, LEASES, SPACES, NODES, JOBS, OURS, PODS, EVENTS)})
        for node in TARGETS:
            server.put(NODES, node, status=READY)
        yield server


@pytest.fixture
def make(api, tmp_path, monkeypatch):
    made = []
    monkeypatch.setattr(probing, "program", lambda: b"a program")
    monkeypatch.setattr(probing, "_FIRST_POD", 0.2)

    def task(check_mode=False, seconds=60.0, **options):
        bench = Bench(api, tmp_path)
        made.append(bench)
        writer = bench.writer(check_mode=check_mode, directory=False)
        params = {name: spec.get("default") for name, spec in ARGUMENT_SPEC.items()}
        params.update({"wait": True, "wait_timeout": 60, "image": "i", "targets": TARGETS, **options})
        writer.deadline = bench.deadline
        return Task(params, bench.member, writer, type(bench.deadline)(seconds), check_mode=check_mode)

    yield task
    for bench in made:
        bench.last_lease.release(bench.deadline)
        bench.member.connection.close()


def there(api):
    return {path: sorted(api.objects[path]) for path in (SPACES, JOBS, OURS, PODS) if api.objects[path]}


def sent(api, kind):
    """The body of the real creation of an object of a kind."""
    (body,) = [call.body for call in api.of("POST") if call.writes and call.body["kind"] == kind and call.path != MAPS]
    return body


def test_it_probes_and_leaves_nothing(api, make):
    told = make(check_mode=True)
    probing.perform(told)
    assert there(api) == {} and told.writer.changed
    task = make()
    probing.perform(task)
    assert task.lines == told.lines and len(task.lines) == 5 and there(api) == {}
    assert [each["metadata"]["name"] for each in task.facts["documents"]] == ["a", "b"] and task.facts["missing"] == {}
    assert task.facts["notes"][:2] == ["a: underlay is open", "a: port taken"] and task.facts["job"] == f"{SPACE}/{objects.NAME}"
    assert sent(api, "Job")["spec"]["activeDeadlineSeconds"] == 120
    contents = sent(api, "ConfigMap")["binaryData"]
    order = json.loads(gzip.decompress(base64.b64decode(contents[objects.ORDER])))
    assert set(order["nodes"]) == {"a", "b"} and order["lifetime"] == 60 and order["cluster"] == "c1" and set(contents) == {objects.PROGRAM, objects.ORDER}
    assert all(call.body["propagationPolicy"] == "Background" for call in api.of("DELETE"))


def test_it_ends_when_its_pods_have(api, make):
    api.lingering = 0.8
    task = make()
    probing.perform(task)
    assert there(api) == {} and task.warnings == []


def test_pods_that_stay_are_told_and_take_nothing_from_what_was_found(api, make, monkeypatch):
    monkeypatch.setattr(probing, "_CLEAN_UP", 1.0)
    api.lingering = 5.0
    task = make()
    probing.perform(task)
    (warning,) = task.warnings
    assert "its probe pods to be gone" in warning and "2 pods are still there" in warning and len(task.facts["documents"]) == 2


def test_a_namespace_that_is_there_stays(api, make):
    api.put(SPACES, SPACE)
    task = make()
    probing.perform(task)
    assert there(api) == {SPACES: [SPACE]} and len(task.lines) == 3


def test_nodes_that_do_not_report_are_told_and_the_others_count(api, make):
    api.logs["b"] = "exec: python3: not found\n"
    api.put(NODES, "c", status={})
    task = make(targets={**TARGETS, "c": {}, "d": {}})
    probing.perform(task)
    assert [each["metadata"]["name"] for each in task.facts["documents"]] == ["a"]
    assert set(task.facts["missing"]) == {"b", "c", "d"} and "python3: not found" in task.facts["missing"]["b"]
    assert "not Ready" in task.facts["missing"]["c"] and "no such node" in task.facts["missing"]["d"] and len(task.warnings) == 3


def test_a_run_that_fails_cleans_up(api, make):
    api.logs = dict.fromkeys(TARGETS, "")
    task = make()
    with pytest.raises(SubmarinerError, match="no probe pod has reported. a: .*the log of its pod is empty"):
        probing.perform(task)
    assert there(api) == {}


def test_one_that_is_late_is_told_with_what_it_was_at(api, make):
    api.status = {"containerStatuses": [{"state": {"waiting": {"reason": "ContainerCreating"}}}]}
    api.logs["b"] = ""
    task = make(seconds=3.0)
    probing.perform(task)
    # The other one was late as well, and had its report in its log.
    assert task.facts["missing"] == {"b": "ContainerCreating; b: the log of its pod is empty."} and there(api) == {}


@pytest.mark.parametrize(
    ("said", "hint"),
    [
        ("unable to validate against any security context constraint: []", "oc adm policy add-scc-to-user privileged -z default -n"),
        ('violates PodSecurity "baseline:latest": host namespaces', "pod-security.kubernetes.io/enforce=privileged"),
        ("exceeded quota", "exceeded quota"),
    ],
)
def test_a_refusal_of_pods_is_told_in_the_servers_words(api, make, said, hint):
    api.denied = f"Error creating: pods is forbidden: {said}"
    with pytest.raises(RefusedError) as caught:
        probing.perform(make(seconds=3.0))
    assert said in caught.value.message and hint in caught.value.message and there(api) == {}


def test_leftovers_go_first_and_a_new_name_is_taken(api, make):
    api.put(SPACES, SPACE, metadata={"labels": objects.LABELS})
    api.put(JOBS, objects.NAME, metadata={"labels": objects.LABELS, "deletionTimestamp": "x"})
    task = make(check_mode=True)
    probing.perform(task)
    assert task.facts["job"] == f"{SPACE}/{objects.NAME}-2"


def test_absent_removes_what_is_ours_and_then_writes_nothing(api, make):
    api.put(SPACES, SPACE, metadata={"labels": objects.LABELS})
    for path in (JOBS, OURS):
        api.put(path, objects.NAME, metadata={"labels": objects.LABELS})
    api.put(PODS, f"{objects.NAME}-a", metadata={"labels": objects.LABELS})
    task = make(state="absent", image=None, targets=None)
    probing.perform(task)
    assert there(api) == {} and len(task.lines) == 3
    before = len([call for call in api.calls if call.method != "GET"])
    again = make(state="absent")
    probing.perform(again)
    assert (again.lines, again.writer.changed) == ([], False) and len([call for call in api.calls if call.method != "GET"]) == before


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"targets": {}}, "targets is empty"),
        ({"wait": False}, "wait=false"),
        ({"port": 70000}, "port is 70000"),
        ({"image": None}, "image is empty"),
        ({"timeout": 0.0}, "timeout is 0.0"),
        ({"targets": {"z": {}}}, "none of the nodes"),
    ],
)
def test_what_cannot_be_right_writes_nothing(api, make, options, said):
    with pytest.raises(InputError, match=said):
        probing.perform(make(**options))
    assert not [call for call in api.calls if call.method != "GET"]


def test_too_much_for_a_config_map_is_refused(make, monkeypatch):
    monkeypatch.setattr(objects, "MOST", 10)
    with pytest.raises(InputError, match="a ConfigMap gets 10 at the most. Probe fewer pairs"):
        probing.perform(make())
