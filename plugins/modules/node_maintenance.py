#!/usr/bin/python
# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: node_maintenance
short_description: Take a node of a Submariner cluster out of service, and bring it back
version_added: 0.1.0
author:
  - The fathom.submariner authors (@fathom-ansible)
description:
  - With O(state=prepared) a node is made ready for a reboot. It is cordoned; where it has the active gateway and another one is fit, that one takes over first
    and must be connected to every cluster that the first one was connected to; then it is drained by the eviction API.
  - With O(state=returned) a node that was rebooted, by whomever, is brought back. It waits until the node has another bootID and is Ready, calico-node and the
    route agent, and on a gateway node the gateway, have been started anew and are Ready, and the node has its address on Calico's tunnel. The route agent must
    see Calico's interface, and is restarted where it does not (submariner#3120). The connections to other clusters must be up, by what the active gateway
    writes while this waits. Only then is the node uncordoned and labelled as a gateway again, if O(state=prepared) had cordoned it or taken the label away.
  - A rollback undoes O(state=prepared), and not O(state=returned), which takes no node out of service.
  - One node at a time. A node is not prepared while another one that was prepared is not back.
  - What O(state=prepared) did, and how the node was, is noted in its annotation C(submariner.fathom-ansible.github.io/maintenance), so that
    O(state=returned) may be run later and from another machine.
  - A gateway hands over when the label C(submariner.io/gateway) is taken from its node. Deleting its pod does not make it do so, since the next one on the same
    node has the same identity in the leader election. Where the other gateway is not connected within two minutes, label and cordon are put back.
extends_documentation_fragment:
  - fathom.submariner._attributes
  - fathom.submariner._attributes.actiongroup
  - fathom.submariner._auth
  - fathom.submariner._remedy
  - fathom.submariner._remedy.run
options:
  node:
    description:
      - Name of the Node.
    type: str
    required: true
  state:
    description:
      - V(prepared) takes it out of service, V(returned) brings it back.
    type: str
    choices: [prepared, returned]
    required: true
  drain_timeout:
    description:
      - How many seconds the drain may take. After that the task fails and names the pods that are left and the PodDisruptionBudgets that keep them; the node
        stays cordoned, and running it again goes on.
    type: int
    default: 300
  delete_emptydir_data:
    description:
      - Consent to evict pods with C(emptyDir) volumes, whose content is lost then.
    type: bool
    default: false
  delete_bare_pods:
    description:
      - Consent to evict pods that no controller makes anew.
    type: bool
    default: false
  rebooted:
    description:
      - For O(state=returned), whether the node is to have been rebooted since it was prepared. With V(false) its bootID may be the same.
    type: bool
    default: true
  boot_id:
    description:
      - For O(state=returned) of a node that O(state=prepared) has not seen, the bootID that it had before its reboot. When not given either, the node counts as
        rebooted.
    type: str
  allow_disruption:
    description:
      - Consent to interrupt traffic to other clusters. It is needed where the node has the active gateway.
      - Where another gateway can take over, that costs some seconds; where none can, traffic stops until the node is back.
    type: bool
    default: false
  wait_timeout:
    description:
      - How many seconds everything may take, the drain and the reboot included.
    type: int
    default: 1800
seealso:
  - module: fathom.submariner.route_agent
  - name: Safely drain a node
    description: What the eviction API and PodDisruptionBudgets do.
    link: https://kubernetes.io/docs/tasks/administer-cluster/safely-drain-node/
"""

EXAMPLES = r"""
- name: Make a gateway node ready for its reboot
  fathom.submariner.node_maintenance:
    kubeconfig: ~/.kube/clusterset
    context: cluster-1
    node: gateway-1
    state: prepared
    allow_disruption: true

- name: After the reboot, wait until everything on it works, and take it back into service
  fathom.submariner.node_maintenance:
    kubeconfig: ~/.kube/clusterset
    context: cluster-1
    node: gateway-1
    state: returned
"""

RETURN = r"""
lines:
  description: What was done, or in check mode would be done, a sentence each, in order.
  returned: always
  type: list
  elements: str
boot_id:
  description: The node's bootID; with O(state=prepared) the one that it had when it was first prepared.
  returned: success
  type: str
boot_id_now:
  description: The bootID that the node has now. It is another one than RV(boot_id) where the node has been rebooted since it was first prepared.
  returned: when O(state=prepared)
  type: str
handed_over:
  description: Whether the gateway handed over.
  returned: when O(state=prepared)
  type: bool
evicted:
  description: The pods that were evicted.
  returned: when O(state=prepared)
  type: list
  elements: str
restarted:
  description: The route agent that was restarted, where it was, as M(fathom.submariner.route_agent) returns it.
  returned: when O(state=returned)
  type: list
  elements: dict
evidence:
  description: What shows that the route agent sees Calico's interface, where it was not restarted.
  returned: when O(state=returned)
  type: str
needs_person:
  description: Changes that a person must make. This module asks for none.
  returned: always
  type: list
  elements: dict
disruptive:
  description: What interrupts traffic to other clusters.
  returned: always
  type: list
  elements: str
preconditions:
  description: In check mode, the objects that would be written, as they are; for O(preconditions) of the real run.
  returned: always
  type: list
  elements: dict
run:
  description: Id of the run under which the writes are journalled; empty where nothing was written.
  returned: always
  type: str
  sample: 20261121-101500-a1b2c3
"""

from ansible_collections.fathom.submariner.plugins.module_utils._apply._node_maintenance import perform
from ansible_collections.fathom.submariner.plugins.module_utils._apply._task import run_remedy

ARGUMENT_SPEC = {
    "node": {"type": "str", "required": True},
    "state": {"type": "str", "choices": ["prepared", "returned"], "required": True},
    "drain_timeout": {"type": "int", "default": 300},
    "delete_emptydir_data": {"type": "bool", "default": False},
    "delete_bare_pods": {"type": "bool", "default": False},
    "rebooted": {"type": "bool", "default": True},
    "boot_id": {"type": "str"},
    "wait_timeout": {"type": "int", "default": 1800},
}


def main():
    run_remedy("node_maintenance", ARGUMENT_SPEC, perform)


if __name__ == "__main__":
    main()
