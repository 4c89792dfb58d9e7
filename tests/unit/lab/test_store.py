# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects found by kind and written whole, on top of an API server in memory."""

from __future__ import annotations

import copy
import types

import pytest

from tests.lab.client import ApiError
from tests.lab.info import LabError
from tests.lab.store import Store, plain

GROUPS = {
    "/api/v1": [("pods", "Pod", True, True), ("nodes", "Node", False, True), ("namespaces", "Namespace", False, True), ("events", "Event", True, False)],
    "/apis/crd.projectcalico.org/v1": [("ippools", "IPPool", False, False), ("networkpolicies", "NetworkPolicy", True, False)],
    "/apis/events.k8s.io/v1": [("events", "Event", True, False)],
    "/apis/networking.k8s.io/v1": [("networkpolicies", "NetworkPolicy", True, False)],
    "/apis/projectcalico.org/v3": [("ippools", "IPPool", False, False), ("networkpolicies", "NetworkPolicy", True, False)],
}


class Api:
    """What Store asks of Client. A pod's spec cannot be changed; an object with finalizers stays until they are gone."""

    def __init__(self) -> None:
        self.objects: dict[str, dict] = {}
        self.version = 0

    def get(self, path):
        if path == "/apis":
            roots = [each.removeprefix("/apis/") for each in GROUPS if each.startswith("/apis/")]
            return {"groups": [{"versions": [{"groupVersion": each}]} for each in roots]}
        if path in GROUPS:
            served = [{"name": name, "kind": kind, "namespaced": namespaced} for name, kind, namespaced, _status in GROUPS[path]]
            return {"resources": served + [{"name": f"{each[0]}/status", "kind": each[1], "namespaced": each[2]} for each in GROUPS[path] if each[3]]}
        return self.find(path) or self.refuse(404, "NotFound")

    def find(self, path):
        return copy.deepcopy(self.objects.get(path))

    def refuse(self, status, reason):
        raise ApiError(status, reason, reason)

    def request(self, method, path, body, query=None):
        self.version += 1
        if method == "POST":
            path = f"{path}/{body['metadata']['name']}"
            if path in self.objects:
                self.refuse(409, "AlreadyExists")
            stored = {key: value for key, value in body.items() if key != "status"}
            self.objects[path] = {**stored, "metadata": {**body["metadata"], "uid": f"u{self.version}", "resourceVersion": str(self.version)}}
            return self.find(path)
        if path.endswith(("/status", "/finalize")):
            path, _slash, part = path.rpartition("/")
            if part == "status":
                self.objects[path]["status"] = body["status"]
            else:
                del self.objects[path]
                return {}
            return self.find(path)
        current = self.objects[path]
        if body["metadata"]["resourceVersion"] != current["metadata"]["resourceVersion"]:
            self.refuse(409, "Conflict")
        if body["kind"] == "Pod" and body["spec"] != current["spec"]:
            self.refuse(422, "Invalid")
        self.objects[path] = {**body, "metadata": {**body["metadata"], "resourceVersion": str(self.version)}}
        return self.find(path)

    def merge_patch(self, path, patch):
        assert patch == {"metadata": {"finalizers": None}}
        del self.objects[path]

    def delete(self, path, **_options):
        if path not in self.objects:
            self.refuse(404, "NotFound")
        if "/namespaces/" in path and path.count("/") == 4:
            self.objects[path]["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
        elif not self.objects[path]["metadata"].get("finalizers"):
            del self.objects[path]


@pytest.fixture
def api():
    return Api()


@pytest.fixture
def store(api):
    return Store(types.SimpleNamespace(name="cluster-1", client=lambda name: api))


def pod(image="example/a:1", **metadata):
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "a", "namespace": "n", **metadata},
        "spec": {"containers": [{"name": "a", "image": image}]},
        "status": {"phase": "Running"},
    }


@pytest.mark.parametrize(
    ("kind", "api_version", "found"),
    [
        ("IPPool", "", "crd.projectcalico.org/v1"),
        ("IPPool", "projectcalico.org/v3", "projectcalico.org/v3"),
        ("Event", "", "v1"),
        ("NetworkPolicy", "networking.k8s.io/v1", "networking.k8s.io/v1"),
        ("Node", "", "v1"),
    ],
)
def test_a_kind_is_found_where_its_objects_are(store, kind, api_version, found):
    assert store.resource(kind, api_version).api_version == found


@pytest.mark.parametrize(
    ("kind", "complaint"),
    [("NetworkPolicy", "crd.projectcalico.org/v1, networking.k8s.io/v1: say which"), ("Tier", "cluster-1 serves no Tier")],
)
def test_a_kind_that_cannot_be_told_is_named(store, kind, complaint):
    with pytest.raises(LabError, match=complaint):
        store.resource(kind)


def test_an_object_is_written_with_its_status_and_changed(store, api):
    assert store.write(pod())["status"] == {"phase": "Running"}
    first = api.find("/api/v1/namespaces/n/pods/a")
    store.write({**pod(labels={"new": "true"}), "status": {"phase": "Failed"}})
    then = api.find("/api/v1/namespaces/n/pods/a")
    assert (then["metadata"]["labels"], then["status"], then["metadata"]["uid"]) == ({"new": "true"}, {"phase": "Failed"}, first["metadata"]["uid"])


def test_what_cannot_be_changed_is_made_anew(store, api):
    store.write(pod())
    first = api.find("/api/v1/namespaces/n/pods/a")["metadata"]["uid"]
    store.write(pod("example/a:2"))
    then = api.find("/api/v1/namespaces/n/pods/a")
    assert then["spec"]["containers"][0]["image"] == "example/a:2"
    assert then["metadata"]["uid"] != first
    assert then["status"] == {"phase": "Running"}


def test_planting_what_is_there_writes_it(store, api):
    store.plant(pod())
    store.plant(pod(labels={"new": "true"}))
    assert api.find("/api/v1/namespaces/n/pods/a")["metadata"]["labels"] == {"new": "true"}


def test_neither_finalizers_nor_a_missing_controller_keep_an_object(store, api):
    store.write(pod(finalizers=["example.com/stay"]))
    store.write({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}, "spec": {"finalizers": ["kubernetes"]}})
    store.remove("/api/v1/namespaces/n/pods/a", store.resource("Pod"))
    store.remove("/api/v1/namespaces/n", store.resource("Namespace"))
    store.remove("/api/v1/namespaces/n", store.resource("Namespace"))
    assert api.objects == {}


def test_an_object_without_its_namespace_is_named(store):
    with pytest.raises(LabError, match="Pod a needs a namespace"):
        store.write({**pod(), "metadata": {"name": "a"}})


def test_two_objects_are_alike_but_for_what_the_server_and_heartbeats_set():
    one = pod(uid="1", resourceVersion="1", annotations={"update-timestamp": "1"})
    assert plain(one) == plain(pod(uid="2", managedFields=[])) == pod()
    assert plain(pod(annotations={"mine": "1"})) != pod()
