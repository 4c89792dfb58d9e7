# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What to do about a node on which calico-node does not run, and how to keep it off a node without harm."""

from __future__ import annotations

from ansible_collections.fathom.submariner.plugins.module_utils._calico import _rollout_causes as causes
from ansible_collections.fathom.submariner.plugins.module_utils._calico._install_method import (
    CANAL,
    KUBESPRAY,
    OPERATOR,
    OPERATOR_HELM,
    OPERATOR_RKE2,
    InstallMethod,
)
from ansible_collections.fathom.submariner.plugins.module_utils._calico._placement_request import EXCLUDED, LABEL
from ansible_collections.fathom.submariner.plugins.module_utils._calico._rollout_causes import Cause

WORDS = {
    causes.NODE_AWAY: "the node itself is not ready",
    causes.UNSCHEDULED: "its pod cannot be scheduled",
    causes.IMAGE: "an image cannot be pulled",
    causes.ARCHITECTURE: "the image is for another architecture",
    causes.MODULE: "the node's kernel lacks what calico-node needs",
    causes.IPSET_REVISION: "the ipset in calico-node's image does not understand the sets of the node's kernel",
    causes.ADDRESS: "it finds no address of its own, or one that another node has",
    causes.DATASTORE: "it does not reach the Kubernetes API",
    causes.MOUNT: "its containers cannot be made",
    causes.MEMORY: "it is killed for lack of memory",
    causes.CRASH: "it crashes",
    causes.PROBE: "it runs and its probe fails",
    causes.STARTING: "it has just been started",
    causes.UNCLEAR: "it is not ready, and nothing says why",
}


def repair(cause: Cause, nodes: str, newer_ipset: str) -> str:
    """What helps on ``nodes``; what keeps them out instead is said by :func:`exclude`.

    :param newer_ipset: the release of Calico to upgrade to where its ipset is too old.
    """
    lacks = cause.lacks or "the missing module"
    return {
        causes.NODE_AWAY: f"Bring kubelet on {nodes} back (its journal, the machine itself), or delete the Node if it is gone for good.",
        causes.UNSCHEDULED: "Make room for the pod or mend what the scheduler names: node affinity of the DaemonSet, taints, resources.",
        causes.IMAGE: f"Make {cause.lacks or 'the image'} available to {nodes}: registry, mirror, pull secret, proxy; air-gapped nodes need it imported.",
        causes.ARCHITECTURE: f"Use an image with the architecture of {nodes} (Calico has amd64, arm64, ppc64le and s390x): the mirror holds another one.",
        causes.MODULE: f"On {nodes}: modprobe {lacks}, and its name into /etc/modules-load.d; where the kernel was built without it, another kernel.",
        causes.IPSET_REVISION: f"Upgrade Calico to {newer_ipset} or newer; until then reboot {nodes}, which drops the sets. No module is missing.",
        causes.ADDRESS: "Set Calico's address autodetection to kubernetes-internal-ip (operator: nodeAddressAutodetectionV4.kubernetes: NodeInternalIP).",
        causes.DATASTORE: f"Look at the way from {nodes} to the Kubernetes API: kube-proxy, firewall, the token of calico-node's ServiceAccount.",
        causes.MOUNT: "Provide what the event names: a Secret, a ConfigMap, a directory of the node.",
        causes.MEMORY: "Raise the memory limit of calico-node, or of the node.",
    }.get(cause.kind, f"Read the log of calico-node on {nodes} (kubectl logs -c calico-node, also --previous).")


def exclude(method: InstallMethod, nodes: str) -> str:
    """How to take unfit nodes out of the rollout without taking others with them."""
    if method.platform == "roks":
        return "On ROKS replace the worker: IBM does not support changes of calico-node's placement."
    where = {
        OPERATOR: "in Installation default spec.calicoNodeDaemonSet.spec.template.spec.affinity",
        OPERATOR_HELM: "in the Helm value installation.calicoNodeDaemonSet.spec.template.spec.affinity",
        OPERATOR_RKE2: "in HelmChartConfig kube-system/rke2-calico installation.calicoNodeDaemonSet.spec.template.spec.affinity",
        KUBESPRAY: "in DaemonSet kube-system/calico-node (Kubespray overwrites it at its next run: calico_ds_nodeselector takes only labels that must exist)",
    }.get(method.method, f"in the affinity of the DaemonSet ({method.durable or 'kube-system/calico-node'})")
    demand = f"{LABEL} NotIn [{EXCLUDED}] {where}"
    how = f"role calico_node_placement labels it {LABEL}={EXCLUDED} and demands {demand}"
    if method.method == CANAL:
        how = f"label it {LABEL}={EXCLUDED}, and demand {demand}"
    return (
        f"If {nodes} can do without pods: {how}. "
        "Never demand a role label such as node-role.kubernetes.io/worker: control planes, and on kubeadm, RKE2 and k3s all nodes, have none."
    )
