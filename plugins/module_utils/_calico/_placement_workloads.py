# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Which of Calico's workloads a placement is about on a cluster, where their affinity is written, and what is written there.

With the operator it is a field of Installation a workload (tigera/operator api/v1, since v1.28: operator#2019); without it, the workload's own template.
"""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._calico_version import parse_calico_version
from ansible_collections.fathom.submariner.plugins.module_utils._calico._component_versions import operator_version
from ansible_collections.fathom.submariner.plugins.module_utils._calico._durable import OVERLAY, WITH_INSTALLATION, base_installation, method_of
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_settings import calico_node
from ansible_collections.fathom.submariner.plugins.module_utils._calico._placement_affinity import preset
from ansible_collections.fathom.submariner.plugins.module_utils._calico._placement_decision import AffinityChange, Workload
from ansible_collections.fathom.submariner.plugins.module_utils._calico._placement_request import CALICO_NODE, CSI, TYPHA, Request
from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Ref, Snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._projection_values import integer_at, object_at, objects_at, text_at, text_map_at

FIELDS: t.Mapping[str, str] = {CALICO_NODE: "calicoNodeDaemonSet", CSI: "csiNodeDriverDaemonSet", TYPHA: "typhaDeployment"}
LEAST_OPERATOR = (1, 28, 0)
_TEMPLATE = ("spec", "template", "spec")

Object = t.Mapping[str, t.Any]


def places(snapshot: Snapshot, request: Request) -> dict[str, Ref]:
    """Of each component of the request the workload that runs it; those that are not there are left out, but for calico-node of an operator."""
    found: dict[str, Ref] = {}
    daemon_set = calico_node(snapshot)
    if daemon_set is not None:
        found[CALICO_NODE] = daemon_set.ref
    elif method_of(snapshot) in WITH_INSTALLATION:
        found[CALICO_NODE] = Ref("DaemonSet", CALICO_NODE, "calico-system")
    namespaces = {"calico-system", "kube-system", *(ref.namespace for ref in found.values())}
    for name, answer in ((CSI, snapshot.daemon_sets), (TYPHA, snapshot.deployments)):
        ref = next((entry.ref for entry in answer.items if entry.ref.name == name and entry.ref.namespace in namespaces), None)
        if ref is not None and name in request.components:
            found[name] = ref
    return found


def fields_of(definition: Object | None) -> frozenset[str] | None:
    """Names of the fields of Installation.spec that its CustomResourceDefinition knows; None where it takes any, or was not read."""
    for version in objects_at(definition, "spec", "versions"):
        spec = object_at(version, "schema", "openAPIV3Schema", "properties", "spec")
        if version.get("name") == "v1" and spec.get("properties") and not spec.get("x-kubernetes-preserve-unknown-fields"):
            return frozenset(spec["properties"])
    return None


def is_too_old(snapshot: Snapshot) -> bool:
    """Whether the operator is known to be one that has no field for the affinity of calico-node."""
    parsed = parse_calico_version(operator_version(snapshot)) if method_of(snapshot) in WITH_INSTALLATION else None
    return parsed is not None and parsed < LEAST_OPERATOR


def refuse_old_operator(snapshot: Snapshot, fields: frozenset[str] | None) -> None:
    """
    :raises RefusedError: the operator has no field for the affinity of calico-node.
    """
    version = operator_version(snapshot)
    if is_too_old(snapshot) or (method_of(snapshot) in WITH_INSTALLATION and fields is not None and FIELDS[CALICO_NODE] not in fields):
        raise RefusedError(
            f"{snapshot.cluster}: the operator of Calico ({version or 'its release is not told'}) has no field {FIELDS[CALICO_NODE]} in Installation, "
            "so the affinity of calico-node cannot be set: what is written into the DaemonSet itself, it takes back. The field came with tigera/operator v1.28 "
            "(Calico v3.24). Nothing was written. Upgrade Calico, or repair the node."
        )


def workloads_of(snapshot: Snapshot, live: t.Mapping[str, Object | None], fields: frozenset[str] | None) -> tuple[list[Workload], list[str]]:
    """The workloads, calico-node's first, and what is to be said of those that cannot be placed.

    :param live: of each place the object as it is; None where it is not there.
    :param fields: of Installation.spec, as :func:`fields_of` returns them.
    """
    found, warnings = [], []
    installed = method_of(snapshot) in WITH_INSTALLATION
    for name, obj in live.items():
        if installed and fields is not None and FIELDS[name] not in fields:
            warnings.append(f"{name} stays where it is: this operator's Installation has no field {FIELDS[name]}.")
        else:
            found.append(_with_operator(snapshot, name, obj) if installed else _by_itself(name, obj or {}))
    return found, warnings


def _by_itself(name: str, obj: Object) -> Workload:
    affinity = object_at(obj, *_TEMPLATE, "affinity") or None
    return Workload(_ref(name, obj), affinity, affinity, replicas=_replicas(obj))


def _with_operator(snapshot: Snapshot, name: str, obj: Object | None) -> Workload:
    base = base_installation(snapshot)
    spec = base.spec if base else {}
    layers = [entry.spec for entry in snapshot.installations.items if entry.ref.name == OVERLAY] + [spec]
    own = [object_at(layer, FIELDS[name], *_TEMPLATE) for layer in layers]
    written = next((layer["affinity"] for layer in own if isinstance(layer.get("affinity"), dict)), None)
    tolerations = next((tuple(objects_at(layer, "tolerations")) for layer in own if layer.get("tolerations")), None)
    selector = {key: value for layer in reversed(own) for key, value in text_map_at(layer, "nodeSelector").items()}
    return Workload(
        _ref(name, obj or {}),
        written,
        (object_at(obj, *_TEMPLATE, "affinity") or None) if obj else None,
        preset(name, base.provider if base else "", object_at(spec, "typhaAffinity")),
        FIELDS[name],
        selector,
        tolerations,
        _replicas(obj or {}),
    )


def _ref(name: str, obj: Object) -> Ref:
    return Ref("Deployment" if name == TYPHA else "DaemonSet", name, text_at(obj, "metadata", "namespace") or "calico-system")


def _replicas(obj: Object) -> int:
    return integer_at(obj, "spec", "replicas")


def fragment_of(changes: t.Sequence[AffinityChange], spec: Object) -> tuple[dict[str, t.Any], tuple[str, ...]]:
    """What must stand in Installation.spec, and the dotted paths whose whole value that is.

    An affinity that is taken away takes with it the mappings around it that hold nothing else.

    :param spec: Installation.spec as it is.
    """
    fragment: dict[str, t.Any] = {}
    replace = []
    for change in changes:
        path = (change.workload.field, *_TEMPLATE, "affinity")
        if change.after is not None:
            replace.append(".".join(path))
        keep = len(path) if change.after is not None else _depth(spec, path)
        value: t.Any = change.after
        for key in reversed(path[1:keep]):
            value = {key: value}
        fragment[path[0]] = value
    return fragment, tuple(replace)


def _depth(spec: Object, path: t.Sequence[str]) -> int:
    """How many steps of ``path`` lead to the highest mapping that holds nothing but the rest of it; all of them where it is not there."""
    for depth in range(1, len(path)):
        found = object_at(spec, *path[:depth])
        if found and _is_chain(found, path[depth:]):
            return depth
    return len(path)


def _is_chain(found: Object, rest: t.Sequence[str]) -> bool:
    for key in rest[:-1]:
        if set(found) != {key}:
            return False
        found = object_at(found, key)
    return set(found) == {rest[-1]}
