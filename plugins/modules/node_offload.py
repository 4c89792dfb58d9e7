#!/usr/bin/python
# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: node_offload
short_description: Offload features of network devices switched off, now and whenever the device appears
version_added: 0.1.0
author:
  - The fathom.submariner authors (@fathom-ansible)
description:
  - Network cards and hypervisors that miscalculate the checksum of packets inside VXLAN make TCP and UDP between nodes fail while ping works.
    Felix can switch the offload off on C(vxlan.calico), and on nothing of Submariner's. It runs on the node.
  - Switches features off with C(ethtool), and keeps a rule of udev in C(/etc/udev/rules.d/90-fathom-submariner-offload.rules) that does so whenever the
    device appears, at boot as well as when Calico or Submariner makes it anew.
  - What cannot be switched off is an error before anything is changed.
  - Runs add up. What earlier ones named, and this one does not, stays as it is unless O(exclusive=true).
  - The file remembers what was on. O(state=absent), and O(exclusive=true) for what is not named, switches that on again.
    A device that was made later keeps its features off until it is made anew.
extends_documentation_fragment:
  - fathom.submariner._attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  devices:
    description:
      - Devices and their features. Required with O(state=present).
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Name of the device, or a pattern of C(*) and C(?). It need not exist yet.
        type: str
        required: true
      features:
        description:
          - Features to be off, as C(ethtool -k) lists them.
          - For a card under the tunnel V(tx-udp_tnl-segmentation) and V(tx-udp_tnl-csum-segmentation) are often enough.
        type: list
        elements: str
        default: [tx-checksumming]
  allow_disruption:
    description:
      - Consent to what can interrupt traffic. It is refused without it, before anything is written, and check mode says that it would be.
    type: bool
    default: false
  exclusive:
    description:
      - Keep no other features off than those of O(devices). What an earlier run switched off, and this one does not name, is switched on again,
        which needs O(allow_disruption).
      - With V(false), what earlier runs have set up stays as it is.
    type: bool
    default: false
  state:
    description:
      - V(present) sets up what the other options say. V(absent) takes out all that earlier runs have set up, whatever else is named.
    type: str
    choices: [present, absent]
    default: present
requirements:
  - ethtool
  - udev
"""

EXAMPLES = r"""
- name: Let no card calculate checksums inside Submariner's tunnels
  fathom.submariner.node_offload:
    devices:
      - name: vx-submariner
      - name: vxlan-tunnel
      - name: ens192
        features: [tx-udp_tnl-segmentation, tx-udp_tnl-csum-segmentation]
    allow_disruption: true
  become: true
"""

RETURN = r"""
lines:
  description: What was done, or in check mode would be done, a sentence each. After a failure, what was changed before it.
  returned: always
  type: list
  elements: str
disruptive:
  description: What of it can interrupt traffic.
  returned: always
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fathom.submariner.plugins.module_utils._node._host import Host
from ansible_collections.fathom.submariner.plugins.module_utils._node._write_offload import apply_offload, remove_offload
from ansible_collections.fathom.submariner.plugins.module_utils._node._write_outcome import Outcome
from ansible_collections.fathom.submariner.plugins.module_utils._node._write_task import carry_out


def main():
    module = AnsibleModule(
        argument_spec={
            "devices": {
                "type": "list",
                "elements": "dict",
                "default": [],
                "options": {
                    "name": {"type": "str", "required": True},
                    "features": {"type": "list", "elements": "str", "default": ["tx-checksumming"]},
                },
            },
            "allow_disruption": {"type": "bool", "default": False},
            "exclusive": {"type": "bool", "default": False},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        supports_check_mode=True,
    )
    params = module.params
    outcome = Outcome(module.check_mode, params["allow_disruption"])

    def work():
        if params["state"] == "present":
            apply_offload(Host(), params["devices"], outcome, exclusive=params["exclusive"])
        else:
            remove_offload(Host(), outcome)

    carry_out(module, outcome, work)


if __name__ == "__main__":
    main()
