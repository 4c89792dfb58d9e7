#!/usr/bin/python
# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: path_probe
short_description: Contrast small and large exchanges over TCP, UDP and DNS from a node to others
version_added: 0.1.0
author:
  - The fathom.submariner authors (@fathom-ansible)
description:
  - Runs on a node. Exchanges a small and a large payload with each target over TCP and UDP with a responder (M(fathom.submariner.path_responder)),
    and over DNS with
    a DNS server, and tells which of them fail. What fails separates faults that look alike. Large ones alone, the MTU; UDP alone, a firewall or an
    offload fault; everything, the route.
  - Answers are V(open), V(black_hole) (no answer), V(refused) (an answer, but a refusal, which RV(probes.contrasts[].why) quotes) and V(unknown).
  - Tells on which way an exchange stalled where that can be told, since the responder gives a receipt before it answers and remembers which datagrams it heard.
  - Contents are compared, so what was changed on its way is told (RV(probes.contrasts[].corrupt)). What arrives with a wrong checksum is dropped by
    the kernel before anybody sees it.
    RV(checksum_errors) counts these on this host, and what the responder's host counted stands in RV(probes.contrasts[].why).
  - A large exchange is tried only where the small one succeeded. Needs no root. Nothing is written on the host.
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
      - Whom to exchange with.
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
          - Protocols to exchange over.
        type: list
        elements: str
        choices: [tcp, udp, dns]
        default: [tcp, udp]
      port:
        description:
          - Port of the responder or of the DNS server. V(0) takes 28470 for a responder and 53 for DNS.
        type: int
        default: 0
      sizes:
        description:
          - Sizes to exchange.
        type: list
        elements: str
        choices: [small, large]
        default: [small, large]
  bytes:
    description:
      - Payload of a large exchange, at most 1048576, over UDP 65507. By default 16384 over TCP and 1372 over UDP.
    type: int
  dns_name:
    description:
      - Name that DNS is asked for the address of. Any answer counts, also that there is no such name.
    type: str
    default: "."
  dns_large_name:
    description:
      - Name with a large record, whose answer takes more than 512 bytes. Without one, no large answer is asked for and it is V(unknown).
    type: str
    default: ""
  dns_large_type:
    description:
      - Type of that record.
    type: str
    choices: [A, AAAA, TXT, SRV, DNSKEY, ANY]
    default: TXT
  unserved:
    description:
      - Responders that could not be started. Nothing is sent to them, and what was to be asked of them is V(unknown), with the reason.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description:
          - The Node, as O(targets[].name) has it.
        type: str
        required: true
      port:
        description:
          - The port.
        type: int
        required: true
      why:
        description:
          - The reason.
        type: str
        required: true
  throughput_seconds:
    description:
      - Measure the throughput to each responder over TCP for so many seconds, after a large exchange that succeeded, one at a time. V(0) measures none.
    type: float
    default: 0
  throughput_bytes:
    description:
      - Upper bound of the bytes of one throughput, however fast the path is.
    type: int
    default: 16777216
  timeout:
    description:
      - Seconds that an answer is waited for before the next try.
    type: float
    default: 1.0
  retries:
    description:
      - Further tries before an exchange counts as lost. TCP repeats by itself, and gets as much time in all.
    type: int
    default: 2
  packets:
    description:
      - Upper bound of the packets that are sent in all, those of throughputs aside. An exchange that it forbids is V(unknown).
    type: int
    default: 2000
  workers:
    description:
      - Targets that are tried side by side.
    type: int
    default: 8
seealso:
  - module: fathom.submariner.path_mtu
  - module: fathom.submariner.path_responder
"""

EXAMPLES = r"""
- name: Contrast small and large, and measure what the pair carries for two seconds
  fathom.submariner.path_probe:
    name: "{{ inventory_hostname }}"
    targets:
      - address: 10.42.2.0
        name: worker-2
        path: calico
    throughput_seconds: 2

