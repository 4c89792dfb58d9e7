#!/usr/bin/python
# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: node_fitness
short_description: Judge whether nodes are fit to carry Calico and Submariner
version_added: 0.1.0
author:
  - The fathom.submariner authors (@fathom-ansible)
description:
  - Judges documents of M(fathom.submariner.node_info), before a cluster is built of these nodes or one of them is added to a cluster. It talks to no node and
    to no cluster.
  - A node is V(fit), V(unfit) for reasons that name the role which repairs them on the host, or V(unknown) with what could not be seen.
  - Names the nodes that no repair of the host makes fit for Calico in the shape that role P(fathom.submariner.calico_node_placement#role) takes. Those are of
    an architecture without images, or their kernels lack modules.
extends_documentation_fragment:
  - fathom.submariner._attributes
  - fathom.submariner._attributes.info_module
options:
  node_reports:
    description:
      - Files with documents of M(fathom.submariner.node_info), and folders of C(*.json) files, on the host that runs this.
    type: list
    elements: path
    default: []
  documents:
    description:
      - Documents themselves, as M(fathom.submariner.node_info) returns them in RV(fathom.submariner.node_info#module:host).
    type: list
    elements: dict
    default: []
  nodes:
    description:
      - Names of nodes that are to be judged, each with its cluster and a slash before it where that is known, as V(cluster-1/worker-1). One without a
        document is V(unknown). Documents of others are judged, too.
    type: list
    elements: str
    default: []
  data_plane:
    description:
      - Data plane of Calico that is planned, V(none) for nodes without Calico.
    type: str
    choices: [iptables, nftables, ebpf, none]
    default: iptables
  encapsulations:
    description:
      - Encapsulations of Calico that are planned.
    type: list
    elements: str
    choices: [ipip, vxlan, vxlan-v6, wireguard, wireguard-v6]
    default: [vxlan]
  calico_version:
    description:
      - Release of Calico that is planned, such as V(v3.31.5). Without one it is unknown whether its ipset goes with newer kernels.
    type: str
    default: ""
  cable_driver:
    description:
      - Submariner's cable driver that is planned, V(none) for nodes without Submariner.
    type: str
    choices: [libreswan, wireguard, vxlan, none]
    default: libreswan
  gateways:
    description:
      - Names of the nodes that are to carry a gateway. Ports of the cable are looked at on them alone.
      - Each must be that of a document or one of O(nodes), spelled as there. A name that is neither, such as a short one of a node with a full one, is refused.
    type: list
    elements: str
    default: []
  pod_cidrs:
    description:
      - The pods' ranges of the cluster. A node with an address of its own in them is unfit.
    type: list
    elements: str
    default: []
  ipv6:
    description:
      - Whether pods get IPv6 addresses.
    type: bool
    default: false
  bgp:
    description:
      - Whether Calico is to run BGP.
    type: bool
    default: false
  typha:
    description:
      - Whether Calico is to run Typha, as the operator makes it do.
    type: bool
    default: false
  vxlan_port:
    description:
      - UDP port of Calico's VXLAN.
    type: int
    default: 4789
  cable_port:
    description:
      - UDP port of the cable (C(ceIPSecNATTPort)).
    type: int
    default: 4500
  running:
    description:
      - Whether Calico runs on these nodes already, so that what listens on its ports is Calico's.
    type: bool
    default: false
seealso:
  - module: fathom.submariner.node_info
  - module: fathom.submariner.calico_node_placement
"""

EXAMPLES = r"""
- name: Judge the nodes that were read
  fathom.submariner.node_fitness:
    node_reports: [./nodes]
    data_plane: iptables
    encapsulations: [vxlan]
    calico_version: v3.31.5
    cable_driver: libreswan
    pod_cidrs: [10.42.0.0/16]
  delegate_to: localhost
  run_once: true
  register: fitness

- name: Build the cluster of fit nodes alone
  ansible.builtin.group_by:
    key: "{{ 'fit' if (submariner_node_name | default(inventory_hostname)) in fitness.fit else 'unfit' }}_nodes"
"""

RETURN = r"""
nodes:
  description: Every node with its verdict, by name.
  returned: success
  type: list
  elements: dict
  contains:
    node:
      description: Name of the Node.
      type: str
    cluster:
      description: Its cluster, empty where neither its document nor O(nodes) names one.
      type: str
    verdict:
      description:
        - V(fit), V(unfit) or V(unknown). A node is unfit for one reason of severity V(error), whatever else could not be seen.
        - It is unknown where something was not seen that could make it unfit. What would be a remark at the most leaves it fit.
      type: str
    reasons:
      description:
        - What is not as it must be, with C(severity), C(what), C(field), C(value), C(note), the C(role) that repairs it, and whether it keeps C(calico) off.
      type: list
      elements: dict
    unknown:
      description: What could not be judged, and why.
      type: list
      elements: str
fit:
  description: Names of the fit nodes.
  returned: success
  type: list
  elements: str
unfit:
  description: Names of the unfit nodes.
  returned: success
  type: list
  elements: str
unknown:
  description: Names of nodes that could not be judged.
  returned: success
  type: list
  elements: str
placement:
  description:
    - By cluster, the variables of role P(fathom.submariner.calico_node_placement#role) that keep calico-node off the nodes that cannot run it. Nodes that a
      role can repair are not among them. Clusters without such nodes are left out.
  returned: success
  type: dict
  sample:
    cluster-1:
      calico_node_placement_mode: exclude
      calico_node_placement_nodes: [jetson-1]
      calico_node_placement_state: present
lines:
  description: The verdicts for people.
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_arithmetic import IPIP, VXLAN, VXLAN_V6, WIREGUARD, WIREGUARD_V6
from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_fitness import FIT, UNFIT, UNKNOWN, judge_nodes, without_document
from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_fitness_words import lines, placement
from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_plan import NodePlan
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import parse_cidrs
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._node_documents import NODE_INFO, record_of
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._node_reports import NODE_REPORTS_ARGUMENT_SPEC, given_reports
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_node_host import NodeHost

TUNNELS = {"ipip": IPIP, "vxlan": VXLAN, "vxlan-v6": VXLAN_V6, "wireguard": WIREGUARD, "wireguard-v6": WIREGUARD_V6}
NONE = "none"


def argument_spec():
    return {
        **NODE_REPORTS_ARGUMENT_SPEC,
        "documents": {"type": "list", "elements": "dict", "default": []},
        "nodes": {"type": "list", "elements": "str", "default": []},
        "data_plane": {"type": "str", "default": "iptables", "choices": ["iptables", "nftables", "ebpf", NONE]},
        "encapsulations": {"type": "list", "elements": "str", "default": ["vxlan"], "choices": list(TUNNELS)},
        "calico_version": {"type": "str", "default": ""},
        "cable_driver": {"type": "str", "default": "libreswan", "choices": ["libreswan", "wireguard", "vxlan", NONE]},
        "gateways": {"type": "list", "elements": "str", "default": []},
        "pod_cidrs": {"type": "list", "elements": "str", "default": []},
        "ipv6": {"type": "bool", "default": False},
        "bgp": {"type": "bool", "default": False},
        "typha": {"type": "bool", "default": False},
        "vxlan_port": {"type": "int", "default": 4789},
        "cable_port": {"type": "int", "default": 4500},
        "running": {"type": "bool", "default": False},
    }


def plan_of(params):
    """:raises InputError: a range of pods is none."""
    problems = parse_cidrs(params["pod_cidrs"]).problems
    if problems:
        raise InputError(f"pod_cidrs: {problems[0]}")
    return NodePlan(
        data_plane="" if params["data_plane"] == NONE else params["data_plane"],
        tunnels=tuple(TUNNELS[name] for name in params["encapsulations"]),
        cable="" if params["cable_driver"] == NONE else params["cable_driver"],
        calico=params["calico_version"],
        **{name: params[name] for name in ("ipv6", "bgp", "typha", "vxlan_port", "cable_port", "running")},
    )


def hosts_of(module, params):
    """The newest document of each node of each cluster.

    :raises InputError: one cannot be read or is none.
    """
    records = [*given_reports(module, params), *(record_of(entry, f"documents[{number}]") for number, entry in enumerate(params["documents"]))]
    newest = {}
    for record in sorted((record for record in records if isinstance(record, NodeHost)), key=lambda entry: entry.taken_at):
        newest[record.cluster, record.node] = record
    return [newest[key] for key in sorted(newest)]


def judged(module, params):
    plan, hosts = plan_of(params), hosts_of(module, params)
    named = [(cluster, name) for cluster, _slash, name in (entry.rpartition("/") for entry in params["nodes"])]
    clusters = {name: cluster for cluster, name in named}
    # A document that names no cluster is of the one that the list of nodes has for it.
    hosts = [host._replace(cluster=host.cluster or clusters.get(host.node, "")) for host in hosts]
    _require_gateways(params["gateways"], {host.node for host in hosts} | set(clusters))
    found = list(judge_nodes(hosts, plan, params["pod_cidrs"], params["gateways"]))
    there = {(host.cluster, host.node) for host in hosts}
    why = f"there is no document of kind {NODE_INFO} of it: its host was not reached, or not read"
    found += [without_document(name, cluster, why) for cluster, name in named if (cluster, name) not in there]
    if not found:
        raise InputError("There is nothing to judge: node_reports, documents and nodes name no node.")
    return sorted(found, key=lambda entry: (entry.cluster, entry.node))


def _require_gateways(gateways, names):
    """:raises InputError: one is no node's name: that node would be judged as if it carried no gateway."""
    strange = [name for name in gateways if name not in names]
    if strange and names:
        raise InputError(f"gateways: no node is called {', '.join(strange)}; there are {', '.join(sorted(names))}. Write their names as the Nodes have them.")


def main():
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    try:
        found = judged(module, module.params)
    except SubmarinerError as error:
        module.fail_json(msg=error.message, **error.details)
    module.exit_json(
        changed=False,
        nodes=[{**entry._asdict(), "reasons": [reason._asdict() for reason in entry.reasons], "unknown": list(entry.unknown)} for entry in found],
        placement=placement(found),
        lines=lines(found),
        **{verdict: [entry.node for entry in found if entry.verdict == verdict] for verdict in (FIT, UNFIT, UNKNOWN)},
    )


if __name__ == "__main__":
    main()
