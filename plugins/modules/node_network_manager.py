#!/usr/bin/python
# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: node_network_manager
short_description: Keep NetworkManager off the devices of Calico and Submariner
version_added: 0.1.0
author:
  - The fathom.submariner authors (@fathom-ansible)
description:
  - NetworkManager that manages C(vx-submariner) or C(cali*) takes their addresses and routes away. This module names them in
    C(/etc/NetworkManager/conf.d/zz-fathom-submariner.conf), and has the configuration read anew. It runs on the node.
  - The file adds to the lists of other files with C(+=), and is read last. Among those the last one wins, so that C(rke2-canal.conf) of
    C(rancherfederal.rke2_ansible) hides C(calico.conf) of Kubespray. Both stay as they are.
  - Where other files list exceptions alone (C(except:)), NetworkManager leaves everything else alone by that. Nothing is added then, since an entry beside
    them would have it manage all devices but that one.
  - NetworkManager is reloaded, not restarted. A device that it brought up itself is refused, since it would lose its addresses.
  - Runs add up. What earlier ones named, and this one does not, stays as it is unless O(exclusive=true).
  - Where NetworkManager is not installed, nothing is done.
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
  unmanaged_devices:
    description:
      - Devices as C(NetworkManager.conf) spells them. A bare name or pattern is an interface's.
    type: list
    elements: str
    default:
      - interface-name:cali*
      - interface-name:tunl*
      - interface-name:vxlan.calico
      - interface-name:vxlan-v6.calico
      - interface-name:wireguard.cali
      - interface-name:wg-v6.cali
      - interface-name:flannel*
      - interface-name:vx-submariner
      - interface-name:vxlan-tunnel
      - interface-name:submariner
  disable_cloud_setup:
    description:
      - Disable and stop C(nm-cloud-setup), which adds routing rules on clouds that break the pods' traffic. What it has added stays until the next boot.
      - V(false) leaves it as it is. O(exclusive=true) or O(state=absent) switches on again what an earlier run has switched off.
    type: bool
    default: false
  exclusive:
    description:
      - Have the file name no other devices than O(unmanaged_devices), and switch C(nm-cloud-setup) on again where an earlier run has switched it off
        and O(disable_cloud_setup) is V(false).
      - With V(false), what earlier runs have set up stays as it is.
    type: bool
    default: false
  allow_disruption:
    description:
      - Consent to what can interrupt traffic. It is refused without it, before anything is written, and check mode says that it would be.
      - That is handing devices back to NetworkManager, or switching C(nm-cloud-setup) on again, with O(state=absent) or O(exclusive=true).
    type: bool
    default: false
  state:
    description:
      - V(present) sets up what the other options say. V(absent) takes out all that earlier runs have set up, whatever else is named.
    type: str
    choices: [present, absent]
    default: present
seealso:
  - module: fathom.submariner.node_sysctl
"""

EXAMPLES = r"""
- name: Have NetworkManager leave Calico's and Submariner's devices alone
  fathom.submariner.node_network_manager:
    disable_cloud_setup: true
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
installed:
  description: Whether NetworkManager is installed on the host.
  returned: success
  type: bool
unmanaged_devices:
  description: All devices that NetworkManager leaves alone by its files, ours and others.
  returned: when O(state=present) and NetworkManager is installed
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fathom.submariner.plugins.module_utils._node._host import Host
from ansible_collections.fathom.submariner.plugins.module_utils._node._settings_network_manager import DEVICES
from ansible_collections.fathom.submariner.plugins.module_utils._node._write_network_manager import apply_network_manager, remove_network_manager
from ansible_collections.fathom.submariner.plugins.module_utils._node._write_outcome import Outcome
from ansible_collections.fathom.submariner.plugins.module_utils._node._write_task import carry_out


def main():
    module = AnsibleModule(
        argument_spec={
            "unmanaged_devices": {"type": "list", "elements": "str", "default": list(DEVICES)},
            "disable_cloud_setup": {"type": "bool", "default": False},
            "exclusive": {"type": "bool", "default": False},
            "allow_disruption": {"type": "bool", "default": False},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        },
        supports_check_mode=True,
    )
    params = module.params
    outcome = Outcome(module.check_mode, params["allow_disruption"])

    def work():
        if params["state"] == "present":
            apply_network_manager(Host(), params["unmanaged_devices"], params["disable_cloud_setup"], outcome, exclusive=params["exclusive"])
        else:
            remove_network_manager(Host(), outcome)

    carry_out(module, outcome, work)


if __name__ == "__main__":
    main()
