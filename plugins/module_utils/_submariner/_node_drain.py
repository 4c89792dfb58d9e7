# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Which pods a drain moves away from a node, which stay, and which must not be touched without the user's word.

The rules are those of ``kubectl drain`` (kubernetes staging/src/k8s.io/kubectl/pkg/drain/filters.go): mirror pods and pods of DaemonSets stay; pods that
nobody makes anew, and those whose emptyDir would be lost, need consent; finished ones go without.
"""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._policy_kubernetes import label_selector
from ansible_collections.fathom.submariner.plugins.module_utils._calico._policy_selector import Labels, SelectorError, parse_selector

Object = t.Mapping[str, t.Any]

# On the API's copy of a static pod, which its kubelet runs from a file (kubernetes pkg/kubelet/types/pod_update.go).
_MIRROR, _SOURCE = "kubernetes.io/config.mirror", "kubernetes.io/config.source"
_CORDON = "node.kubernetes.io/unschedulable"
_FINISHED = ("Succeeded", "Failed")


class Drain(t.NamedTuple):
    """The pods of one node.

    :param evict: to be moved away, by namespace and name.
    :param leaving: being removed already.
    :param staying: of DaemonSets, mirror pods, and those that would come back.
    :param refused: sentences on pods that need consent.
    """

    evict: tuple[Object, ...]
    leaving: tuple[Object, ...]
    staying: tuple[Object, ...]
    refused: tuple[str, ...]


def sort_out(
    pods: t.Iterable[Object], *, delete_emptydir_data: bool = False, delete_bare_pods: bool = False, begun_with: t.Collection[str] | None = None
) -> Drain:
    """Decide on the pods of a node.

    :param pods: JSON, all on that node.
    :param delete_emptydir_data: consent to lose what pods keep in emptyDir volumes.
    :param delete_bare_pods: consent to remove pods that no controller makes anew.
    :param begun_with: what :func:`unhindered` said of this node's drain when it began, None where it begins now. Other pods that tolerate the cordon stay: it
        is what has come in the place of the evicted ones, and evicting it would only bring the next one.
    """
    evict, leaving, staying, refused = [], [], [], []
    for pod in sorted(pods, key=_key):
        owner = _controller(pod)
        if _is_static(pod) or owner == "DaemonSet" or _has_come_since(pod, begun_with):
            staying.append(pod)
        elif pod["metadata"].get("deletionTimestamp"):
            leaving.append(pod)
        elif (pod.get("status") or {}).get("phase") in _FINISHED:
            evict.append(pod)
        elif not owner and not delete_bare_pods:
            refused.append(f"{named(pod)} has no controller that would make it anew (delete_bare_pods)")
        elif _empty_dirs(pod) and not delete_emptydir_data:
            refused.append(f"{named(pod)} would lose its emptyDir {', '.join(_empty_dirs(pod))} (delete_emptydir_data)")
        else:
            evict.append(pod)
    return Drain(tuple(evict), tuple(leaving), tuple(staying), tuple(refused))


def unhindered(drain: Drain) -> tuple[str, ...]:
    """UIDs of the pods that are to leave and that the cordon does not keep from coming back."""
    return tuple(sorted(str(pod["metadata"].get("uid") or "") for pod in drain.evict if _tolerates_cordon(pod)))


def _has_come_since(pod: Object, begun_with: t.Collection[str] | None) -> bool:
    return begun_with is not None and pod["metadata"].get("uid") not in begun_with and _tolerates_cordon(pod)


def blocking_budgets(pod: Object, budgets: t.Iterable[Object]) -> tuple[str, ...]:
    """The PodDisruptionBudgets that keep a pod from being evicted now, in words.

    :param budgets: those of the pod's namespace, as JSON.
    """
    labels = Labels(pod["metadata"].get("labels") or {})
    found = []
    for budget in budgets:
        status = budget.get("status") or {}
        if _selects((budget.get("spec") or {}).get("selector"), labels) and not status.get("disruptionsAllowed"):
            metadata = budget["metadata"]
            healthy = f"{status.get('currentHealthy', 0)} healthy pods of {status.get('desiredHealthy', 0)} that it wants"
            found.append(f"PodDisruptionBudget {metadata.get('namespace', '')}/{metadata['name']} ({healthy})")
    return tuple(found)


def named(pod: Object) -> str:
    return f"Pod {pod['metadata'].get('namespace', '')}/{pod['metadata']['name']}"


def _selects(selector: t.Any, labels: Labels) -> bool:
    """policy/v1: an empty selector selects every pod of the namespace, none at all selects none."""
    if selector is None:
        return False
    try:
        return parse_selector(label_selector(selector)).matches(labels) is True
    except SelectorError:
        return False


def _is_static(pod: Object) -> bool:
    annotations = pod["metadata"].get("annotations") or {}
    return _MIRROR in annotations or annotations.get(_SOURCE, "api") != "api"


def _controller(pod: Object) -> str:
    """The kind of what makes the pod anew."""
    owners = pod["metadata"].get("ownerReferences") or []
    return next((str(owner.get("kind")) for owner in owners if owner.get("controller")), "")


def _tolerates_cordon(pod: Object) -> bool:
    """Whether the scheduler may put a pod on a cordoned node (kubernetes pkg/scheduler/framework/plugins/nodeunschedulable)."""
    return any(
        entry.get("effect") in (None, "", "NoSchedule")
        and (entry.get("key") == _CORDON or (not entry.get("key") and entry.get("operator") == "Exists"))
        for entry in (pod.get("spec") or {}).get("tolerations") or []
    )


def _empty_dirs(pod: Object) -> tuple[str, ...]:
    return tuple(str(volume.get("name")) for volume in (pod.get("spec") or {}).get("volumes") or [] if volume.get("emptyDir") is not None)


def _key(pod: Object) -> tuple[str, str]:
    return str(pod["metadata"].get("namespace") or ""), str(pod["metadata"]["name"])
