#!/usr/bin/python
# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: calico_node_placement
short_description: Keep calico-node off unfit nodes, without taking it off any other
version_added: 0.1.0
author:
  - The fathom.submariner authors (@fathom-ansible)
description:
  - One node on which calico-node cannot run (its kernel lacks a module, there is no image for its architecture) makes the operator call all of Calico
    unavailable. On a first installation that also keeps the Calico API server back, and with it Submariner's IPPools.
    This module takes calico-node, and with it the CSI driver and Typha, off such a node.
  - It does so by a label of its own and one demand in the affinity. The affinity that stands is kept, be it yours or the operator's own for AKS, EKS and Typha.
    The operator replaces what it would render by what is written, so that everything must be in it.
  - Before anything is written it computes, as the DaemonSet controller would, which nodes lose calico-node. It refuses when a gateway, a control plane,
    more than O(max_excluded) nodes, or a node with pods that need the network and that is not cordoned is among them, and when a role label such as
    C(node-role.kubernetes.io/worker) is demanded already. Control planes lack that label, and on kubeadm, RKE2 and k3s all nodes do.
  - The affinity comes first, while no node is labelled, then the labels in batches. After each batch it is watched that the pods are gone, that calico-node
    is as ready as before on all other nodes, and that the operator calls Calico available. Where it is not so, the labels of that batch are taken back.
  - Writes where it lasts, which is the HelmChartConfig on RKE2, the Installation with the operator, the values of a Helm release (by a person, see
    RV(needs_person)), and the workloads themselves with Kubespray and manifests.
extends_documentation_fragment:
  - fathom.submariner._attributes
  - fathom.submariner._attributes.actiongroup
  - fathom.submariner._auth
  - fathom.submariner._remedy
  - fathom.submariner._remedy.run
