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
    active gateway, through C(vx-submariner). Gateways also probe the gateways of other clusters, and with a few other nodes what answers health checks there,
    by ping, and with O(remote_responders) over TCP and UDP as well.
  - The cluster's DNS is asked by its Service's address, by a pod on another node and by one on the same node, so that a server, a Service and a path are told
    apart.
  - RV(lines) say what is probed and why, what is not, and how many packets, bytes and seconds it takes at the most.
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
  ports:
    description:
      - UDP ports that are tried besides, with a small datagram for each chosen pair between the nodes' own addresses, such as V(4800) before a join.
      - V(4500), V(4490) and V(500) are tried between gateways alone.
      - A responder is needed on each of them, on the addresses that C(answers_on_ports) of RV(targets) names.
    type: list
    elements: int
    default: []
  gateways:
    description:
      - Names of the Nodes that become gateways, beside those that are labelled C(submariner.io/gateway=true) already.
    type: list
    elements: str
    default: []
  remote_gateways:
    description:
      - Nodes of other clusters that are, or become, gateways there. Those of O(ports) that the cable needs are tried with them as well, from each gateway of
        this cluster, and a ping.
      - A responder is needed there, too. This cluster's gateways are told to answer on these ports.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description:
          - What it is called in results, such as its cluster and its Node.
        type: str
        required: true
      address:
        description:
          - Address by which it is reached from this cluster. One of this cluster's own nodes is passed over, so that all clusters can be given one list.
        type: str
        required: true
  remote_responders:
    description:
      - Whether the gateways of other clusters have responders on O(port), too, such as when their nodes take part in the same run.
      - Then TCP and UDP are exchanged with them through the cable, and this cluster's gateways are told to answer on their own health-check addresses.
      - With Globalnet these take pings alone, so that nothing else is sent to them.
    type: bool
    default: false
  remote_dns:
    description:
      - DNS servers of other clusters, which are asked through the cable. This cluster's API does not show them.
    type: list
    elements: dict
    default: []
    suboptions:
      cluster:
        description:
          - The other cluster's id in the clusterset.
        type: str
        required: true
      address:
        description:
          - Its address, such as the clusterIP of the DNS Service there. With Globalnet it is not reached.
        type: str
        required: true
      port:
        description:
          - Its UDP port.
        type: int
        default: 53
  dns_large_name:
    description:
      - The name with a large record that M(fathom.submariner.path_probe) is going to ask for (O(fathom.submariner.path_probe#module:dns_large_name)). DNS is
        asked for small answers alone when empty, since no name of a cluster is sure to have a large one.
    type: str
    default: ""
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
  description:
    - Of each node the targets of C(path_mtu) and of C(path_probe), the addresses that its responder is probed on (C(answers_on)), and for each of O(ports) the
      C(port) and the C(addresses) that a responder is wanted on (C(answers_on_ports)).
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
  description: How many pairs of each reason were left out, by O(pairs) or, of gateways with gateways, beyond 50 others for each gateway.
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

from ansible_collections.fathom.submariner.plugins.module_utils._calico._probe_targets import DnsServer, RemoteGateway, Wish, plan
from ansible_collections.fathom.submariner.plugins.module_utils._errors import SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._module import declare_secrets, open_connection
from ansible_collections.fathom.submariner.plugins.module_utils._kube._options import AUTH_ARGUMENT_SPEC
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import parse_cidrs
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_module import BUNDLE_ARGUMENT_SPEC, read_bundle
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._live import read_snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._wire._bounds import require_address, require_number, require_numbers

NUMBERS = (
    "neighbours",
    "pairs",
    "port",
    "max_mtu",
    "timeout",
    "retries",
    "workers",
    "packets",
    "exchange_packets",
    "throughput_seconds",
    "throughput_bytes",
    "read_timeout",
)


def argument_spec():
    server = {
        "cluster": {"type": "str", "required": True},
        "address": {"type": "str", "required": True},
        "port": {"type": "int", "default": 53},
    }
    gateway = {"name": {"type": "str", "required": True}, "address": {"type": "str", "required": True}}
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
        "ports": {"type": "list", "elements": "int", "default": []},
        "gateways": {"type": "list", "elements": "str", "default": []},
        "remote_gateways": {"type": "list", "elements": "dict", "default": [], "options": gateway},
        "remote_responders": {"type": "bool", "default": False},
        "remote_dns": {"type": "list", "elements": "dict", "default": [], "options": server},
        "dns_large_name": {"type": "str", "default": ""},
        "read_timeout": {"type": "float", "default": 60},
    }


def wish_of(params):
    """:raises InputError: a number cannot be used."""
    require_numbers({option: params[option] for option in NUMBERS}, zero=("port",))
    for port in params["ports"]:
        require_number("port", port, where="ports")
    for gateway in params["remote_gateways"]:
        require_address(gateway["address"], "remote_gateways")
    for server in params["remote_dns"]:
        require_address(server["address"], "remote_dns")
        require_number("port", server["port"], where=f"remote_dns: {server['address']}")
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
        ports=tuple(params["ports"]),
        gateways=tuple(params["gateways"]),
        remote_gateways=tuple(RemoteGateway(**gateway) for gateway in params["remote_gateways"]),
        remote_responders=params["remote_responders"],
        remote_dns=tuple(DnsServer(**server) for server in params["remote_dns"]),
        large_dns=bool(params["dns_large_name"]),
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
        wish = wish_of(params)
        result = chosen(read(module, params), wish)
    except SubmarinerError as error:
        module.fail_json(msg=error.message, **error.details)
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
