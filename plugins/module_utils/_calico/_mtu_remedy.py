# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where an MTU of Calico is set so that it lasts, by installation method, and what makes it effective."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._install_method import (
    CANAL,
    KUBESPRAY,
    MANIFEST,
    MICROK8S,
    OPERATOR,
    OPERATOR_HELM,
    OPERATOR_RKE2,
    detect_install_method,
)
from ansible_collections.fathom.submariner.plugins.module_utils._calico._pool_context import policy_only
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Snapshot

RECREATE = "Then recreate the pods, which keep the MTU that they started with: restart their workloads, or drain or reboot the nodes one by one."
IBM_SMALLEST = 1450  # bytes; IBM Cloud docs, "Changing the Calico MTU"


class MtuRemedy(t.NamedTuple):
    text: str
    target: str


def set_mtu(snapshot: Snapshot, mtu: int | None) -> MtuRemedy:
    """How to set the MTU of pods and tunnels; without a number, how to leave it to Calico, which derives it from the nodes' links."""
    method = detect_install_method(snapshot)
    if method.platform == "roks":
        number = "" if mtu is None else f" to {max(mtu, IBM_SMALLEST)}"
        return MtuRemedy(
            f"Patch spec.calicoNetwork.mtu of Installation default{number} (IBM supports this change, from {IBM_SMALLEST} up), then reboot or replace the "
            "workers one by one.",
            "Installation default spec.calicoNetwork.mtu",
        )
    known = {
        OPERATOR_RKE2: _rke2,
        OPERATOR_HELM: _helm,
        OPERATOR: _operator,
        KUBESPRAY: _kubespray,
        MANIFEST: _manifest,
        MICROK8S: _manifest,
        CANAL: _canal,
    }.get(method.method)
    if known is None:
        wanted = "Let Calico derive the MTU" if mtu is None else f"Set Calico's MTU to {mtu}"
        return MtuRemedy(f"{wanted} where this installation configures it; how it was installed could not be told. {RECREATE}", "")
    made, cni = known(mtu), policy_only(snapshot)
    after = f"That is the MTU of Calico's tunnels alone: {cni} gives pods theirs." if cni else RECREATE
    return MtuRemedy(f"{made.text} {after}", made.target)


def settable(snapshot: Snapshot, mtu: int) -> bool:
    """Whether role calico_mtu sets it by itself; elsewhere, where another CNI gives pods their MTU, or below what IBM supports, a person must."""
    method = detect_install_method(snapshot)
    if policy_only(snapshot) or (method.platform == "roks" and mtu < IBM_SMALLEST):
        return False
    return method.method in (OPERATOR_RKE2, OPERATOR, KUBESPRAY, MANIFEST, MICROK8S)


def _rke2(mtu: int | None) -> MtuRemedy:
    target = "HelmChartConfig kube-system/rke2-calico spec.valuesContent: installation.calicoNetwork.mtu"
    keep = "keep its other values; where a file in server/manifests holds it, edit that file on every server"
    if mtu is None:
        return MtuRemedy(f"Take installation.calicoNetwork.mtu out of the valuesContent of HelmChartConfig kube-system/rke2-calico ({keep}).", target)
    return MtuRemedy(f"Set installation.calicoNetwork.mtu: {mtu} in the valuesContent of HelmChartConfig kube-system/rke2-calico ({keep}).", target)


def _helm(mtu: int | None) -> MtuRemedy:
    what = f"Set installation.calicoNetwork.mtu: {mtu} in" if mtu else "Take installation.calicoNetwork.mtu out of"
    target = "Helm release of tigera-operator: installation.calicoNetwork.mtu"
    return MtuRemedy(f"{what} the values of the Helm release of tigera-operator and upgrade it.", target)


def _operator(mtu: int | None) -> MtuRemedy:
    value = "null" if mtu is None else str(mtu)
    patch = f'{{"spec":{{"calicoNetwork":{{"mtu":{value}}}}}}}'
    return MtuRemedy(f"kubectl patch installation default --type merge -p '{patch}'.", "Installation default spec.calicoNetwork.mtu")


def _kubespray(mtu: int | None) -> MtuRemedy:
    target = "Kubespray's inventory: calico_mtu"
    where = "group_vars/k8s_cluster/k8s-net-calico.yml"
    run = "and run ansible-playbook cluster.yml --tags network"
    if mtu is None:
        return MtuRemedy(f"Take calico_mtu and calico_veth_mtu out of the inventory ({where}) {run}.", target)
    return MtuRemedy(
        f"Set calico_mtu: {mtu} in the inventory ({where}), as a number (-e calico_mtu={mtu} would be a string, which does not reach the pods), take "
        f"calico_veth_mtu out, which sets the tunnels' MTU and not the pods', {run}.",
        target,
    )


def _manifest(mtu: int | None) -> MtuRemedy:
    return MtuRemedy(
        f'Set veth_mtu: "{mtu or 0}" in ConfigMap kube-system/calico-config and restart calico-node (kubectl -n kube-system rollout restart ds/calico-node).',
        "ConfigMap kube-system/calico-config data[veth_mtu]",
    )


def _canal(mtu: int | None) -> MtuRemedy:
    return MtuRemedy(
        f"Set veth_mtu to {mtu or 1450} in canal's ConfigMap and restart its DaemonSet (RKE2: calico.vethuMTU in HelmChartConfig kube-system/rke2-canal).",
        "canal's ConfigMap data[veth_mtu]",
    )
