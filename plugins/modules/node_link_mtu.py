#!/usr/bin/python
# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: node_link_mtu
short_description: The MTU of a node's link, now and at boot, taken back when the host does not answer afterwards
version_added: 0.1.0
author:
  - The fathom.submariner authors (@fathom-ansible)
description:
  - Changes the MTU of a link on a node's host. It runs on the node. Role P(fathom.submariner.node_link_mtu#role) has the tasks around it.
  - Whatever sets the link up keeps the MTU. For netplan that is a file of ours that is read last, for systemd-networkd a drop-in of ours, for NetworkManager
    the connection (C(nmcli connection modify)), for network-scripts and wicked the one line in the C(ifcfg) file.
    Where two of them claim the link, or none does, or what does is shared with other links, the change is refused.
  - A running link is changed in two tasks. The first one (O(state=present)) starts a script that puts all MTUs back after O(timeout) seconds, and then
    changes the link. The second one (O(state=confirmed)), over a connection made after that, ends the script and writes the file.
    If it does not come, because the host does not answer, or whoever runs Ansible has gone, the script takes the change back.
  - Nothing is written to a file before the confirmation, so that a boot in between brings the former MTU as well.
  - Refused are an MTU that the driver cannot do, one on a port of a bond or team, which has its master's, one of a bridge that a port of it has not,
    one of a bridge's port that the bridge would not fit into, and less than 1280 bytes on a link with IPv6 addresses.
  - Warns of VXLAN devices on the link that do not fit into its new MTU. Nothing lowers them with it.
  - NetworkManager's connection is changed and not applied anew, since that takes away addresses and routes that others have set on the link.
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
  device:
    description:
      - The link.
    type: str
    required: true
  mtu:
    description:
      - Its MTU in bytes. Required with O(state=present).
    type: int
  timeout:
    description:
      - After how many seconds a change that was not confirmed is taken back. At least V(5).
    type: int
    default: 60
  token:
    description:
      - What the first task returned in RV(pending). Required with O(state=confirmed).
    type: str
  allow_disruption:
    description:
      - Consent to what can interrupt traffic. It is refused without it, before anything is written, and check mode says that it would be.
    type: bool
    default: false
  state:
    description:
      - V(present) has the link have O(mtu). V(absent) puts back what was before, in the same two tasks. V(confirmed) is the second task of either.
    type: str
    choices: [present, absent, confirmed]
    default: present
notes:
  - What was before is kept in C(/var/lib/fathom-submariner/link-mtu) until O(state=absent).
  - Pods, tunnels and Submariner's devices follow the link by themselves or not, as M(fathom.submariner.calico_mtu) describes.
seealso:
  - module: fathom.submariner.calico_mtu
"""

EXAMPLES = r"""
- name: Try jumbo frames
  fathom.submariner.node_link_mtu:
    device: ens192
    mtu: 9000
    allow_disruption: true
  register: tried
  become: true

- name: Connect anew
  ansible.builtin.meta: reset_connection

- name: Keep them, now that the host has answered
  fathom.submariner.node_link_mtu:
    device: ens192
    token: "{{ tried.pending.token }}"
    state: confirmed
  become: true
  when: tried.pending | length > 0
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
device:
  description: The link.
  returned: success
  type: str
manager:
  description: What sets it up, V(netplan), V(NetworkManager), V(systemd-networkd) or V(ifcfg).
  returned: success
  type: str
where:
  description: The file that keeps the MTU, or the name of NetworkManager's connection.
  returned: when something was, or is, to be changed
  type: str
before:
  description: The link's MTU before the change.
  returned: when something was, or is, to be changed
  type: int
mtu:
  description: The link's MTU after the change.
  returned: when something was, or is, to be changed
  type: int
pending:
  description: The change that waits to be confirmed; empty where there is none.
  returned: success
  type: dict
  contains:
    token:
      description: For the second task.
      type: str
    action:
      description: V(present) or V(absent).
      type: str
    mtu:
      description: The link's MTU now.
      type: int
    was:
      description: The one that it gets back.
      type: int
    seconds:
      description: When, from the change on.
      type: int
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError
from ansible_collections.fathom.submariner.plugins.module_utils._node._host import Host
from ansible_collections.fathom.submariner.plugins.module_utils._node._write_link_mtu import apply_link_mtu, confirm_link_mtu, remove_link_mtu
from ansible_collections.fathom.submariner.plugins.module_utils._node._write_outcome import Outcome
from ansible_collections.fathom.submariner.plugins.module_utils._node._write_task import carry_out


def main():
    module = AnsibleModule(
        argument_spec={
            "device": {"type": "str", "required": True},
            "mtu": {"type": "int"},
            "timeout": {"type": "int", "default": 60},
            "token": {"type": "str", "no_log": False},
            "allow_disruption": {"type": "bool", "default": False},
            "state": {"type": "str", "choices": ["present", "absent", "confirmed"], "default": "present"},
        },
        required_if=[("state", "present", ["mtu"]), ("state", "confirmed", ["token"])],
        supports_check_mode=True,
    )
    params = module.params
    outcome = Outcome(module.check_mode, params["allow_disruption"])

    def work():
        if params["timeout"] < 5:
            raise InputError("timeout: less than 5 seconds leaves no time to connect anew.")
        if params["state"] == "present":
            apply_link_mtu(Host(), params["device"], params["mtu"], params["timeout"], outcome)
        elif params["state"] == "absent":
            remove_link_mtu(Host(), params["device"], params["timeout"], outcome)
        else:
            confirm_link_mtu(Host(), params["device"], params["token"], outcome)

    carry_out(module, outcome, work)


if __name__ == "__main__":
    main()
