#!/usr/bin/python
# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rke2_manifest
short_description: Merge values into the HelmChartConfig in a manifest file of an RKE2 server
version_added: 0.1.0
author:
  - The fathom.submariner authors (@fathom-ansible)
description:
  - RKE2 applies the files below C(server/manifests) when they change and when a server starts. A HelmChartConfig that comes from such a file
    loses at that moment what was written into the object alone. This module changes the file. It runs on the server, and on each of them.
  - Merges into C(spec.valuesContent), which is YAML in a string. Comments, order, quotes and all other values stay byte for byte as they are.
    A file that cannot be changed without touching something else is refused.
  - A server without such a file is left alone. There the object at the API server is all there is.
  - Refuses the folders C(ansible_managed_0) and C(ansible_managed_1), which role C(rke2) of C(rancherfederal.rke2_ansible) mirrors from the controller,
    deleting what is not there.
extends_documentation_fragment:
  - fathom.submariner._attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: full
    details:
      - Shows the chart's values. Those under keys that name a secret are hidden.
  idempotent:
    support: full
options:
  values:
    description:
      - What must stand in the chart's values. V(null) removes a key.
    type: dict
    required: true
  replace:
    description:
      - Dotted paths in O(values) whose whole value is replaced instead of merged.
    type: list
    elements: str
    default: []
  chart:
    description:
      - The chart whose HelmChartConfig in C(kube-system) is meant.
    type: str
    default: rke2-calico
  path:
    description:
      - The file. When not given, the one below C(server/manifests) of O(data_dir) that holds the HelmChartConfig is looked for.
    type: path
  data_dir:
    description:
      - RKE2's data directory (its option C(data-dir)).
    type: path
    default: /var/lib/rancher/rke2
  allow_disruption:
    description:
      - Consent to what can interrupt traffic. It is refused without it, before anything is written, and check mode says that it would be.
      - RKE2 upgrades the chart as soon as the file has changed, which rolls out calico-node where the Installation changes by that. Of chart C(rke2-calico)
        only the values of C(apiServer) need no consent.
    type: bool
    default: false
  backup:
    description:
      - Keep a copy of the file as it was, beside it, with a name that RKE2 does not apply.
    type: bool
    default: true
requirements:
  - PyYAML
seealso:
  - module: fathom.submariner.calico_autodetection
"""

EXAMPLES = r"""
- name: Keep calico-node off Submariner's devices on every server
  hosts: rke2_servers
  become: true
  tasks:
    - name: Merge the method into the chart's values
      fathom.submariner.rke2_manifest:
        values:
          installation:
            calicoNetwork:
              nodeAddressAutodetectionV4:
                kubernetes: NodeInternalIP
        replace: [installation.calicoNetwork.nodeAddressAutodetectionV4]
        allow_disruption: true
"""

RETURN = r"""
path:
  description: The file that holds the HelmChartConfig, empty where there is none on this server.
  returned: success
  type: str
  sample: /var/lib/rancher/rke2/server/manifests/rke2-calico-config.yaml
disruptive:
  description: What of it can interrupt traffic.
  returned: success
  type: list
  elements: str
backup_file:
  description: The copy of the file as it was.
  returned: when one was made
  type: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fathom.submariner.plugins.module_utils._apply._rke2_manifest import change_manifest
from ansible_collections.fathom.submariner.plugins.module_utils._errors import SubmarinerError


def main():
    module = AnsibleModule(
        argument_spec={
            "values": {"type": "dict", "required": True},
            "replace": {"type": "list", "elements": "str", "default": []},
            "chart": {"type": "str", "default": "rke2-calico"},
            "path": {"type": "path"},
            "data_dir": {"type": "path", "default": "/var/lib/rancher/rke2"},
            "allow_disruption": {"type": "bool", "default": False},
            "backup": {"type": "bool", "default": True},
        },
        supports_check_mode=True,
    )
    try:
        result = change_manifest(module)
    except SubmarinerError as error:
        module.fail_json(msg=error.message, **error.details)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
