# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Who looks after an object: labels and annotations of tools, owners, and the managers of its fields."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Manager, Origin
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._projection_values import JsonObject, objects_at, object_at, text_at, text_map_at

# Keys that package managers, GitOps tools and add-ons leave on what they made: Helm, Argo CD, Flux, Rancher's Wrangler (RKE2, k3s), ACM and OLM.
ORIGIN_KEYS = (
    "app.kubernetes.io/managed-by",
    "app.kubernetes.io/instance",
    "app.kubernetes.io/part-of",
    "helm.sh/",
    "meta.helm.sh/",
    "argocd.argoproj.io/",
    "kustomize.toolkit.fluxcd.io/",
    "helm.toolkit.fluxcd.io/",
    "objectset.rio.cattle.io/",
    "helm.cattle.io/",
    "fleet.cattle.io/",
    "addonmanager.kubernetes.io/",
    "addon.open-cluster-management.io/",
    "agent.open-cluster-management.io/",
    "work.open-cluster-management.io/",
    "open-cluster-management.io/",
    "operators.coreos.com/",
    "olm.owner",
    "razee/",
    "deploy.razee.io/",
)
# Values under these keys are whole objects, compressed or not, and may hold what the record leaves out.
WHOLE_OBJECTS = ("objectset.rio.cattle.io/applied",)
DEPTH = 3
MOST_FIELDS = 100  # of one manager


def origin(obj: JsonObject) -> Origin:
    return Origin(
        labels=_of_tools(text_map_at(obj, "metadata", "labels")),
        annotations=_of_tools(text_map_at(obj, "metadata", "annotations")),
        managers=tuple(map(manager, objects_at(obj, "metadata", "managedFields"))),
        owners=tuple(f"{text_at(entry, 'kind')}/{text_at(entry, 'name')}" for entry in objects_at(obj, "metadata", "ownerReferences")),
    )


def _of_tools(found: t.Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in found.items() if key.startswith(ORIGIN_KEYS) and key not in WHOLE_OBJECTS}


def manager(obj: JsonObject) -> Manager:
    """An entry of ``metadata.managedFields``; ``fieldsV1`` spells paths as nested keys (structured-merge-diff fieldpath/serialize.go)."""
    paths: list[str] = []
    _collect_paths(object_at(obj, "fieldsV1"), (), paths)
    return Manager(
        name=text_at(obj, "manager"),
        operation=text_at(obj, "operation"),
        time=text_at(obj, "time"),
        subresource=text_at(obj, "subresource"),
        fields=tuple(paths),
    )


def _collect_paths(fields: t.Mapping[str, t.Any], above: tuple[str, ...], paths: list[str]) -> None:
    for key, inner in fields.items():
        kind, colon, name = str(key).partition(":")
        if not colon or kind != "f" or len(paths) >= MOST_FIELDS:
            continue  # "." is the field itself; "k:", "v:" and "i:" are entries of lists and sets: the list stands for them
        path = (*above, name)
        deeper = isinstance(inner, dict) and len(path) < DEPTH and any(str(step).startswith("f:") for step in inner)
        if deeper:
            _collect_paths(inner, path, paths)
        else:
            paths.append(".".join(path))
