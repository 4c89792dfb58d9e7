# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What the processes of the control plane say about the CIDRs: options of its pods, and the arguments that RKE2 and k3s note on their nodes."""

from __future__ import annotations

import json
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._rows import Kind, merge_alike, problem_row, rows, unread_row
from ansible_collections.fathom.submariner.plugins.module_utils._network._command_line import option_values
from ansible_collections.fathom.submariner.plugins.module_utils._network._evidence import INSTALL, LIVE, POD, SERVICE, CidrEvidence
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Node, Pod, Snapshot

# (labels that name the pods, option, kind). kube-controller-manager knows both ranges; the API server only that of Services.
_OPTIONS = (
    ("kube-controller-manager", "--cluster-cidr", Kind(POD, "kube_controller_manager", 2, LIVE)),
    ("kube-proxy", "--cluster-cidr", Kind(POD, "kube_proxy", 5, LIVE)),
    ("kube-apiserver", "--service-cluster-ip-range", Kind(SERVICE, "kube_apiserver", 2, LIVE)),
    ("kube-controller-manager", "--service-cluster-ip-range", Kind(SERVICE, "kube_controller_manager", 3, LIVE)),
)
_COMPONENT_LABELS = ("component", "k8s-app")

# RKE2 and k3s have the same options and the same defaults (rancher/rke2 and k3s-io/k3s, pkg/cli/cmds).
_NODE_ARGS = ("rke2.io/node-args", "k3s.io/node-args")
_NODE_OPTIONS = (
    ("--cluster-cidr", "10.42.0.0/16", Kind(POD, "node_args", 4, LIVE), Kind(POD, "node_args_default", 12, INSTALL)),
    ("--service-cidr", "10.43.0.0/16", Kind(SERVICE, "node_args", 5, LIVE), Kind(SERVICE, "node_args_default", 12, INSTALL)),
)
_SERVER_LABELS = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")


def component_pods(snapshot: Snapshot, component: str) -> list[Pod]:
    """The pods of one component of the control plane, by its labels, sorted by namespace and name."""
    return sorted(
        (pod for pod in snapshot.pods.items if any(pod.labels.get(label) == component for label in _COMPONENT_LABELS)),
        key=lambda pod: (pod.ref.namespace, pod.ref.name),
    )


def process_evidence(snapshot: Snapshot) -> list[CidrEvidence]:
    """Rows of every option of a control-plane pod that names a range, in ``command`` and in ``args``."""
    found: list[CidrEvidence] = []
    for component, option, kind in _OPTIONS:
        found.extend(unread_row(kind, snapshot.pods))
        for pod in component_pods(snapshot, component):
            found.extend(_pod_option(pod, option, kind))
    return merge_alike(found)


def _pod_option(pod: Pod, option: str, kind: Kind) -> list[CidrEvidence]:
    for container in pod.containers:
        values = option_values(container.command, container.args, option)
        if not values:
            continue
        last = values[-1]
        field = f"spec.containers[{container.name}].{last.field} {option}"
        if last.value is None:
            return [problem_row(kind, pod.ref, field, f"{option} has no value")]
        repeated = len({value.value for value in values}) > 1
        return rows(kind, pod.ref, field, last.value, f"given {len(values)} times with different values, the last counts" if repeated else "")
    return []


def node_args_evidence(snapshot: Snapshot) -> list[CidrEvidence]:
    """Rows of ``rke2.io/node-args`` and ``k3s.io/node-args``.

    Only servers have the options (agents are skipped). A server without one runs with the default, which is a row of its own
    kind, trusted like an install-time source: the annotation also lacks what an older release did not note.
    """
    found: list[CidrEvidence] = []
    for option, default, kind, default_kind in _NODE_OPTIONS:
        found.extend(unread_row(kind, snapshot.nodes))
        for node in snapshot.nodes.items:
            annotation = next((name for name in _NODE_ARGS if name in node.annotations), None)
            if annotation is None:
                continue
            field = f"metadata.annotations[{annotation}] {option}"
            arguments = _arguments(node.annotations[annotation])
            if arguments is None:
                found.append(problem_row(kind, node.ref, field, "the annotation is no JSON list of strings"))
            elif _is_server(node, arguments):
                given = [value.value for value in option_values(arguments, (), option)]
                if given:
                    found.extend(rows(kind, node.ref, field, [value for value in given if value is not None]))
                else:
                    found.extend(rows(default_kind, node.ref, field, default, "not given, so the default of RKE2 and k3s"))
    return merge_alike(found)


def _arguments(annotation: str) -> list[str] | None:
    try:
        arguments: t.Any = json.loads(annotation)
    except (ValueError, RecursionError):
        return None
    return arguments if isinstance(arguments, list) and all(isinstance(argument, str) for argument in arguments) else None


def _is_server(node: Node, arguments: list[str]) -> bool:
    if arguments[:1] in (["server"], ["agent"]):
        return arguments[0] == "server"
    return any(label in node.labels for label in _SERVER_LABELS)
