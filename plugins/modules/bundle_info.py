#!/usr/bin/python
# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: bundle_info
short_description: List the clusters and formats that a bundle holds
version_added: 0.1.0
author:
  - The fathom.submariner authors (@fathom-ansible)
description:
  - Looks at every file of a bundle and tells of which clusters it is, in which formats. Needs no cluster.
  - Parts in several formats are of one cluster when they hold the same objects.
extends_documentation_fragment:
  - fathom.submariner._attributes
  - fathom.submariner._attributes.info_module
options:
  bundle:
    description:
      - A folder, a tar archive (plain, or compressed with gzip, bzip2 or xz), a zip, or one file.
      - See O(fathom.submariner.diagnose#module:bundle) for the formats.
    type: path
    required: true
seealso:
  - module: fathom.submariner.diagnose
  - module: fathom.submariner.collect
"""

EXAMPLES = r"""
- name: See what somebody sent
  fathom.submariner.bundle_info:
    bundle: ./submariner-20261121.tar.gz
  register: sent

- name: Diagnose each of its clusters
  fathom.submariner.diagnose:
    bundle: ./submariner-20261121.tar.gz
    bundle_cluster: "{{ item.name }}"
  loop: "{{ sent.clusters }}"
  loop_control:
    label: "{{ item.name }}"
"""

RETURN = r"""
clusters:
  description: The clusters.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: Its name in the bundle, unique, of letters, digits, dots, dashes and underscores.
      type: str
      sample: cluster-1
    cluster_id:
      description: Its id in the clusterset, empty where no Submariner is among its objects.
      type: str
      sample: cluster-1
    formats:
      description: What its parts were written by.
      type: list
      elements: str
      sample: [subctl gather, kubectl cluster-info dump]
    folders:
      description: Where its parts stand in the bundle. An exclamation mark ends the name of an archive inside.
      type: list
      elements: str
      sample: [submariner-20261121111811/cluster-1]
    taken_at:
      description: The newest moment that its objects tell of.
      type: str
      sample: "2026-11-21T11:18:24Z"
problems:
  description: What in the bundle cannot be used, and why. Each is a warning, too.
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fathom.submariner.plugins.module_utils._errors import SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle import open_bundle
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_module import warn


def main():
    module = AnsibleModule(argument_spec={"bundle": {"type": "path", "required": True}}, supports_check_mode=True)
    path = module.params["bundle"]
    try:
        bundle = open_bundle(path)
        warn(module, path, bundle.problems)
        clusters = [cluster._asdict() for cluster in bundle.clusters]
    except SubmarinerError as error:
        module.fail_json(msg=error.message, **error.details)
    module.exit_json(changed=False, clusters=clusters, problems=bundle.problems.texts())


if __name__ == "__main__":
    main()
