#!/usr/bin/python
# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: route_agent
short_description: Restart the Submariner route agents that need it
version_added: 0.1.0
author:
  - The fathom.submariner authors (@fathom-ansible)
description:
  - Restarts exactly the route agents that a restart heals. Those are the ones that started before Calico's interface existed and gave up looking for it
    (they are Ready and blind, submariner#3120), the active gateway's where it gave up creating the IPPools of remote clusters, and those
    that still run with CIDRs or an image which their DaemonSet has no more.
  - One after the other. Agents of nodes that are no gateway come first, then those of passive gateways, and that of the active gateway last.
    A pod is deleted by its UID, and the next one waits until another pod in its place is Ready B(and) has shown by itself that it sees Calico's interface.
    Its log tells that; where logs may not be read, its RouteAgent object does (Submariner 0.19 and newer, not on gateway nodes).
    What cannot be read proves nothing, and the first agent that does not heal ends the task.
  - An agent is not restarted where that would be in vain, because its node is not Ready or has no address on a tunnel of Calico inside the cluster CIDR yet.
    The others are, and the task fails then, naming it.
  - Restarting the DaemonSet (C(kubectl rollout restart)) is no way to do this, since Submariner's operator undoes it.
extends_documentation_fragment:
  - fathom.submariner._attributes
  - fathom.submariner._attributes.actiongroup
  - fathom.submariner._auth
  - fathom.submariner._remedy
  - fathom.submariner._remedy.run
attributes:
  idempotent:
    support: partial
    details:
      - With O(nodes), what runs there is restarted each time, unless O(started_before) says since when a restart is recent enough.
options:
  nodes:
    description:
      - Restart what runs on these nodes, whether it needs it or not, and nothing else. Several names in one element may be separated by commas.
      - When empty, what needs a restart is restarted.
    type: list
    elements: str
    default: []
  gateways:
    description:
      - Restart gateway pods as well, the passive ones before the active one, and before any agent. Without O(nodes) those that run with CIDRs or an image
        which their DaemonSet has no more.
      - Each must write its record anew, and the active one must be connected to all clusters again that it was connected to before.
    type: bool
    default: false
  started_before:
    description:
      - Of what runs on O(nodes), leave alone what was started at this moment or later, as RFC 3339, for example V(2026-11-21T10:15:00Z).
    type: str
  allow_disruption:
    description:
      - Consent to restart what runs on the node of the active gateway, which all traffic to other clusters passes.
    type: bool
    default: false
seealso:
  - module: fathom.submariner.diagnose
  - module: fathom.submariner.node_maintenance
"""

EXAMPLES = r"""
- name: Restart the route agents that are blind after a power failure
  fathom.submariner.route_agent:
    kubeconfig: ~/.kube/clusterset
    context: cluster-1
    allow_disruption: true

- name: Let the agents of two nodes read their node's annotation submariner.io/tcp-clamp-mss anew
  fathom.submariner.route_agent:
    context: cluster-1
    nodes: [worker-1, worker-2]
    started_before: "2026-11-21T10:15:00Z"
"""

RETURN = r"""
lines:
  description: What was done, or in check mode would be done, a sentence each, in order.
  returned: always
  type: list
  elements: str
restarted:
  description: The pods that took the place of those that were deleted, and what proves that they work.
  returned: always
  type: list
  elements: dict
  contains:
    kind:
      description: Label C(app) of the pod.
      type: str
      sample: submariner-routeagent
    node:
      description: Its node.
      type: str
    pod:
      description: Its name.
      type: str
    uid:
      description: Its UID.
      type: str
    evidence:
      description: What proves that it works, as read from its log or from Submariner's objects.
      type: str
needs_person:
  description: Changes that a person must make. This module asks for none.
  returned: always
  type: list
  elements: dict
disruptive:
  description: The restarts that interrupt traffic to other clusters.
  returned: always
  type: list
  elements: str
preconditions:
  description: In check mode, the pods that would be restarted, as they are; for O(preconditions) of the real run.
  returned: always
  type: list
  elements: dict
run:
  description: Id of the run under which the restarts are journalled; empty where nothing was written.
  returned: always
  type: str
  sample: 20261121-101500-a1b2c3
"""

from ansible_collections.fathom.submariner.plugins.module_utils._apply._route_agent import perform
from ansible_collections.fathom.submariner.plugins.module_utils._apply._task import run_remedy

ARGUMENT_SPEC = {
    "nodes": {"type": "list", "elements": "str", "default": []},
    "gateways": {"type": "bool", "default": False},
    "started_before": {"type": "str"},
}


def main():
    run_remedy("route_agent", ARGUMENT_SPEC, perform)


if __name__ == "__main__":
    main()