options:
  nodes:
    description:
      - The nodes to keep calico-node off, or, with O(mode=include), to keep it on.
      - Must be given with O(mode=exclude) and O(state=present).
      - With O(mode=include) and O(state=present), none means every node that has calico-node now.
      - With O(state=absent), none means all nodes that are labelled, and the affinity with them.
    type: list
    elements: str
    default: []
  mode:
    description:
      - V(exclude) opts nodes out. New nodes get calico-node.
      - V(include) opts nodes in. Every node that is to keep calico-node is labelled, and seen to be, before the affinity lands.
        New nodes get calico-node when they are labelled, which brings it to them in batches.
    type: str
    choices: [exclude, include]
    default: exclude
  state:
    description:
      - V(present) labels nodes and demands the label. V(absent) takes both away again.
      - With V(absent) and O(mode=exclude), labels go first, in batches, so that calico-node comes back node by node. The affinity goes with the last label.
    type: str
    choices: [present, absent]
    default: present
  label:
    description:
      - Key of the label.
      - The default belongs to a domain of this project, so that nothing else gives it a meaning, and is none that a kubelet may not give itself,
        so that a group of nodes can be born with it (C(--node-labels), RKE2's C(node-label)).
      - Keys of Kubernetes, Calico and Submariner themselves are refused.
    type: str
    default: submariner.fathom-ansible.github.io/calico-node
  value:
    description:
      - Value of the label.
      - When not given, V(excluded) or V(included) as O(mode) says.
    type: str
  components:
    description:
      - What is placed, as far as it is there. C(calico-typha) is left alone where too few nodes would be left for its replicas.
    type: list
    elements: str
    choices: [calico-node, csi-node-driver, calico-typha]
    default: [calico-node, csi-node-driver, calico-typha]
  architectures:
    description:
      - Demand one of these architectures (C(kubernetes.io/arch)), too, such as for a registry that mirrors the image for V(amd64) alone.
        Joined to what the affinity says already about architectures; none demands nothing.
      - With O(state=absent), the demand for exactly these or fewer is taken away, too.
    type: list
    elements: str
    default: []
  max_excluded:
    description:
      - How many nodes may be without calico-node in the end, those that are already included.
    type: int
    default: 1
  batch_size:
    description:
      - How many nodes change at the same time.
    type: int
    default: 1
  canary:
    description:
      - Whether the first node changes alone.
    type: bool
    default: true
  pause:
    description:
      - Seconds between two batches.
    type: int
    default: 0
  cordon:
    description:
      - Cordon nodes that lose calico-node. With O(state=absent) and O(mode=exclude), uncordon the nodes.
    type: bool
    default: false
  taint:
    description:
      - Taint nodes that lose calico-node with the label's key and value and the effect NoExecute, which evicts the pods that do not tolerate it.
        The taint goes with the label.
    type: bool
    default: false
  write_live:
    description:
      - Where Calico comes from a Helm release, write the Installation as well, until the release is upgraded with the values in RV(needs_person).
      - Without it nothing is written there before the values are.
    type: bool
    default: false
  force:
    description:
      - Write on Red Hat OpenShift on IBM Cloud, too, where IBM does not support it and may undo it.
    type: bool
    default: false
seealso:
  - module: fathom.submariner.diagnose
  - name: Assigning pods to nodes
    description: What a required node affinity selects.
    link: https://kubernetes.io/docs/concepts/scheduling-eviction/assign-pod-node/
"""

EXAMPLES = r"""
- name: Take calico-node off a node whose kernel lacks ip_set, and keep new pods away from it
  fathom.submariner.calico_node_placement:
    kubeconfig: ~/.kube/config
    context: cluster-1
    nodes: [jetson-1]
    cordon: true
    allow_disruption: true

- name: Bring it back
  fathom.submariner.calico_node_placement:
    context: cluster-1
    nodes: [jetson-1]
    state: absent
    cordon: true
    allow_disruption: true

- name: Calico only where it is asked for from now on; every node that has it keeps it
  fathom.submariner.calico_node_placement:
    context: cluster-1
    mode: include
    allow_disruption: true

- name: Then bring it to new nodes, one first and the others five at a time
  fathom.submariner.calico_node_placement:
    context: cluster-1
    mode: include
    nodes: "{{ groups['new_nodes'] }}"
    batch_size: 5
    pause: 60
"""

RETURN = r"""
lines:
  description: What was done, or in check mode would be, a sentence each.
  returned: always
  type: list
  elements: str
  sample: ["Node jetson-1: labelled submariner.fathom-ansible.github.io/calico-node=excluded, cordoned."]
simulation:
  description: A table of all nodes and what becomes of calico-node there. Also told when the change is refused for what it would do.
  returned: once the cluster was read
  type: list
  elements: str
  sample:
    - "NODE      IS             CALICO-NODE"
    - "control-1 control plane  stays"
    - "jetson-1  worker         IS TAKEN AWAY: submariner.fathom-ansible.github.io/calico-node NotIn [excluded]"
without:
  description: The nodes that are without calico-node in the end.
  returned: once the cluster was read
  type: list
  elements: str
lost:
  description: Of these the ones that had it before.
  returned: once the cluster was read
  type: list
  elements: str
gained:
  description: The nodes that get it and did not have it before.
  returned: once the cluster was read
  type: list
  elements: str
needs_person:
  description: Changes that must be made where this module may not write, and what is left on a node that calico-node has left.
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
  description: What the change interrupts, a sentence each.
  returned: always
  type: list
  elements: str
preconditions:
  description: The objects that the change was computed from, for the option O(preconditions).
  returned: in check mode
  type: list
  elements: dict
run:
  description: The run under which the writes are journalled, empty where nothing was written.
  returned: always
  type: str
"""

from ansible_collections.fathom.submariner.plugins.module_utils._apply._calico_node_placement import perform
from ansible_collections.fathom.submariner.plugins.module_utils._apply._task import run_remedy
from ansible_collections.fathom.submariner.plugins.module_utils._calico._placement_request import COMPONENTS, LABEL

# supports_check_mode=True is run_remedy's.
ARGUMENTS = {
    "nodes": {"type": "list", "elements": "str", "default": []},
    "mode": {"type": "str", "choices": ["exclude", "include"], "default": "exclude"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "label": {"type": "str", "default": LABEL},
    "value": {"type": "str"},
    "components": {"type": "list", "elements": "str", "choices": list(COMPONENTS), "default": list(COMPONENTS)},
    "architectures": {"type": "list", "elements": "str", "default": []},
    "max_excluded": {"type": "int", "default": 1},
    "batch_size": {"type": "int", "default": 1},
    "canary": {"type": "bool", "default": True},
    "pause": {"type": "int", "default": 0},
    "cordon": {"type": "bool", "default": False},
    "taint": {"type": "bool", "default": False},
    "write_live": {"type": "bool", "default": False},
    "force": {"type": "bool", "default": False},
}


def main():
    run_remedy("calico_node_placement", ARGUMENTS, perform)


if __name__ == "__main__":
    main()
