#!/usr/bin/python
# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: node_probe
short_description: Probe the paths between nodes from pods, where nodes cannot be reached by SSH
version_added: 0.2.0
author:
  - The fathom.submariner authors (@fathom-ansible)
description:
  - Does from pods what M(fathom.submariner.path_responder), M(fathom.submariner.path_mtu), M(fathom.submariner.path_probe) and, as far as a pod sees it,
    M(fathom.submariner.node_info) do on hosts, with the same code. For clusters without SSH, such as ROKS.
  - Creates a Job with one pod on each node of O(targets) and a ConfigMap with their program, waits until all pods have reported, reads the reports from the
    pods' logs, and removes everything that it has created. It therefore needs the rights to create and delete these in O(namespace), and get on
    C(pods/log) there.
  - Whatever becomes of the run that made it, the Job ends O(wait_timeout) and a minute later, and removes itself with its pods and the ConfigMap. What a
    killed run has left is also removed by the next one, and by O(state=absent). Of a namespace that was created for it, an empty one stays until then.
  - The pods have no access to the API (no rights, no token). They run as root of their container with C(NET_RAW) and no other capability, which raw sockets
    take, on a read-only file system without any folder of the host.
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
      - With O(state=present) it probes anew each time, and leaves the cluster as it was.
options:
  state:
    description:
      - V(present) probes. V(absent) removes what a killed run has left in O(namespace).
    type: str
    choices: [present, absent]
    default: present
  image:
    description:
      - Image with C(python3) 3.8 or newer on its C(PATH), such as C(docker.io/library/python:3-slim) or one from a registry that the nodes reach. Where it
        has C(ip) of iproute2 4.14 or later, routes, rules and addresses are reported as well, else they are unknown.
      - Required for O(state=present).
    type: str
  namespace:
    description:
      - Namespace of the pods. Created where there is none, and removed again at the end.
    type: str
    default: fathom-submariner-probe
  targets:
    description:
      - What each node probes, by the Node's name, as RV(fathom.submariner.probe_targets_info#module:targets) has it.
      - Required for O(state=present).
    type: dict
  cluster:
    description:
      - Inventory host of the cluster, for the documents. O(name) when not given.
    type: str
  cluster_cidrs:
    description:
      - The cluster CIDRs as Submariner knows them, in which the CNI's interface is looked for.
    type: list
    elements: str
    default: []
  host_network:
    description:
      - Whether the pods are on their hosts' networks and see what the nodes see.
      - Without it, pings and DNS are sent through the pods' own devices, and that is all. Nothing is said of the hosts, and nobody answers exchanges.
    type: bool
    default: true
  image_pull_secrets:
    description:
      - Names of Secrets in O(namespace) with which the image is pulled.
    type: list
    elements: str
    default: []
  service_account:
    description:
      - Service account of the pods in O(namespace). Its token is not given to them. What it is for is OpenShift's choice of a security context constraint.
    type: str
    default: default
  port:
    description:
      - TCP and UDP port on which the pods answer each other, the one that is in O(targets).
    type: int
    default: 28470
  gather_timeout:
    description:
      - Seconds that a pod waits until the pods of its targets answer, since some nodes pull the image later than others. Then it probes all the same.
    type: float
    default: 90
  timeout:
    description:
      - Seconds that the answer to one packet is waited for.
    type: float
    default: 1.0
  retries:
    description:
      - Further packets before one counts as lost.
    type: int
    default: 2
  workers:
    description:
      - Probes that run side by side on a node.
    type: int
    default: 8
  packets:
    description:
      - Upper bound of the packets of a node's searches for path MTUs.
    type: int
    default: 400
  exchange_packets:
    description:
      - Upper bound of the packets of a node's exchanges, throughput aside.
    type: int
    default: 2000
  throughput_seconds:
    description:
      - Seconds for which the throughput of each probed path is measured. V(0) measures none.
    type: float
    default: 0
  throughput_bytes:
    description:
      - Upper bound of the bytes of one measurement of throughput.
    type: int
    default: 16777216
  dns_name:
    description:
      - Name that the cluster's DNS is asked for.
    type: str
    default: kubernetes.default.svc.cluster.local
  dns_large_name:
    description:
      - Name with a large record, as of O(fathom.submariner.path_probe#module:dns_large_name).
    type: str
    default: ""
  dns_large_type:
    description:
      - Type of that record.
    type: str
    choices: [A, AAAA, TXT, SRV, DNSKEY, ANY]
    default: TXT
seealso:
  - module: fathom.submariner.probe_targets_info
  - module: fathom.submariner.path_mtu
  - module: fathom.submariner.diagnose
"""

EXAMPLES = r"""
- name: Choose what to probe
  fathom.submariner.probe_targets_info:
    context: cluster-1
  register: chosen

- name: Probe it from pods
  fathom.submariner.node_probe:
    context: cluster-1
    name: cluster-1
    image: docker.io/library/python:3-slim
    targets: "{{ chosen.targets }}"
    cluster_cidrs: "{{ chosen.cluster_cidrs }}"
  register: probed

- name: Remove what a killed run has left
  fathom.submariner.node_probe:
    context: cluster-1
    state: absent
"""

RETURN = r"""
documents:
  description:
    - Documents of kind C(NodeProbes), whose C(origin) is V(pod), and with O(host_network) of kind C(NodeInfo), which M(fathom.submariner.diagnose) takes with
      O(fathom.submariner.diagnose#module:node_reports). What a pod does not see of its host is in C(unseen) of the latter.
  returned: always
  type: list
  elements: dict
missing:
  description: Nodes that were not probed, and why.
  returned: always
  type: dict
  sample: {"worker-3": "ImagePullBackOff: Back-off pulling image"}
notes:
  description: What the pods found, for a person.
  returned: always
  type: list
  elements: str
job:
  description: Namespace and name of the Job; empty with O(state=absent).
  returned: always
  type: str
  sample: fathom-submariner-probe/node-probe
lines:
  description: What was created and removed, or in check mode would be, a sentence each.
  returned: always
  type: list
  elements: str
needs_person:
  description: Changes that a person must make. This module asks for none.
  returned: always
  type: list
  elements: dict
disruptive:
  description: Always empty. Probing interrupts nothing.
  returned: always
  type: list
  elements: str
preconditions:
  description: In check mode, the objects as they are; for O(preconditions) of the real run.
  returned: always
  type: list
  elements: dict
run:
  description: Id of the run under which the writes are journalled; empty where nothing was written.
  returned: always
  type: str
  sample: 20261121-101500-a1b2c3
"""

from ansible_collections.fathom.submariner.plugins.module_utils._apply._node_probe import perform
from ansible_collections.fathom.submariner.plugins.module_utils._apply._task import run_remedy

ARGUMENT_SPEC = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "image": {"type": "str"},
    "namespace": {"type": "str", "default": "fathom-submariner-probe"},
    "targets": {"type": "dict"},
    "cluster": {"type": "str"},
    "cluster_cidrs": {"type": "list", "elements": "str", "default": []},
    "host_network": {"type": "bool", "default": True},
    "image_pull_secrets": {"type": "list", "elements": "str", "default": [], "no_log": False},
    "service_account": {"type": "str", "default": "default"},
    "port": {"type": "int", "default": 28470},
    "gather_timeout": {"type": "float", "default": 90},
    "timeout": {"type": "float", "default": 1.0},
    "retries": {"type": "int", "default": 2},
    "workers": {"type": "int", "default": 8},
    "packets": {"type": "int", "default": 400},
    "exchange_packets": {"type": "int", "default": 2000},
    "throughput_seconds": {"type": "float", "default": 0},
    "throughput_bytes": {"type": "int", "default": 16777216},
    "dns_name": {"type": "str", "default": "kubernetes.default.svc.cluster.local"},
    "dns_large_name": {"type": "str", "default": ""},
    "dns_large_type": {"type": "str", "choices": ["A", "AAAA", "TXT", "SRV", "DNSKEY", "ANY"], "default": "TXT"},
}


def main():
    run_remedy("node_probe", ARGUMENT_SPEC, perform, required_if=[("state", "present", ["image", "targets"])])


if __name__ == "__main__":
    main()
