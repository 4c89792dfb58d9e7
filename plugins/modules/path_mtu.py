#!/usr/bin/python
# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: path_mtu
short_description: Measure the path MTU from a node to others, and tell black holes from refusals and from dead paths
version_added: 0.1.0
author:
  - The fathom.submariner authors (@fathom-ansible)
description:
  - Runs on a node. Finds the largest packet that reaches each target with fragmentation forbidden (DF), by binary search with ICMP echo and with UDP, over IPv4
    and IPv6, through whatever the route to the address leads through. So the address chooses what is measured, the underlay (a node's own address), Calico's
    tunnel (an address on C(vxlan.calico) or C(tunl0), or a pod's), or Submariner's C(vx-submariner) (an address of 240.0.0.0/8).
  - Answers are V(open) (the largest tried arrives), V(refused) (somebody answered "fragmentation needed" and named an MTU that works, so that
    senders can adapt),
    V(black_hole) (small packets arrive, large ones vanish, and nobody says so), V(dead) (nothing arrives), and V(unknown) with what would tell.
  - Packets are sent whatever path MTU the host has cached (C(IP_PMTUDISC_PROBE)), so that a stale cache does not answer in place of the path. Where
    the host's own
    route says another size than the path, the result says so.
  - ICMP goes by ping sockets, which ordinary users may use where C(net.ipv4.ping_group_range) holds one of their groups, else by raw sockets, which
    need root. Where
    neither is allowed, ICMP is V(unknown) and UDP is tried in its place.
  - UDP goes to the port of a responder where one is given (M(fathom.submariner.path_responder)), else to a port where nobody listens, and takes
    "port unreachable" for an arrival. Hosts ration these answers and many firewalls forbid them, so silence on such a port is V(unknown), not V(dead).
  - ICMP and UDP to a responder measure the way there alone, since the answer is small or, with IPv4 echoes, may be fragmented. Run it on both nodes
    for both ways.
    An IPv6 echo comes back in its full size and counts both ways.
  - A size counts as lost only after O(retries) further packets. Nothing is written on the host. As any program's, its packets may make the host remember
    what routers say of a path.
extends_documentation_fragment:
  - fathom.submariner._attributes
  - fathom.submariner._attributes.info_module
options:
  name:
    description:
      - Name of the Node that the module runs on, for the result.
    type: str
    required: true
  cluster:
    description:
      - Inventory host of its cluster, for the result. Empty where the name of the Node says enough.
    type: str
    default: ""
  targets:
    description:
      - Where to measure to.
    type: list
    elements: dict
    required: true
    suboptions:
      address:
        description:
          - IPv4 or IPv6 address. A link-local one has its device after a percent sign.
        type: str
        required: true
      name:
        description:
          - Node of the address, for the result.
        type: str
        default: ""
      path:
        description:
          - What the address leads through, for the result.
        type: str
        choices: [underlay, calico, submariner, cross_cluster]
        default: underlay
      protocols:
        description:
          - Protocols to measure with.
        type: list
        elements: str
        choices: [icmp, udp]
        default: [icmp, udp]
      port:
        description:
          - UDP port of a responder on the target. V(0) takes a port where nobody listens.
        type: int
        default: 0
  max_mtu:
    description:
      - Largest packet to try, in bytes with its IP header. By default the MTU of the device that the route to the target leads to.
    type: int
  timeout:
    description:
      - Seconds that the answer to one packet is waited for.
    type: float
    default: 1.0
  retries:
    description:
      - Further packets of a size before it counts as lost.
    type: int
    default: 2
  packets:
    description:
      - Upper bound of the packets that are sent in all. A search that it cuts short is V(unknown).
    type: int
    default: 400
  workers:
    description:
      - Searches that run side by side.
    type: int
    default: 8
seealso:
  - module: fathom.submariner.path_probe
  - module: fathom.submariner.path_responder
"""

EXAMPLES = r"""
- name: Measure from this node to its neighbour, outside and inside of Calico's tunnel
  fathom.submariner.path_mtu:
    name: "{{ inventory_hostname }}"
    targets:
      - address: 10.0.0.12
        name: worker-2
      - address: 10.42.2.0
        name: worker-2
        path: calico
        protocols: [icmp]
  become: true
  register: measured

- name: Nothing may vanish in silence
  ansible.builtin.assert:
    that: measured.probes.paths | selectattr('answer', 'equalto', 'black_hole') | length == 0
    fail_msg: "{{ measured.lines | join('\n') }}"
"""

RETURN = r"""
probes:
  description: The document of kind C(NodeProbes), which M(fathom.submariner.diagnose) reads.
  returned: success
  type: dict
  contains:
    apiVersion:
      description: V(fathom.submariner/v1).
      returned: success
      type: str
    kind:
      description: V(NodeProbes).
      returned: success
      type: str
    metadata:
      description: O(name) and O(cluster).
      returned: success
      type: dict
    taken_at:
      description: When it was measured, RFC 3339 in UTC.
      returned: success
      type: str
    origin:
      description: V(host), or V(pod) where a probe pod ran it.
      returned: success
      type: str
    contrasts:
      description: Empty; see M(fathom.submariner.path_probe).
      returned: success
      type: list
      elements: dict
    paths:
      description: One entry a target and protocol, in order.
      returned: success
      type: list
      elements: dict
      contains:
        target:
          description: The address.
          returned: success
          type: str
        name:
          description: The node of the address.
          returned: success
          type: str
        path:
          description: What the address leads through.
          returned: success
          type: str
        family:
          description: V(4) or V(6).
          returned: success
          type: int
        protocol:
          description: V(icmp) or V(udp).
          returned: success
          type: str
        answer:
          description: V(open), V(refused), V(black_hole), V(dead) or V(unknown).
          returned: success
          type: str
        mtu:
          description: Largest packet that arrived, in bytes with its IP header; null when none did.
          returned: success
          type: int
        lost:
          description: Smallest packet that did not arrive; null when the largest tried did.
          returned: success
          type: int
        next_hop_mtu:
          description: Smallest MTU that a router or this host's own route named; null when none did.
          returned: success
          type: int
        reporter:
          description: Address of the router that named it; empty when it was this host.
          returned: success
          type: str
        link_mtu:
          description: MTU of the device that the route leads to.
          returned: success
          type: int
        device:
          description: Name of that device.
          returned: success
          type: str
        latency:
          description: Milliseconds of the smallest packets, C(least), C(median) and C(most); null when none was answered.
          returned: success
          type: dict
        packets:
          description: Packets sent.
          returned: success
          type: int
        bytes:
          description: Bytes sent, with IP headers.
          returned: success
          type: int
        why:
          description: What the answer rests on where it does not speak for itself.
          returned: success
          type: str
lines:
  description: The same for a person, one line an entry.
  returned: success
  type: list
  elements: str
packets:
  description: Packets sent in all.
  returned: success
  type: int
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fathom.submariner.plugins.module_utils._errors import SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_wire import PATHS, NodeProbes
from ansible_collections.fathom.submariner.plugins.module_utils._wire._document import now, probes_document
from ansible_collections.fathom.submariner.plugins.module_utils._wire._paths import PathSettings, PathTarget, path_line, probe_paths


def argument_spec():
    target = {
        "address": {"type": "str", "required": True},
        "name": {"type": "str", "default": ""},
        "path": {"type": "str", "choices": list(PATHS), "default": "underlay"},
        "protocols": {"type": "list", "elements": "str", "choices": ["icmp", "udp"], "default": ["icmp", "udp"]},
        "port": {"type": "int", "default": 0},
    }
    return {
        "name": {"type": "str", "required": True},
        "cluster": {"type": "str", "default": ""},
        "targets": {"type": "list", "elements": "dict", "required": True, "options": target},
        "max_mtu": {"type": "int"},
        "timeout": {"type": "float", "default": 1.0},
        "retries": {"type": "int", "default": 2},
        "packets": {"type": "int", "default": 400},
        "workers": {"type": "int", "default": 8},
    }


def main():
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    params = module.params
    taken_at = now()
    try:
        targets = [PathTarget(**{**each, "protocols": tuple(each["protocols"])}) for each in params["targets"]]
        settings = PathSettings(params["max_mtu"], params["timeout"], params["retries"], params["packets"], params["workers"])
        paths = probe_paths(targets, settings)
    except SubmarinerError as error:
        module.fail_json(msg=error.message, **error.details)
    probes = probes_document(NodeProbes(params["name"], taken_at, "", params["cluster"], paths=paths))
    module.exit_json(changed=False, probes=probes, lines=[path_line(each) for each in paths], packets=sum(each.packets for each in paths))


if __name__ == "__main__":
    main()
