# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of one cluster as a whole: found by kind, written with their status, removed at once although no controller runs."""

from __future__ import annotations

import time
import typing as t

from tests.lab.client import ApiError, Client, Object
from tests.lab.definitions import is_established
from tests.lab.info import ClusterInfo, LabError

PLANTER = "planter"
MANAGER = "lab"
WAIT_SECONDS = 60.0
POLL_SECONDS = 0.05
CONFLICTS = 4
KEPT = {"create", "delete", "list"}
IMMUTABLE = (400, 403, 422)
# Of a kind in several groups the one where the object really is: projectcalico.org/v3 shows what is kept in crd.projectcalico.org/v1.
SHOWN_ELSEWHERE = {"crd.projectcalico.org/v1": "projectcalico.org/v3", "v1": "events.k8s.io/v1", "operator.tigera.io/v1": "config.openshift.io/v1"}
# What the API server sets, or what changes by itself in a healthy cluster at rest.
OWN_METADATA = ("uid", "resourceVersion", "creationTimestamp", "generation", "managedFields", "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds")
# The second one counts the changes of a DaemonSet's template (kubernetes pkg/registry/apps/daemonset/strategy.go).
HEARTBEATS = ("update-timestamp", "deprecated.daemonset.template.generation")


class Resource(t.NamedTuple):
    """Where objects of a kind are.

    :ivar root: ``/api/v1`` or ``/apis/GROUP/VERSION``.
    :ivar status: whether there is a status subresource.
    :ivar kept: whether its objects can be listed, made and removed.
    """

    root: str
    api_version: str
    kind: str
    plural: str
    namespaced: bool
    status: bool
    kept: bool = True

    def collection(self, namespace: str = "") -> str:
        return f"{self.root}/namespaces/{namespace}/{self.plural}" if self.namespaced and namespace else f"{self.root}/{self.plural}"

    def path(self, name: str, namespace: str = "") -> str:
        return f"{self.collection(namespace)}/{name}"


