# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What a placement says to people: what it is for, what it leaves behind on a node, and what only they can make last."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._durable_yaml_write import dump, scalar
from ansible_collections.fathom.submariner.plugins.module_utils._calico._placement_decision import Decision
from ansible_collections.fathom.submariner.plugins.module_utils._calico._placement_request import Request
from ansible_collections.fathom.submariner.plugins.module_utils._calico._rollout import UNAVAILABLE_TAINT
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Pod, Ref

_SHOWN = 5
_ROLE = "calico_node_placement"
_OPTION = {"key": "label"}  # fields of a request that the role calls otherwise


def purpose(request: Request) -> str:
    """The rest of a sentence after "so that"."""
    if not request.present:
        return f"the label {request.label} decides no more where calico-node runs"
    said = f"calico-node {'stays off nodes' if request.excludes else 'runs only on nodes'} labelled {request.label}"
    return said + (f", and runs only on {', '.join(request.architectures)}" if request.architectures else "")


def person_first(request: Request, decision: Decision) -> str:
    """Where Helm's values must be changed by a person before anything else can be done."""
    waits = list(decision.labels) if not decision.labels_first else []
    rest = f" Not labelled yet: {', '.join(waits)}, since they would all change at once when the values land; run this again then." if waits else ""
    return f"The affinity comes from a Helm release, so its values must be changed first (or set write_live=true).{rest}"


def stale_cni(node: str) -> tuple[str, str, str]:
    """Text, target and paste: what calico-node leaves on a node that it leaves (projectcalico/calico cni-plugin/pkg/install, node/pkg/lifecycle/shutdown)."""
    text = (
        f"calico-node leaves its CNI configuration and its token on {node}. Until the token expires, new pods still start there, without routes and "
        "policy; nothing renews it. Drain the node, then remove these files on it, so that the kubelet says that there is no network, and restart its "
        "container runtime. "
        "Submariner's route agent runs there, too, and reports that it finds no CNI interface."
    )
    return text, f"node {node}", "rm -f /etc/cni/net.d/10-calico.conflist /etc/cni/net.d/calico-kubeconfig"


def is_down(node: str, reason: str, *, by_calico: bool, tainted: bool) -> str:
    """What Kubernetes shows of a node without calico-node."""
    who = "calico-node says so when it stops" if by_calico else "its network was never reported as up"
    taint = f", and has the taint {UNAVAILABLE_TAINT}: no new pod is scheduled there" if tainted else ""
    return f"Node {node} is NetworkUnavailable ({reason}: {who}){taint}."


def stranded(pods: t.Mapping[str, t.Sequence[Pod]]) -> list[str]:
    """Warnings about pods that stay on a node without calico-node."""
    said = []
    for node, left in pods.items():
        names = ", ".join(f"{pod.ref.namespace}/{pod.ref.name}" for pod in left[:_SHOWN])
        if left:
            said.append(f"{node} keeps {len(left)} pods whose network nobody keeps up ({names}{' ...' if len(left) > _SHOWN else ''}): drain it.")
    return said


def kubespray_variables(request: Request, *, there: bool) -> dict[str, str]:
    """Kubespray pastes ``calico_ds_nodeselector`` under ``nodeSelector``, eight spaces in (roles/network_plugin/calico/templates/calico-node.yml.j2)."""
    lines = ["kubernetes.io/os: linux"] + ([f"{scalar(request.key)}: {scalar(request.value)}"] if there else [])
    return {"calico_ds_nodeselector": "\n        ".join(lines)}


def after_kubespray(request: Request, options: t.Mapping[str, t.Any]) -> tuple[str, str, str]:
    """Text, target and paste: neither an opt-out nor a choice of architectures can be said in Kubespray's inventory, whose only variable demands labels.

    :param options: those of the role that are no part of the request, and differ from their defaults.
    """
    text = (
        "No variable of Kubespray can say that calico-node stays off labelled nodes, or which architectures it runs on: calico_ds_nodeselector demands "
        "labels with one value each. Its kubectl apply leaves the affinity alone as long as the DaemonSet exists; run this role with all of these options "
        "after cluster.yml and upgrade-cluster.yml, so that it is there also after the DaemonSet was made anew."
    )
    asked = {_OPTION.get(name, name): value for name, value in request._asdict().items() if value != Request._field_defaults[name]}
    given = {f"{_ROLE}_{name}": list(value) if isinstance(value, tuple) else value for name, value in {**asked, **options}.items()}
    play = {"hosts": "submariner_clusters", "gather_facts": False, "roles": [{"role": f"fathom.submariner.{_ROLE}", **given}]}
    return text, "the playbook that runs Kubespray", dump([play])


def of_manifest(cluster: str, ref: Ref) -> str:
    """A warning."""
    return f"{cluster}: {ref} was changed; kubectl apply of its manifest leaves the affinity alone, kubectl replace and making it anew take it away."
