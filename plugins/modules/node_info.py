#!/usr/bin/python
# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: node_info
short_description: Read from a node's own host what Calico and Submariner need of it
version_added: 0.1.0
author:
  - The fathom.submariner authors (@fathom-ansible)
description:
  - Runs on a node, not against an API server. Reads its kernel and modules, ipset, sysctls, links with their offload features, routes and rules, the CNI's
    interface as Submariner finds it, Calico's and CNI's files, connection tracking, NetworkManager, services, the clock, listeners and firewall rules.
  - Returns one document, which M(fathom.submariner.diagnose) takes with O(fathom.submariner.diagnose#module:node_reports) and which a bundle may hold, so that
    a node read by SSH and a node in a bundle look alike.
  - Nothing is changed, and no kernel module is loaded by asking for it.
  - Needs no root for what the kernel tells everybody. What it could not see is in C(unseen) of the document, with the reason, and is never guessed. Without
    root that are ipset's revisions and sets, the firewall's rules and on most nodes Calico's CNI configuration.
  - Needs Python's standard library alone. Links, routes and rules come from C(ip -j) of iproute2 4.14 or later, where there is one.
extends_documentation_fragment:
  - fathom.submariner._attributes
  - fathom.submariner._attributes.info_module
options:
  name:
    description:
      - Name of the host's Node object.
    type: str
    required: true
  cluster:
    description:
      - Inventory host of the node's cluster. Without one the document is taken for that of any cluster that has a Node of this O(name).
    type: str
    default: ""
  cluster_cidrs:
    description:
      - The cluster CIDRs as Submariner knows them (C(.status.clusterCIDR) of its Submariner object, a list where that holds several).
      - The CNI's interface is looked for in them as Submariner's route agent does. For each in turn, the first interface by index with an IPv4 address inside.
        Without any C(cni) is unknown.
    type: list
    elements: str
    default: []
  ports:
    description:
      - Further ports whose listeners and firewall rules matter, such as another port of VXLAN or of NAT traversal than the usual ones.
    type: list
    elements: int
    default: []
  asked_at:
    description:
      - Seconds since the epoch by the clock of who asks, at the moment of asking, as in the example, which Ansible evaluates on the controller.
      - C(now(utc=true).timestamp()) is them only where the controller's time zone is UTC.
      - Without it the clock's offset is unknown.
    type: float
  asked_within:
    description:
      - Seconds that may pass between O(asked_at) and this module's start. The offset is known to half of them, no better.
    type: float
    default: 30.0
seealso:
  - module: fathom.submariner.diagnose
  - module: fathom.submariner.collect
"""

EXAMPLES = r"""
- name: Read the nodes
  hosts: submariner_nodes
  gather_facts: false
  become: true
  tasks:
    - name: Ask the host
      fathom.submariner.node_info:
        name: "{{ submariner_node_name | default(inventory_hostname) }}"
        cluster: "{{ submariner_cluster | default('') }}"
        cluster_cidrs: [10.42.0.0/16]
        asked_at: "{{ (now(utc=true).replace(tzinfo=none) - ('1970-01-01 00:00:00' | to_datetime)).total_seconds() }}"
      register: answer

    - name: Keep its document
      ansible.builtin.copy:
        content: "{{ answer.host | to_nice_json }}"
        dest: "./nodes/{{ inventory_hostname }}.json"
        mode: "0600"
      delegate_to: localhost
      become: false
"""

RETURN = r"""
host:
  description:
    - The document. In entries of lists a field is left out where it has its default (empty, 0, false or unknown).
  returned: success
  type: dict
  contains:
    apiVersion:
      description: Always V(fathom.submariner/v1).
      type: str
    kind:
      description: Always V(NodeInfo).
      type: str
    metadata:
      description: C(name) and C(cluster), as given.
      type: dict
    taken_at:
      description: When it was read, by this host's clock.
      type: str
      sample: "2026-11-21T11:18:24Z"
    system:
      description: C(kernel), C(distribution), C(version), C(like), C(architecture), C(booted_at) and C(virtualisation).
      type: dict
    modules:
      description:
        - Kernel modules that Calico's dataplanes and tunnels and Submariner's cables need, each V(loaded), V(builtin), V(loadable) or V(missing).
        - One whose state nothing tells is not named.
      type: dict
      sample: {"ip_set": "loaded", "vxlan": "loadable", "ipip": "missing"}
    modules_barred:
      description: Those of them that C(modprobe.d) keeps from being loaded, with the line that does.
      type: dict
    ipset:
      description: C(protocol), C(types) with the lowest and highest revision that the kernel offers of each, C(sets) and the version of the C(tool).
      type: dict
      sample: {"protocol": 7, "types": {"hash:ip": [0, 6]}, "sets": ["cali40all-ipam-pools"], "tool": "7.19"}
    sysctls:
      description: Those that matter and that this kernel has.
      type: dict
      sample: {"net.ipv4.ip_forward": "1"}
    links:
      description:
        - Every link with C(name), C(index), C(mtu), C(kind), C(up), C(running), C(mac), C(parent), C(master), C(driver), C(addresses), C(vxlan) (C(id),
          C(port), C(local), C(group), C(parent)), C(rp_filter), C(rp_filter_acting) (the larger of its own and that of C(all)), C(forwarding) and C(offloads).
        - The ends of pods' links (C(cali*)) are not asked for their C(offloads).
      type: list
      elements: dict
    routes:
      description: Of tables C(main), C(149) and C(150), and of those that a rule leads to. One for each next hop, at most 4000.
      type: list
      elements: dict
    rules:
      description: Policy routing rules.
      type: list
      elements: dict
    cni:
      description: The CNI's interface as Submariner finds it (C(name), C(address), C(cluster_cidr), C(looked_in)). With an empty C(name) there is none.
      type: dict
    calico:
      description:
        - What C(/var/lib/calico/mtu) says (C(mtu_file)), and the C(conflist) that the container runtime takes, with its plugins and MTU.
        - Where that file is Multus', its plugins are followed by those that every pod's own network has.
      type: dict
    conntrack:
      description: C(maximum) and C(count) of tracked connections.
      type: dict
    network_manager:
      description: Its C(state), the devices that it leaves alone (C(unmanaged)), and the C(files) that say so.
      type: dict
    services:
      description: C(nm-cloud-setup), C(firewalld), C(ufw) and C(docker), each with C(name), C(state) and C(enabled).
      type: list
      elements: dict
    clock:
      description: Whether it is C(synchronised), and by how many seconds it is ahead (C(offset)) within C(uncertainty).
      type: dict
    listeners:
      description: Sockets on the ports of Calico and Submariner, those of VXLAN devices among them.
      type: list
      elements: dict
    firewall:
      description:
        - Rules of iptables and nftables that decide over those ports, or over all, and the jumps that lead to them (with C(target)), in the tools' order.
        - Those of Calico and kube-proxy are left out, but for the jump into Calico's chain for what comes in.
      type: list
      elements: dict
    unseen:
      description: Fields that could not be read, wholly or in part (C(what)), and C(why).
      type: list
      elements: dict
      sample: [{"what": "ipset", "why": "the kernel answers only root: Operation not permitted (user id 1000)"}]
"""

import ipaddress
import math

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._node._host import Host
from ansible_collections.fathom.submariner.plugins.module_utils._node._read import Question, read_node
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._node_documents import document_of


def argument_spec():
    return {
        "name": {"type": "str", "required": True},
        "cluster": {"type": "str", "default": ""},
        "cluster_cidrs": {"type": "list", "elements": "str", "default": []},
        "ports": {"type": "list", "elements": "int", "default": []},
        "asked_at": {"type": "float"},
        "asked_within": {"type": "float", "default": 30.0},
    }


def question_of(params):
    """:raises InputError: something among cluster_cidrs is no network: no interface would be inside it, which would look like a finding; or a time is no
    number, against which every clock would be right.
    """
    for cidr in params["cluster_cidrs"]:
        try:
            ipaddress.ip_network(cidr, strict=False)
        except ValueError as error:
            raise InputError(f"cluster_cidrs: {error}. Nothing was read.") from error
    for option in ("asked_at", "asked_within"):
        if params[option] is not None and not math.isfinite(params[option]):
            raise InputError(f"{option}: {params[option]} is no number of seconds. Nothing was read.")
    return Question(
        params["name"],
        params["cluster"],
        tuple(params["cluster_cidrs"]),
        tuple(params["ports"]),
        params["asked_at"],
        params["asked_within"],
    )


def main():
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    try:
        question = question_of(module.params)
    except SubmarinerError as error:
        module.fail_json(msg=error.message, **error.details)
    module.exit_json(changed=False, host=document_of(read_node(Host(), question)))


if __name__ == "__main__":
    main()