class Store:
    """The objects of one cluster, as CN=standin:NAME."""

    def __init__(self, cluster: ClusterInfo, name: str = PLANTER) -> None:
        self.cluster = cluster
        self.client: Client = cluster.client(name)
        self._resources: list[Resource] = []

    def resources(self) -> list[Resource]:
        """All that are served now, one version of a group."""
        self._resources = _discover(self.client)
        return self._resources

    def resource(self, kind: str, api_version: str = "", *, fresh: bool = False) -> Resource:
        """The resource of a kind. Raises LabError when it is not served, or in several groups of which none was named."""
        if fresh or not self._resources:
            self._resources = _discover(self.client)
        found = [each for each in self._resources if each.kind == kind and api_version in ("", each.api_version)]
        hidden = {SHOWN_ELSEWHERE[each.api_version] for each in found if each.api_version in SHOWN_ELSEWHERE}
        chosen = [each for each in found if each.api_version not in hidden] if not api_version else found
        if len(chosen) == 1:
            return chosen[0]
        if not chosen and not fresh:
            return self.resource(kind, api_version, fresh=True)
        if not chosen:
            raise LabError(f"{self.cluster.name} serves no {kind}" + (f" in {api_version}" if api_version else ""))
        listed = ", ".join(each.api_version for each in chosen)
        raise LabError(f"{self.cluster.name} serves {kind} in {listed}: say which with `apiVersion`")

    def resource_of(self, obj: Object) -> Resource:
        return self.resource(obj["kind"], obj["apiVersion"])

    def path_of(self, obj: Object) -> str:
        metadata = obj["metadata"]
        resource = self.resource_of(obj)
        if resource.namespaced and not metadata.get("namespace"):
            raise LabError(f"{describe(obj)} needs a namespace")
        return resource.path(metadata["name"], metadata.get("namespace", ""))

    def find(self, path: str, resource: Resource) -> Object | None:
        """The object with its apiVersion and kind, or None."""
        found = self.client.find(path)
        return None if found is None else {**found, "apiVersion": resource.api_version, "kind": resource.kind}

    def write(self, obj: Object, manager: str = MANAGER) -> Object:
        """Makes the API server hold this object, status included, whatever it holds now. What cannot be changed is made anew.

        A heartbeat that comes in between only makes it try again.

        :param manager: who shall stand in managedFields.
        """
        for attempt in range(CONFLICTS + 1):
            try:
                return self._write(obj, manager)
            except ApiError as error:
                if error.reason != "Conflict" or attempt == CONFLICTS:
                    raise
        raise AssertionError("the last try has returned or raised")

    def _write(self, obj: Object, manager: str) -> Object:
        resource = self.resource_of(obj)
        path = self.path_of(obj)
        current = self.find(path, resource)
        written = None
        if current is not None:
            try:
                written = self._replace(resource, path, obj, current, manager)
            except ApiError as error:
                if error.status not in IMMUTABLE:
                    raise
                self.remove(path, resource)
        if written is None:
            written = self._create(resource, obj, manager)
        if resource.plural == "customresourcedefinitions":
            self._await(lambda: is_established(self.client.get(path)), f"{obj['metadata']['name']} is established")
            self._resources = []
            return written
        return self._with_status(resource, obj, written, manager)

    def plant(self, obj: Object, manager: str = MANAGER) -> Object:
        """As ``write``, quicker for an object that most likely is not there."""
        resource = self.resource_of(obj)
        try:
            written = self._create(resource, obj, manager)
        except ApiError as error:
            if error.reason != "AlreadyExists":
                raise
            return self.write(obj, manager)
        return self._with_status(resource, obj, written, manager)

    def _with_status(self, resource: Resource, obj: Object, written: Object, manager: str) -> Object:
        # An APIService's status is kube-aggregator's alone: it writes at the same time, and says what is.
        mine = resource.status and resource.plural != "apiservices"
        if mine and "status" in obj and obj["status"] != written.get("status"):
            changed = {**written, "apiVersion": resource.api_version, "kind": resource.kind, "status": obj["status"]}
            written = self.client.request("PUT", f"{self.path_of(obj)}/status", changed, {"fieldManager": manager})
        return {**written, "apiVersion": resource.api_version, "kind": resource.kind}

    def remove(self, path: str, resource: Resource) -> None:
        """Deletes an object and returns when it is gone; finalizers do not keep it."""
        self.delete(path)
        self._await(lambda: self._is_gone(path, resource), f"{path} is gone")
        if resource.plural == "customresourcedefinitions":
            self._resources = []

    def delete(self, path: str) -> None:
        """Asks for the deletion of an object, which finalizers may hold back (and nothing takes away a namespace's)."""
        try:
            self.client.delete(path, gracePeriodSeconds=0, propagationPolicy="Orphan" if "/customresourcedefinitions/" not in path else "Background")
        except ApiError as error:
            if not error.not_found:
                raise

    def _create(self, resource: Resource, obj: Object, manager: str) -> Object:
        fresh = {**obj, "metadata": {key: value for key, value in obj["metadata"].items() if key not in OWN_METADATA}}
        path = resource.collection(obj["metadata"].get("namespace", ""))
        return self.client.request("POST", path, fresh, {"fieldManager": manager})

    def _replace(self, resource: Resource, path: str, obj: Object, current: Object, manager: str) -> Object:
        kept = {key: current["metadata"][key] for key in ("uid", "resourceVersion", "creationTimestamp") if key in current["metadata"]}
        wanted = {**obj, "metadata": {**obj["metadata"], **kept}}
        wanted["metadata"].pop("managedFields", None)
        if resource.status and "status" in current:
            wanted["status"] = current["status"]
        if plain(wanted) == plain(current):
            return current
        return self.client.request("PUT", path, wanted, {"fieldManager": manager})

    def _is_gone(self, path: str, resource: Resource) -> bool:
        """Takes away what holds a deleted object: its finalizers, and those of a namespace in their own place."""
        left = self.client.find(path)
        if left is None:
            return True
        try:
            if resource.plural == "namespaces":
                self.client.request("PUT", f"{path}/finalize", {**left, "spec": {**left["spec"], "finalizers": []}})
            elif left["metadata"].get("finalizers"):
                self.client.merge_patch(path, {"metadata": {"finalizers": None}})
        except ApiError as error:
            if not (error.not_found or error.conflict):
                raise
        return False

    def _await(self, reached: t.Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        while not reached():
            if time.monotonic() > deadline:
                raise LabError(f"{self.cluster.name}: not so after {WAIT_SECONDS:.0f} s: {what}")
            time.sleep(POLL_SECONDS)


def plain(obj: Object) -> Object:
    """An object without what the API server or a heartbeat sets: two that are alike in it are the same to a user."""
    metadata = {key: value for key, value in obj["metadata"].items() if key not in OWN_METADATA}
    annotations = {key: value for key, value in (metadata.pop("annotations", None) or {}).items() if key not in HEARTBEATS}
    return {**obj, "metadata": {**metadata, **({"annotations": annotations} if annotations else {})}}


def describe(obj: Object) -> str:
    """An object by kind, namespace and name."""
    metadata = obj["metadata"]
    place = f"{metadata['namespace']}/" if metadata.get("namespace") else ""
    return f"{obj['kind']} {place}{metadata['name']}"


def _discover(client: Client) -> list[Resource]:
    """Every resource that the API server itself or a CRD serves; a dead aggregated API hides none but its own."""
    roots = ["/api/v1"]
    for group in client.get("/apis")["groups"]:
        roots += [f"/apis/{each['groupVersion']}" for each in group["versions"]]
    found = []
    for root in roots:
        try:
            served = client.get(root)["resources"]
        except ApiError:
            continue
        with_status = {each["name"].partition("/")[0] for each in served if each["name"].endswith("/status")}
        api_version = root.partition("/apis/")[2] or "v1"
        found += [
            Resource(root, api_version, each["kind"], each["name"], each["namespaced"], each["name"] in with_status, KEPT <= set(each.get("verbs") or ()))
            for each in served
            if "/" not in each["name"]
        ]
    return _preferred(found)


def _preferred(resources: list[Resource]) -> list[Resource]:
    """Of several versions of a group the first, which discovery lists as the preferred one."""
    seen: set[tuple[str, str]] = set()
    kept = []
    for each in resources:
        key = (each.api_version.rpartition("/")[0], each.plural)
        if key not in seen:
            seen.add(key)
            kept.append(each)
    return kept
