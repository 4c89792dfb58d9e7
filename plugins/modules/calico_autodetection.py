#!/usr/bin/python
# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: calico_autodetection
short_description: Keep calico-node from taking an address of Submariner's devices for its node's
version_added: 0.1.0
author:
  - The fathom.submariner authors (@fathom-ansible)
description:
  - With Calico's default method of autodetection, C(first-found), calico-node takes the newest interface of its node. After a join that is
    C(vx-submariner), whose address of C(240.0.0.0/8) no neighbour knows. The node loses the others minutes after the join, or at its next reboot
    (submariner#1231, submariner#2810, calico#11355).
  - Replaces a method that may find one of Submariner's devices by one that cannot. A method that cannot is left alone.
  - Writes where it lasts. That is the HelmChartConfig on RKE2, the Installation with the operator and on OpenShift, and the DaemonSet with
    Kubespray and plain manifests. What must be changed elsewhere, a Helm release's values or Kubespray's inventory, is returned ready to paste.
  - Waits until calico-node is rolled out and has written the right address of every node on which it runs.
  - Where the method is right and rolled out already, and a node still has an address of Submariner's, calico-node is restarted there, one node after the other,
    gateways last.
  - Refuses where it is unknown what to change (canal, etcd as Calico's datastore, an unknown way of installing it, a migration under way), and where the new
    method would leave a node without any address.
extends_documentation_fragment:
  - fathom.submariner._attributes
  - fathom.submariner._attributes.actiongroup
  - fathom.submariner._auth
  - fathom.submariner._remedy
  - fathom.submariner._remedy.run
  - fathom.submariner._durable
options:
  method:
    description:
      - The method to use in place of one that may find Submariner's devices.
      - V(kubernetes-internal-ip) takes the Node's InternalIP (C(NodeInternalIP) in the Installation), by which Submariner reaches the node, too.
        It needs Calico 3.17 or newer.
    type: str
    choices: [kubernetes-internal-ip, skip-interface, can-reach, interface, cidr]
    default: kubernetes-internal-ip
  skip_interface:
    description:
      - For O(method=skip-interface), patterns of interfaces to leave out, separated by commas.
        C(^vx-submariner$) and C(^vxlan-tunnel$) must be among what they match.
    type: str
  can_reach:
    description:
      - For O(method=can-reach), the address or name whose route tells the interface.
    type: str
  interface:
    description:
      - For O(method=interface), patterns of interfaces to look at, separated by commas. They must not match Submariner's.
    type: str
  cidrs:
    description:
      - For O(method=cidr), the ranges that hold the nodes' addresses. They must not hold Submariner's own (C(240.0.0.0/6)).
    type: list
    elements: str
    default: []
  families:
    description:
      - Families that get O(method) in any case, also when their present method cannot find Submariner's devices. Others are replaced when they need it.
    type: list
    elements: str
    choices: [ipv4, ipv6]
    default: []
seealso:
  - module: fathom.submariner.diagnose
  - module: fathom.submariner.rke2_manifest
  - name: IP autodetection methods
    description: Calico's documentation of the methods.
    link: https://docs.tigera.io/calico/latest/networking/ipam/ip-autodetection
"""

EXAMPLES = r"""
- name: Make a cluster fit for a join
  fathom.submariner.calico_autodetection:
    kubeconfig: ~/.kube/clusterset
    context: cluster-1
    allow_disruption: true

- name: Leave Submariner's devices out by name, with a Calico too old for the InternalIP
  fathom.submariner.calico_autodetection:
    context: cluster-1
    method: skip-interface
    skip_interface: ^vx-submariner$,^vxlan-tunnel$,^submariner$
    allow_disruption: true

- name: Find the address by the network of the nodes, in both families
  fathom.submariner.calico_autodetection:
    context: cluster-1
    method: cidr
    cidrs: [192.168.46.0/24, "fd00:46::/64"]
    families: [ipv4, ipv6]
    allow_disruption: true
"""

RETURN = r"""
lines:
  description: What was done, or in check mode would be, a sentence each.
  returned: always
  type: list
  elements: str
  sample: ["Installation default: calicoNetwork.nodeAddressAutodetectionV4.kubernetes set, so that calico-node cannot take an address of Submariner's devices."]
method:
  description: The wanted method, as calico-node's environment variable spells it.
  returned: success
  type: str
  sample: kubernetes-internal-ip
families:
  description: The families whose method was found wrong.
  returned: success
  type: list
  elements: str
  sample: [ipv4]
nodes:
  description: The nodes whose address was wrong when the task began.
  returned: success
  type: list
  elements: dict
  contains:
    node:
      description: Name of the node.
      type: str
    family:
      description: V(ipv4) or V(ipv6).
      type: str
    problem:
      description: What is wrong.
      type: str
      sample: worker-1 has 240.168.10.21/8, an address of Submariner's
manifest_files:
  description: Files on RKE2's servers that must be changed, too, as options of M(fathom.submariner.rke2_manifest). Empty without O(manifest_servers).
  returned: success
  type: list
  elements: dict
needs_person:
  description: What must be changed where this module may not write.
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
  description: Id of the run under which the writes are journalled, empty where nothing was written.
  returned: always
  type: str
"""

from ansible_collections.fathom.submariner.plugins.module_utils._apply import _durable
from ansible_collections.fathom.submariner.plugins.module_utils._apply._autodetection import repair_autodetection
from ansible_collections.fathom.submariner.plugins.module_utils._apply._task import run_remedy
from ansible_collections.fathom.submariner.plugins.module_utils._calico._autodetection_repair import KINDS

# supports_check_mode=True is run_remedy's.
SPEC = {
    "method": {"type": "str", "choices": list(KINDS), "default": "kubernetes-internal-ip"},
    "skip_interface": {"type": "str"},
    "can_reach": {"type": "str"},
    "interface": {"type": "str"},
    "cidrs": {"type": "list", "elements": "str", "default": []},
    "families": {"type": "list", "elements": "str", "choices": ["ipv4", "ipv6"], "default": []},
    **_durable.ARGUMENT_SPEC,
}


def main():
    run_remedy("calico_autodetection", SPEC, repair_autodetection)


if __name__ == "__main__":
    main()
