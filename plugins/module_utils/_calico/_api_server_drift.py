# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What an object of the Calico API server that exists must be given, as a merge patch.

An object that this collection made becomes what it would make now. One that somebody else made (kubectl apply -f apiserver.yaml, Kubespray) gets no more
than what the API server does not work without.
"""

from __future__ import annotations

import copy
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._api_server_image import of_release
from ansible_collections.fathom.submariner.plugins.module_utils._calico._api_server_objects import NAME, PORT, Object, made_here
from ansible_collections.fathom.submariner.plugins.module_utils._kube._diff import missing_from

_Right = t.Tuple[str, str, str, str]


def correction(found: t.Mapping[str, t.Any], wanted: t.Mapping[str, t.Any], *, image_fails: bool = False) -> Object:
    """The merge patch for ``found``, {} where nothing is needed.

    :param found: as the API server returned it.
    :param wanted: the object of the same kind and name from :mod:`_api_server_objects`.
    :param image_fails: the image of a Deployment cannot be pulled, so that its registry is replaced, too.
    """
    if made_here(found):
        return _as_made(found, wanted)
    if wanted["kind"] == "Deployment":
        return _deployment(found, wanted, image_fails)
    of_kind = {"Service": _service, "ClusterRole": _role, "ClusterRoleBinding": _binding}.get(str(wanted["kind"]))
    return of_kind(found, wanted) if of_kind else {}


def service_port(found: t.Mapping[str, t.Any] | None) -> int:
    """The port that the APIService must name: the usual one, or the first one of a Service that lacks it."""
    ports = [entry.get("port") for entry in ((found or {}).get("spec") or {}).get("ports") or []]
    return PORT if PORT in ports or not ports else int(ports[0])


def _as_made(found: t.Mapping[str, t.Any], wanted: t.Mapping[str, t.Any]) -> Object:
    parts = {key: value for key, value in wanted.items() if key not in ("apiVersion", "kind", "metadata", "roleRef")}
    if wanted["kind"] == "Deployment" and found["spec"].get("replicas", 1) > 1:
        parts["spec"] = {key: value for key, value in parts["spec"].items() if key != "replicas"}
    patch = {key: value for key, value in parts.items() if missing_from(found, {key: value})}
    labels = {"labels": wanted["metadata"]["labels"]}
    return {**patch, **({"metadata": labels} if missing_from(found["metadata"], labels) else {})}


def _deployment(found: t.Mapping[str, t.Any], wanted: t.Mapping[str, t.Any], image_fails: bool) -> Object:
    """Its release must be Calico's own, and somebody may have scaled it away."""
    image = wanted["spec"]["template"]["spec"]["containers"][0]["image"]
    containers = copy.deepcopy(found["spec"]["template"]["spec"].get("containers") or [])
    changed = False
    for container in containers:
        if container.get("name") == NAME:
            moved = image if image_fails else of_release(str(container.get("image") or image), image)
            changed = changed or moved != container.get("image")
            container["image"] = moved
    patch: Object = {"spec": {"template": {"spec": {"containers": containers}}}} if changed else {}
    if found["spec"].get("replicas") == 0:
        patch = {"spec": {**patch.get("spec", {}), "replicas": 1}}
    return patch


def _service(found: t.Mapping[str, t.Any], wanted: t.Mapping[str, t.Any]) -> Object:
    """A Service without a port leads nowhere. One without a selector, or of type ExternalName, is led elsewhere by somebody on purpose."""
    return {"spec": {"ports": wanted["spec"]["ports"]}} if not (found.get("spec") or {}).get("ports") else {}


def _role(found: t.Mapping[str, t.Any], wanted: t.Mapping[str, t.Any]) -> Object:
    """The rules of an older release lack what a newer one watches; rules that are there are kept."""
    rules = list(found.get("rules") or [])
    have = {right for rule in rules for right in _rights(rule)}
    lacking = [rule for rule in wanted["rules"] if not all(_granted(right, have) for right in _rights(rule))]
    return {"rules": [*rules, *lacking]} if lacking else {}


def _rights(rule: t.Mapping[str, t.Any]) -> t.Iterator[_Right]:
    for group in rule.get("apiGroups") or []:
        for resource in rule.get("resources") or []:
            for verb in rule.get("verbs") or []:
                for name in rule.get("resourceNames") or [""]:
                    yield group, resource, verb, name


def _granted(right: _Right, have: t.AbstractSet[_Right]) -> bool:
    group, resource, verb, name = right
    wider = ((g, r, v, n) for g in (group, "*") for r in (resource, "*") for v in (verb, "*") for n in dict.fromkeys((name, "")))
    return any(each in have for each in wider)


def _binding(found: t.Mapping[str, t.Any], wanted: t.Mapping[str, t.Any]) -> Object:
    subjects = list(found.get("subjects") or [])
    lacking = [subject for subject in wanted["subjects"] if not any(not missing_from(each, subject) for each in subjects)]
    return {"subjects": [*subjects, *lacking]} if lacking else {}