- name: Ask the cluster's DNS
  fathom.submariner.path_probe:
    name: "{{ inventory_hostname }}"
    targets:
      - address: 10.43.0.10
        path: calico
        protocols: [dns]
    dns_name: kubernetes.default.svc.cluster.local
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
      description: When it was tried, RFC 3339 in UTC.
      returned: success
      type: str
    origin:
      description: V(host), or V(pod) where a probe pod ran it.
      returned: success
      type: str
    paths:
      description: Empty; see M(fathom.submariner.path_mtu).
      returned: success
      type: list
      elements: dict
    contrasts:
      description: One entry a target, protocol and size, in order.
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
          description: V(tcp), V(udp) or V(dns).
          returned: success
          type: str
        size:
          description: V(small) or V(large).
          returned: success
          type: str
        port:
          description: The port.
          returned: success
          type: int
        answer:
          description: V(open), V(black_hole), V(refused) or V(unknown).
          returned: success
          type: str
        corrupt:
          description: Whether an answer came whose contents were not what was sent.
          returned: success
          type: bool
        milliseconds:
          description: What the exchange took; null when it did not succeed.
          returned: success
          type: float
        megabits_per_second:
          description: Throughput as the target saw it, in units of 10^6 bits; null when none was measured.
          returned: success
          type: float
        packets:
          description: Packets sent; over TCP the kernel's count, with repetitions and acknowledgements.
          returned: success
          type: int
        bytes:
          description: Bytes sent, with IP headers.
          returned: success
          type: int
        direction:
          description: V(there) or V(back), the way on which it failed, where that could be told.
          returned: success
          type: str
        why:
          description: What the answer rests on.
          returned: success
          type: str
checksum_errors:
  description: Packets that this host's kernel dropped for wrong checksums meanwhile, by protocol; others' traffic counts, too.
  returned: success
  type: dict
  sample: {udp: 3}
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
from ansible_collections.fathom.submariner.plugins.module_utils._wire import _counters
from ansible_collections.fathom.submariner.plugins.module_utils._wire._contrasts import ContrastSettings, ContrastTarget, contrast_line, probe_contrasts
from ansible_collections.fathom.submariner.plugins.module_utils._wire._document import now, probes_document


def argument_spec():
    target = {
        "address": {"type": "str", "required": True},
        "name": {"type": "str", "default": ""},
        "path": {"type": "str", "choices": list(PATHS), "default": "underlay"},
        "protocols": {"type": "list", "elements": "str", "choices": ["tcp", "udp", "dns"], "default": ["tcp", "udp"]},
        "port": {"type": "int", "default": 0},
        "sizes": {"type": "list", "elements": "str", "choices": ["small", "large"], "default": ["small", "large"]},
    }
    unserved = {"name": {"type": "str", "required": True}, "port": {"type": "int", "required": True}, "why": {"type": "str", "required": True}}
    return {
        "name": {"type": "str", "required": True},
        "cluster": {"type": "str", "default": ""},
        "targets": {"type": "list", "elements": "dict", "required": True, "options": target},
        "bytes": {"type": "int"},
        "dns_name": {"type": "str", "default": "."},
        "dns_large_name": {"type": "str", "default": ""},
        "dns_large_type": {"type": "str", "choices": ["A", "AAAA", "TXT", "SRV", "DNSKEY", "ANY"], "default": "TXT"},
        "unserved": {"type": "list", "elements": "dict", "default": [], "options": unserved},
        "throughput_seconds": {"type": "float", "default": 0},
        "throughput_bytes": {"type": "int", "default": 16777216},
        "timeout": {"type": "float", "default": 1.0},
        "retries": {"type": "int", "default": 2},
        "packets": {"type": "int", "default": 2000},
        "workers": {"type": "int", "default": 8},
    }


def targets_of(params):
    """The targets, those marked to which no responder could be started."""
    reasons = {(each["name"], each["port"]): each["why"] for each in params["unserved"]}
    return [
        ContrastTarget(
            **{**each, "protocols": tuple(each["protocols"]), "sizes": tuple(each["sizes"]), "unserved": reasons.get((each["name"], each["port"]), "")}
        )
        for each in params["targets"]
    ]


def main():
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    params = module.params
    taken_at = now()
    before = _counters.checksum_errors()
    try:
        targets = targets_of(params)
        settings = ContrastSettings(**{name: params[name] for name in ContrastSettings._fields})
        contrasts = probe_contrasts(targets, settings)
    except SubmarinerError as error:
        module.fail_json(msg=error.message, **error.details)
    module.exit_json(
        changed=False,
        probes=probes_document(NodeProbes(params["name"], taken_at, "", params["cluster"], contrasts=contrasts)),
        checksum_errors=_counters.since(before, _counters.checksum_errors()),
        lines=[contrast_line(each) for each in contrasts],
        packets=sum(each.packets for each in contrasts),
    )


if __name__ == "__main__":
    main()
