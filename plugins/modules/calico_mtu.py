#!/usr/bin/python
# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: calico_mtu
short_description: Set the MTU of Calico's pods and tunnels where it lasts, and see it through to the workloads
version_added: 0.1.0
author:
  - The fathom.submariner authors (@fathom-ansible)
description:
  - Sets the MTU that was asked for, or reckons it from the nodes' links, the encapsulations in use, the address family, WireGuard, the eBPF data plane
    and the cable to other clusters. RV(budget) shows the sum line by line. The MTU of the links is never guessed.
  - An IPPool that is disabled counts as long as pods may have addresses of it, since Calico wraps packets to them as before; it does not once the IPAM
    blocks show that none is in use. On AKS, WireGuard with C(wireguardHostEncryptionEnabled) counts 100 bytes more, as Felix counts it.
  - Where Calico does policy alone (CNI type C(AmazonVPC), C(AzureVNET) or C(GKE) of the Installation), pods read no MTU of Calico's, so that O(mtu) and
    O(restart_workloads) are refused; O(tcp_clamp_mss) works there as elsewhere.
  - Writes where the setting lasts. With the operator that is C(spec.calicoNetwork.mtu) of the Installation, on RKE2 the
    HelmChartConfig C(rke2-calico) as well, with C(calico.yaml) the key C(veth_mtu) of ConfigMap C(calico-config), and with Kubespray the CNI configuration and
    the environment in DaemonSet C(calico-node), while RV(needs_person) holds the line for the inventory. An IPPool has no MTU.
  - Watches calico-node being rolled out, node by node, and names the node that is not well with its pod's own reason.
  - Pods keep the MTU with which they were made. RV(outdated) lists what has the former one, and O(restart_workloads) starts it anew.
  - Tunnels can be given another MTU by FelixConfiguration or by the environment of calico-node. What wins is named in RV(overrides) and, where
    O(correct_overrides) says so, taken out; what would leave tunnels too small for the pods' packets is refused.
extends_documentation_fragment:
  - fathom.submariner._attributes
  - fathom.submariner._attributes.actiongroup
  - fathom.submariner._auth
  - fathom.submariner._remedy
  - fathom.submariner._remedy.run
  - fathom.submariner._durable
options:
  mtu:
    description:
      - The MTU in bytes, V(auto) to reckon it, or V(0) to leave it to Calico, which derives it from the nodes' links.
      - When not given or empty, the MTU is not touched.
      - Refused where it is known not to fit the links, and below 576, or 1280 where pods have IPv6 addresses, as is V(auto) where less than that is left.
        On Red Hat OpenShift on IBM Cloud it must be 1450 at least, and the workers must be rebooted or replaced afterwards.
    type: str
  link_mtu:
    description:
      - The MTU of the links between the nodes, the smallest of all nodes.
      - When not given, what the cluster tells is taken, namely the MTU that Calico detected and the operator or the log of calico-node reports.
        Where nothing tells it, V(auto) is refused, and of a number a warning says that it was not checked against the links.
    type: str
  path_mtu:
    description:
      - The MTU of the way between the clusters, where that carries less than the nodes' links, as with a VPN, PPPoE or some clouds.
    type: str
  across_clusters:
    description:
      - Whether V(auto) makes packets to other clusters fit whole, too, so that UDP is not fragmented on the way.
      - Otherwise only the way within the cluster counts. Submariner clamps TCP to what fits in both cases.
    type: bool
    default: true
  cable_driver:
    description:
      - The driver of the cable to reckon with, for a cluster that is yet to be joined.
      - When not given, the one of this cluster; one that is not joined has none.
    type: str
    choices: [libreswan, wireguard, vxlan]
  correct_overrides:
    description:
      - Whether to take MTUs of single tunnels out of FelixConfigurations, and to correct those in the environment of calico-node, where they differ.
    type: bool
    default: false
  tcp_clamp_mss:
    description:
      - The TCP segment size to which connections to other clusters are clamped on gateway nodes, as node annotation C(submariner.io/tcp-clamp-mss);
        V(auto) reckons it from what fits through the cable, V(0) takes the annotation away.
      - When not given or empty, the annotation is not touched.
      - Route agents read it only when they start. RV(restart_route_agents) names the nodes whose agent has not.
    type: str
  restart_workloads:
    description:
      - Whether to start workloads anew that have the former MTU, one after the other, each after the one before is whole again.
        It stops at the first that does not heal.
      - Deployments, StatefulSets and DaemonSets are rolled out by an annotation of their template. Pods of other owners, and of those whose
        template somebody looks after, are evicted one by one as their PodDisruptionBudgets allow. Pods that nothing would make again are never deleted, and
        Jobs are left to end.
    type: str
    choices: [none, listed, all]
    default: none
  workloads:
    description:
      - With O(restart_workloads=listed) those to be started anew, each as C(NAMESPACE/KIND/NAME).
    type: list
    elements: str
    default: []
seealso:
  - module: fathom.submariner.diagnose
  - module: fathom.submariner.route_agent
  - name: Configure MTU to maximize network performance
    description: Calico's own table of overheads.
    link: https://docs.tigera.io/calico/latest/networking/configuring/mtu
