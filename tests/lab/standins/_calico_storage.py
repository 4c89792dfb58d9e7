# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Between projectcalico.org/v3 objects and the crd.projectcalico.org/v1 objects that hold them. Pure.

Imitates libcalico-go lib/backend/k8s/resources/resources.go up to Calico v3.27: labels and annotations are copied, the rest
of the v3 metadata is kept as JSON in an annotation. (From v3.28 on labels and annotations live in that annotation alone.)
"""

from __future__ import annotations

import copy
import json
import typing as t

from tests.lab.standins import _calico_ippool as ippool

Object = dict[str, t.Any]

GROUP = "projectcalico.org"
API_VERSION = f"{GROUP}/v3"
STORED_AS = "crd.projectcalico.org/v1"
METADATA = "projectcalico.org/metadata"

COPIED = ("name", "labels", "annotations", "resourceVersion", "uid")


class Kind(t.NamedTuple):
    """A kind that is served; all of them are cluster-scoped.

    :ivar plural: the same in both API groups.
    """

    plural: str
    name: str
    singular: str


KINDS = {
    each.plural: each
    for each in (
        Kind("ippools", "IPPool", "ippool"),
        Kind("felixconfigurations", "FelixConfiguration", "felixconfiguration"),
        Kind("bgpconfigurations", "BGPConfiguration", "bgpconfiguration"),
        Kind("clusterinformations", "ClusterInformation", "clusterinformation"),
    )
}


def stored_path(plural: str, name: str = "") -> str:
    """Where the cluster's own API server keeps a collection, or one object of it."""
    return f"/apis/{STORED_AS}/{plural}" + (f"/{name}" if name else "")


def to_v3(stored: Object) -> Object:
    """The object as the Calico API server shows it. What was written without it, by kubectl or calicoctl, shows as it is."""
    obj = copy.deepcopy(stored)
    obj["apiVersion"] = API_VERSION
    metadata = obj.setdefault("metadata", {})
    annotations = metadata.get("annotations") or {}
    kept = annotations.pop(METADATA, None)
    if kept is not None:
        restored = json.loads(kept)
        restored.update({key: metadata[key] for key in COPIED if metadata.get(key)})
        if not annotations:
            restored.pop("annotations", None)
        obj["metadata"] = restored
    if obj.get("kind") == "IPPool" and "spec" in obj:
        obj["spec"] = ippool.from_storage(obj["spec"])
    return obj


def to_stored(obj: Object) -> Object:
    """The object as it is kept. ``metadata`` must have name, uid and creationTimestamp, as every object that was read has."""
    stored = copy.deepcopy(obj)
    stored["apiVersion"] = STORED_AS
    metadata = stored["metadata"]
    # Upstream keeps the UID in both places.
    aside = {key: value for key, value in metadata.items() if key == "uid" or key not in COPIED}
    stored["metadata"] = {key: metadata[key] for key in COPIED if metadata.get(key)}
    stored["metadata"].setdefault("annotations", {})[METADATA] = json.dumps(aside, separators=(",", ":"))
    return stored


def as_list(kind: Kind, items: list[Object], resource_version: str) -> Object:
    return {"kind": f"{kind.name}List", "apiVersion": API_VERSION, "metadata": {"resourceVersion": resource_version}, "items": items}
