# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Between projectcalico.org/v3 objects and the crd.projectcalico.org/v1 objects that hold them. Pure.

Imitates libcalico-go lib/backend/k8s/resources/resources.go. Up to Calico v3.27 labels and annotations are copied, and the rest
of the v3 metadata is kept as JSON in an annotation. From v3.28 on labels and annotations live in that annotation alone, except
for keys of Calico's and the operator's own.
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
SCOPE = ("namespace",)
OWN_KEYS = ("projectcalico.org/", "operator.tigera.io/")


KEPT_LABELS_APART_SINCE = (3, 28)
TIERS_SINCE = (3, 29)


class Kind(t.NamedTuple):
    """A kind that is served.

    :ivar plural: the same in both API groups.
    :ivar namespace: the one that a request is about; empty for all, and for cluster-scoped kinds.
    """

    plural: str
    name: str
    singular: str
    namespaced: bool = False
    namespace: str = ""


KINDS = {
    each.plural: each
    for each in (
        Kind("ippools", "IPPool", "ippool"),
        Kind("felixconfigurations", "FelixConfiguration", "felixconfiguration"),
        Kind("bgpconfigurations", "BGPConfiguration", "bgpconfiguration"),
        Kind("clusterinformations", "ClusterInformation", "clusterinformation"),
        Kind("kubecontrollersconfigurations", "KubeControllersConfiguration", "kubecontrollersconfiguration"),
        Kind("globalnetworkpolicies", "GlobalNetworkPolicy", "globalnetworkpolicy"),
        Kind("networkpolicies", "NetworkPolicy", "networkpolicy", namespaced=True),
        Kind("globalnetworksets", "GlobalNetworkSet", "globalnetworkset"),
        Kind("networksets", "NetworkSet", "networkset", namespaced=True),
        Kind("hostendpoints", "HostEndpoint", "hostendpoint"),
        Kind("tiers", "Tier", "tier"),
    )
}


def release(version: str) -> tuple[int, ...]:
    """``v3.28.2`` as (3, 28, 2); an empty text as the oldest."""
    return tuple(int(each) for each in version.lstrip("v").split("-")[0].split(".") if each.isdigit())


def kinds(version: str) -> dict[str, Kind]:
    """What Calico of that version serves: open-source Calico has tiers from v3.29 on."""
    return {plural: kind for plural, kind in KINDS.items() if plural != "tiers" or release(version) >= TIERS_SINCE}


def stored_path(kind: Kind, name: str = "") -> str:
    """Where the cluster's own API server keeps a collection, or one object of it."""
    scope = f"/namespaces/{kind.namespace}" if kind.namespace else ""
    return f"/apis/{STORED_AS}{scope}/{kind.plural}" + (f"/{name}" if name else "")


def to_v3(stored: Object) -> Object:
    """The object as the Calico API server shows it. What was written without it, by kubectl or calicoctl, shows as it is."""
    obj = copy.deepcopy(stored)
    obj["apiVersion"] = API_VERSION
    metadata = obj.setdefault("metadata", {})
    annotations = metadata.get("annotations") or {}
    kept = annotations.pop(METADATA, None)
    if kept is not None:
        restored = json.loads(kept)
        mappings = {key: {**(restored.get(key) or {}), **(metadata.get(key) or {})} for key in ("labels", "annotations")}
        restored.update({key: metadata[key] for key in COPIED + SCOPE if metadata.get(key)})
        restored.update({key: value for key, value in mappings.items() if value})
        obj["metadata"] = restored
    if obj.get("kind") == "IPPool" and "spec" in obj:
        obj["spec"] = ippool.from_storage(obj["spec"])
    return obj


def to_stored(obj: Object, version: str = "") -> Object:
    """The object as Calico of that version keeps it. ``metadata`` must have name, uid and creationTimestamp, as every object that was read has."""
    stored = copy.deepcopy(obj)
    stored["apiVersion"] = STORED_AS
    metadata = stored["metadata"]
    # Upstream keeps the UID in both places.
    aside = {key: value for key, value in metadata.items() if key == "uid" or key not in COPIED + SCOPE}
    kept = {key: metadata[key] for key in COPIED + SCOPE if metadata.get(key)}
    if release(version) >= KEPT_LABELS_APART_SINCE:
        for key in ("labels", "annotations"):
            mapping = kept.pop(key, {})
            own = {name: value for name, value in mapping.items() if any(each in name for each in OWN_KEYS)}
            other = {name: value for name, value in mapping.items() if name not in own}
            kept.update({key: own} if own else {})
            aside.update({key: other} if other else {})
    kept.setdefault("annotations", {})[METADATA] = json.dumps(aside, separators=(",", ":"))
    stored["metadata"] = kept
    return stored


def as_list(kind: Kind, items: list[Object], resource_version: str) -> Object:
    return {"kind": f"{kind.name}List", "apiVersion": API_VERSION, "metadata": {"resourceVersion": resource_version}, "items": items}
