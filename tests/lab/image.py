# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All objects of a cluster at one moment, and bringing it back to that moment, whoever changed what meanwhile.

Nothing may write while an image is taken or restored, so an awake lab is put to sleep first (``awake.py``). What the API server looks after by itself
is left out; so is what an aggregated API shows, as it is kept in another place.
"""

from __future__ import annotations

import typing as t

from tests.lab.changes import comparable
from tests.lab.client import ApiError, Object
from tests.lab.layout_planting import rank
from tests.lab.store import Resource, Store
from tests.lab.woken import Image

OWN_GROUPS = ("flowcontrol.apiserver.k8s.io", "events.k8s.io", "internal.apiserver.k8s.io", "discovery.k8s.io")
# The DaemonSet controller finds a ControllerRevision by the bytes of its data, which none but itself can write again.
OWN_RESOURCES = (("", "endpoints"), ("networking.k8s.io", "ipaddresses"), ("networking.k8s.io", "servicecidrs"), ("apps", "controllerrevisions"))
NODE_LEASES = "kube-node-lease"
AUTOMANAGED = "kube-aggregator.kubernetes.io/automanaged"
API_SERVICES = "/apis/apiregistration.k8s.io/v1/apiservices"
MERGE_PATCH = "application/merge-patch+json"


def take(store: Store) -> Image:
    """Every object by its path."""
    return {path: obj for resource in _resources(store) for path, obj in _listed(store, resource)}


def restore(store: Store, image: Image) -> None:
    """Makes the cluster what it was. What had to be made anew has another uid, and what it owns follows it."""
    now = take(store)
    for path in sorted((each for each in now if each not in image or _goes(now[each])), key=lambda each: _order(now[each]), reverse=True):
        obj = now.pop(path)
        if store.find(path, store.resource_of(obj)) is not None:
            store.remove(path, store.resource_of(obj))
    uids = {_name(each): each["metadata"]["uid"] for each in now.values()}
    for path in sorted(image, key=lambda each: _order(image[each])):
        wanted = _owned_by(image[path], uids)
        current = now.get(path)
        if current is None or _state(current) != _state(wanted) or _owners(current) != _owners(wanted):
            uids[_name(wanted)] = _write(store, path, wanted)["metadata"]["uid"]


def differences(store: Store, image: Image) -> list[str]:
    """The paths of what is not as in an image."""
    now = take(store)
    changed = [path for path in set(now) & set(image) if _state(now[path]) != _state(image[path])]
    return sorted([*changed, *(set(now) ^ set(image))])


def _resources(store: Store) -> list[Resource]:
    shown = {each["spec"]["group"] for each in store.client.list(API_SERVICES) if each["spec"].get("service")}
    hidden = (*OWN_GROUPS, *shown)
    return [each for each in store.resources() if each.kept and _group(each) not in hidden and (_group(each), each.plural) not in OWN_RESOURCES]


def _listed(store: Store, resource: Resource) -> t.Iterator[tuple[str, Object]]:
    try:
        found = store.client.list(resource.collection())
    except ApiError as error:
        if error.not_found:  # its definition goes
            return
        raise
    for each in found:
        metadata = each["metadata"]
        own = resource.plural == "leases" and (metadata["namespace"] == NODE_LEASES or metadata["name"].startswith("apiserver-"))
        if not own and AUTOMANAGED not in (metadata.get("labels") or {}):
            yield resource.path(metadata["name"], metadata.get("namespace", "")), {**each, "apiVersion": resource.api_version, "kind": resource.kind}


def _goes(obj: Object) -> bool:
    """Whether it is being deleted, which nothing takes back: what an image has of it is made anew."""
    return "deletionTimestamp" in obj["metadata"]


def _state(obj: Object) -> Object:
    """What counts of an object. Which generation a controller has seen follows the number of writes, which nothing takes back."""
    made = comparable(obj)
    if "observedGeneration" not in (obj.get("status") or {}):
        return made
    return {**made, "status": {key: value for key, value in made["status"].items() if key != "observedGeneration"}}


def _write(store: Store, path: str, wanted: Object) -> Object:
    written = store.write(wanted)
    history = wanted["metadata"].get("managedFields")
    if history and written["metadata"].get("managedFields") != history:
        store.client.request("PATCH", path, {"metadata": {"managedFields": history}}, None, MERGE_PATCH)
    return written


def _order(obj: Object) -> tuple[int, str]:
    """Definitions come before what they define, owners before what they own."""
    return (-1 if obj["kind"] == "CustomResourceDefinition" else rank(obj), obj["kind"])


def _owned_by(obj: Object, uids: t.Mapping[tuple[str, str, str], str]) -> Object:
    """The object with its owners' present uids."""
    metadata = obj["metadata"]
    if not metadata.get("ownerReferences"):
        return obj
    place = metadata.get("namespace", "")
    owners = [{**each, "uid": uids.get((each["kind"], place, each["name"])) or uids.get((each["kind"], "", each["name"])) or each["uid"]}
              for each in metadata["ownerReferences"]]  # fmt: skip
    return {**obj, "metadata": {**metadata, "ownerReferences": owners}}


def _owners(obj: Object) -> list[str]:
    return [each["uid"] for each in obj["metadata"].get("ownerReferences") or ()]


def _name(obj: Object) -> tuple[str, str, str]:
    metadata = obj["metadata"]
    return obj["kind"], metadata.get("namespace", ""), metadata["name"]


def _group(resource: Resource) -> str:
    return resource.api_version.rpartition("/")[0]
