#!/usr/bin/python
# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: probe_targets_info
short_description: Choose which pairs of nodes to probe, and say what that costs
version_added: 0.2.0
author:
  - The fathom.submariner authors (@fathom-ansible)
description:
  - Reads a cluster once and returns for each node the targets of M(fathom.submariner.path_mtu) and M(fathom.submariner.path_probe). Sends no probe.
  - The sample grows with the number of nodes and not with its square. It holds the nodes that something in the API points at (each with nodes that nothing
    points at, both ways), every gateway with every gateway, one pair of each two kinds of node (zone, system, kernel) and inside each kind, every node with
    a gateway, and O(neighbours) for every node. It is the same whenever the nodes are the same.
  - A pair is probed between the nodes' own addresses, through Calico's tunnel (the tunnel addresses in the Nodes' annotations) and, where one of them is the
    active gateway, through C(vx-submariner). Gateways also probe the gateways of other clusters, and with a few other nodes what answers health checks there.
  - RV(lines) say what is probed and why, and how many packets, bytes and seconds it takes at the most.
extends_documentation_fragment:
  - fathom.submariner._attributes
  - fathom.submariner._attributes.actiongroup
  - fathom.submariner._attributes.info_module
  - fathom.submariner._auth
  - fathom.submariner._bundle
options:
  cluster:
    description:
      - What this cluster is called in messages.
      - Defaults to the name of the connection.
    type: str
  nodes:
    description:
      - Names of the Nodes that can probe and answer, such as those that are hosts of the inventory. All Linux nodes when empty.
    type: list
    elements: str
    default: []
  neighbours:
    description:
      - How many neighbours each node probes.
    type: int
    default: 2
  pairs:
    description:
      - Upper bound of the pairs in all. RV(lines) say what it left out.
    type: int
    default: 200
  port:
    description:
      - Port of the responders (M(fathom.submariner.path_responder)). V(0) where there are none, then paths are measured by ping alone.
    type: int
    default: 28470
  max_mtu:
    description:
      - Largest packet that is tried, in bytes, for the cost. The MTU of the nodes' links.
    type: int
    default: 1500
  timeout:
    description:
      - Seconds that the answer to one packet is waited for, for the cost.
    type: float
    default: 1.0
  retries:
    description:
      - Further packets before one counts as lost, for the cost.
    type: int
    default: 2
  workers:
    description:
      - Probes that run side by side on a node, for the cost.
    type: int
    default: 8
  packets:
    description:
      - Upper bound of the packets that M(fathom.submariner.path_mtu) sends on each node, for the cost.
    type: int
    default: 400
  exchange_packets:
    description:
      - Upper bound of the packets that M(fathom.submariner.path_probe) sends on each node, for the cost.
    type: int
    default: 2000
  throughput_seconds:
    description:
      - Seconds of each throughput measurement, V(0) for none, for the cost.
    type: float
    default: 0
  throughput_bytes:
    description:
      - Upper bound of the bytes of one throughput measurement, for the cost.
    type: int
    default: 16777216
  read_timeout:
    description:
      - Seconds for reading the cluster, retries included.
    type: float
    default: 60
seealso:
  - module: fathom.submariner.path_mtu
  - module: fathom.submariner.path_probe
  - module: fathom.submariner.path_responder
"""

EXAMPLES = r"""
- name: Choose what the nodes of cluster-1 probe
  fathom.submariner.probe_targets_info:
    kubeconfig: ~/.kube/clusterset
    context: cluster-1
    nodes: "{{ groups['submariner_nodes'] }}"
  delegate_to: localhost
  run_once: true
  register: chosen

- name: Show what it costs before anything is sent
  ansible.builtin.debug:
    msg: "{{ chosen.lines }}"
  run_once: true

- name: Measure
  fathom.submariner.path_mtu:
    name: "{{ inventory_hostname }}"
    targets: "{{ chosen.targets[inventory_hostname].path_mtu }}"
"""

RETURN = r"""
cluster:
  description: What the cluster is called.
  returned: success
  type: str
targets:
  description: Of each node the targets of C(path_mtu) and of C(path_probe), and the addresses that its responder is probed on (C(answers_on)).
  returned: success
  type: dict
pairs:
  description: The pairs that were chosen.
  returned: success
  type: list
  elements: dict
  contains:
    source:
      description: The node that sends.
      type: str
    target:
      description: The node that answers.
      type: str
    why:
      description: Why the pair is in the sample.
      type: str
left_out:
  description: How many pairs of each reason O(pairs) left out.
  returned: success
  type: dict
budget:
  description: Upper bounds of what probing takes.
  returned: success
  type: dict
  contains:
    packets:
      description: Packets sent and received, all nodes together.
      type: int
    bytes:
      description: Their bytes.
      type: int
    seconds:
      description: Of the slowest node.
      type: float
cluster_cidrs:
  description: The cluster CIDRs as Submariner knows them, for M(fathom.submariner.node_info). Empty where the cluster is not joined.
  returned: success
  type: list
  elements: str
lines:
  description: The same for a person.
  returned: success
  type: list
  elements: str
"""

import datetime

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fathom.submariner.plugins.module_utils._calico._probe_targets import Wish, plan
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._module import declare_secrets, open_connection
from ansible_collections.fathom.submariner.plugins.module_utils._kube._options import AUTH_ARGUMENT_SPEC
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import parse_cidrs
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_module import BUNDLE_ARGUMENT_SPEC, read_bundle
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._live import read_snapshot

LEAST = {"neighbours": 1, "pairs": 1, "port": 0, "max_mtu": 68, "retries": 0, "workers": 1, "packets": 1, "exchange_packets": 1, "throughput_bytes": 1}


def argument_spec():
    return {
        **AUTH_ARGUMENT_SPEC,
        **BUNDLE_ARGUMENT_SPEC,
        "cluster": {"type": "str"},
        "nodes": {"type": "list", "elements": "str", "default": []},
        "neighbours": {"type": "int", "default": 2},
        "pairs": {"type": "int", "default": 200},
        "port": {"type": "int", "default": 28470},
        "max_mtu": {"type": "int", "default": 1500},
        "timeout": {"type": "float", "default": 1.0},
        "retries": {"type": "int", "default": 2},
        "workers": {"type": "int", "default": 8},
        "packets": {"type": "int", "default": 400},
        "exchange_packets": {"type": "int", "default": 2000},
        "throughput_seconds": {"type": "float", "default": 0},
        "throughput_bytes": {"type": "int", "default": 16777216},
        "read_timeout": {"type": "float", "default": 60},
    }


def wish_of(params):
    """:raises InputError: a number cannot be used."""
    for option, least in LEAST.items():
        if params[option] < least:
            raise InputError(f"{option} is {params[option]}, and can be {least} or more. Nothing was read.")
    return Wish(
        nodes=tuple(params["nodes"]),
        neighbours=params["neighbours"],
        pairs=params["pairs"],
        port=params["port"],
        largest=params["max_mtu"],
        timeout=params["timeout"],
        retries=params["retries"],
        workers=params["workers"],
        packets=params["packets"],
        exchange_packets=params["exchange_packets"],
        throughput_seconds=params["throughput_seconds"],
        throughput_bytes=params["throughput_bytes"],
    )


def read(module, params):
    """:raises SubmarinerError: the cluster cannot be read."""
    if params["bundle"]:
        return read_bundle(module, params)
    connection = open_connection(module, params)
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return read_snapshot(connection, params["cluster"] or connection.name, timeout=params["read_timeout"], taken_at=now)


def chosen(snapshot, wish):
    """The module's result.

    :raises SubmarinerError: the nodes are not known.
    """
    if not snapshot.nodes.known:
        raise SubmarinerError(
            f"{snapshot.cluster}: nodes could not be listed ({snapshot.nodes.where}: {snapshot.nodes.state}, {snapshot.nodes.detail}), "
            "so that nothing can be chosen."
        )
    made = plan(snapshot, wish)
    joined = snapshot.submariner
    return {
        "cluster": snapshot.cluster,
        "targets": {name: dict(each) for name, each in made.targets.items()},
        "pairs": [pair._asdict() for pair in made.sample.pairs],
        "left_out": dict(made.sample.left_out),
        "budget": made.budget._asdict(),
        "cluster_cidrs": list(parse_cidrs(joined.status_cluster_cidr).cidrs) if joined else [],
        "lines": list(made.lines),
    }


def main():
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    params = module.params
    try:
        declare_secrets(module, params)
        result = chosen(read(module, params), wish_of(params))
    except SubmarinerError as error:
        module.fail_json(msg=error.message, **error.details)
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