"""

EXAMPLES = r"""
- name: Show what would fit, and how that is reckoned
  fathom.submariner.calico_mtu:
    context: cluster-1
    mtu: auto
    link_mtu: 1500
  check_mode: true
  register: reckoned

- name: Set the MTU, and start everything anew that has the former one
  fathom.submariner.calico_mtu:
    context: cluster-1
    mtu: 1380
    restart_workloads: all
    allow_disruption: true
    wait_timeout: 7200

- name: Clamp TCP on the gateways, without touching any pod
  fathom.submariner.calico_mtu:
    context: cluster-1
    tcp_clamp_mss: 1300
"""

RETURN = r"""
mtu:
  description: The MTU that the cluster is to have, 0 where it is left to Calico; none where it is not touched.
  returned: success
  type: int
  sample: 1380
previous_mtu:
  description: The MTU that was configured for pods, 0 where it was left to Calico; none where it was not looked at.
  returned: success
  type: int
  sample: 1500
tcp_clamp_mss:
  description: The TCP segment size that the gateways are to have, 0 for none; none where it is not touched.
  returned: success
  type: int
budget:
  description: The sum, line by line. Empty where the MTU of the links is not known.
  returned: success
  type: list
  elements: dict
  contains:
    what:
      description: The link, or what wraps packets.
      type: str
      sample: VXLAN
    takes:
      description: Bytes that it takes.
      type: int
      sample: 50
    leaves:
      description: Bytes that are left for a pod's packet.
      type: int
      sample: 1450
    why:
      description: How it is known.
      type: str
    line:
      description: All of it as text.
      type: str
      sample: "VXLAN: 1500 - 50 = 1450 (between this cluster's nodes: an enabled IPPool or Felix asks for it)"
overrides:
  description: Settings of single tunnels that say something else and stay.
  returned: success
  type: list
  elements: dict
  contains:
    where:
      description: The object.
      type: str
    field:
      description: Its field.
      type: str
    value:
      description: What it says.
      type: str
    wins:
      description: Whether it wins over the MTU; otherwise nothing reads it.
      type: bool
outdated:
  description: Workloads whose pods have, or in check mode would have, the former MTU; fifty at most.
  returned: success
  type: list
  elements: dict
  contains:
    namespace:
      description: Its namespace.
      type: str
    kind:
      description: Its kind; Pod for one that nothing looks after.
      type: str
    name:
      description: Its name.
      type: str
    pods:
      description: How many of its pods.
      type: int
    way:
      description: How it can be started anew, namely V(rollout restart), V(eviction), V(left alone) or V(needs a person).
      type: str
    why:
      description: Why in that way.
      type: str
outdated_workloads:
  description: How many workloads there are in all.
  returned: success
  type: int
outdated_pods:
  description: How many pods they have.
  returned: success
  type: int
outdated_why:
  description: How it is known which pods have the former MTU, or why it is not.
  returned: success
  type: str
restart_route_agents:
  description: Gateway nodes whose route agent must be restarted to read O(tcp_clamp_mss).
  returned: success
  type: list
  elements: str
manifest_files:
  description: Files on RKE2's servers that must be changed, too, as options of M(fathom.submariner.rke2_manifest). Empty without O(manifest_servers).
  returned: success
  type: list
  elements: dict
lines:
  description: What was done, or in check mode would be, a sentence each.
  returned: always
  type: list
  elements: str
needs_person:
  description: Changes that must be made elsewhere, such as a line of Kubespray's inventory.
  returned: always
  type: list
  elements: dict
  contains:
    text:
      description: Why, and what to do.
      type: str
    target:
      description: Where.
      type: str
    paste:
      description: Ready to paste there.
      type: str
disruptive:
  description: What interrupts traffic, and so needs O(allow_disruption).
  returned: always
  type: list
  elements: str
preconditions:
  description: The objects that this was computed from, for O(preconditions) of the real run.
  returned: in check mode
  type: list
  elements: dict
run:
  description: Id of the run under which the writes are journalled; empty where nothing was written.
  returned: always
  type: str
"""

from ansible_collections.fathom.submariner.plugins.module_utils._apply import _durable
from ansible_collections.fathom.submariner.plugins.module_utils._apply._calico_mtu import perform
from ansible_collections.fathom.submariner.plugins.module_utils._apply._task import run_remedy

ARGUMENT_SPEC = {
    **_durable.ARGUMENT_SPEC,
    "mtu": {"type": "str"},
    "link_mtu": {"type": "str"},
    "path_mtu": {"type": "str"},
    "across_clusters": {"type": "bool", "default": True},
    "cable_driver": {"type": "str", "choices": ["libreswan", "wireguard", "vxlan"]},
    "correct_overrides": {"type": "bool", "default": False},
    "tcp_clamp_mss": {"type": "str"},
    "restart_workloads": {"type": "str", "choices": ["none", "listed", "all"], "default": "none"},
    "workloads": {"type": "list", "elements": "str", "default": []},
}


def main():
    run_remedy("calico_mtu", ARGUMENT_SPEC, perform)


if __name__ == "__main__":
    main()
