#!/usr/bin/python
# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: node_sysctl
short_description: Kernel parameters that hold now and at boot, and rp_filter as it acts
version_added: 0.1.0
author:
  - The fathom.submariner authors (@fathom-ansible)
description:
  - Sets kernel parameters on a node's host, and keeps them in C(/etc/sysctl.d/99-zz-fathom-submariner.conf). It runs on the node.
  - Everything is judged before anything is changed, and what fails half-way is put back.
  - The kernel filters by the larger of an interface's own C(rp_filter) and that of V(all). O(rp_filter) says how it shall act.
    What cannot act so, or would loosen the filter on an interface that was not named, is refused.
  - Switching IPv6 forwarding on is refused where it would take away a default route that the kernel has from router advertisements, unless the same run sets
    C(accept_ra) of that interface to 2, which is done first.
  - Parameters of an interface that is not there yet, as C(vx-submariner) before the join, are kept in the file alone. udev applies them when it appears.
  - Runs add up. What earlier ones named, and this one does not, stays as it is unless O(exclusive=true).
  - The file remembers what each value was before the first change, so that it can be put back.
  - Warns of files that are read later and say something else.
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
  sysctls:
    description:
      - Names to values. Names may have dots or slashes between their parts, as in C(sysctl.d).
    type: dict
    default: {}
  rp_filter:
    description:
      - Interfaces to how reverse path filtering shall act there. V(0) is none, V(1) strict, V(2) loose.
      - The name V(all) changes it for every interface, and is the consent to do so.
    type: dict
    default: {}
  exclusive:
    description:
      - Keep no other parameters than those of O(sysctls) and O(rp_filter). One that an earlier run set, and this one does not name, gets the value
        back that it had before, unless somebody has changed it since.
      - With V(false), what earlier runs have set up stays as it is.
    type: bool
    default: false
  allow_disruption:
    description:
      - Consent to what can interrupt traffic. It is refused without it, before anything is written, and check mode says that it would be.
      - That is putting a value back, with O(state=absent) or O(exclusive=true). The cluster may have come to need it, C(net.ipv4.ip_forward) above all.
    type: bool
    default: false
  state:
    description:
      - V(present) sets up what the other options say. V(absent) takes out all that earlier runs have set up, whatever else is named.
    type: str
    choices: [present, absent]
    default: present
notes:
  - C(ansible.posix.sysctl) takes one parameter a task, writes to one file for everybody, knows neither files that are read later nor what acts, and keeps
    no former value. This collection depends on no other one at run time.
seealso:
  - module: fathom.submariner.node_modules
"""

EXAMPLES = r"""
- name: Forward, and filter loosely where Submariner's traffic comes in
  fathom.submariner.node_sysctl:
    sysctls:
      net.ipv4.ip_forward: 1
    rp_filter:
      vx-submariner: 2
      vxlan.calico: 2
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
from ansible_collections.fathom.submariner.plugins.module_utils._node._write_sysctl import apply_sysctl, remove_sysctl
from ansible_collections.fathom.submariner.plugins.module_utils._node._write_outcome import Outcome
from ansible_collections.fathom.submariner.plugins.module_utils._node._write_task import carry_out


def main():
    module = AnsibleModule(
        argument_spec={
            "sysctls": {"type": "dict", "default": {}},
            "rp_filter": {"type": "dict", "default": {}},
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
            apply_sysctl(Host(), params["sysctls"], params["rp_filter"], outcome, exclusive=params["exclusive"])
        else:
            remove_sysctl(Host(), outcome)

    carry_out(module, outcome, work)


if __name__ == "__main__":
    main()
