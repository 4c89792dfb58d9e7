#!/usr/bin/python
# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: inventory_check
short_description: Judge what an inventory asks an installer of Kubernetes for, before a cluster exists
version_added: 0.1.0
author:
  - The fathom.submariner authors (@fathom-ansible)
description:
  - Reads the variables of Kubespray, C(lablabs.rke2) or C(rancherfederal.rke2_ansible), and says what would keep Submariner from working on the cluster that
    they make. That are the mode of kube-proxy or its absence, Calico's eBPF data plane, a Calico API server that is missing, MTUs without effect, addresses
    that Calico would pick wrongly, ranges that cannot be used, and a join token that is published.
  - It talks to no cluster and no node. Its result has the form of M(fathom.submariner.diagnose), so that M(fathom.submariner.report) compares the ranges with
    those of other clusters and finds the lines of the inventory.
  - Role P(fathom.submariner.preflight_inventory#role) does all that.
extends_documentation_fragment:
  - fathom.submariner._attributes
  - fathom.submariner._attributes.info_module
options:
  cluster:
    description:
      - What the cluster will be called.
    type: str
    required: true
  installer:
    description:
      - Whose variables they are.
    type: str
    choices: [kubespray, lablabs.rke2, rancherfederal.rke2_ansible]
    required: true
  variables:
    description:
      - Variables of the inventory, as Ansible knows them for a server. Others than those that matter are not looked at, and none is returned but in findings.
      - Types matter. A C(calico_mtu) that is a text is a finding.
      - Of C(rke2_token) only the published default C(defaultSecret12345) is a finding, as is none. Give any other text in its place.
    type: dict
    required: true
  manifests:
    description:
      - Files, or folders of files, on the host that runs this, which the installer puts among RKE2's manifests (C(rke2_custom_manifests),
        C(rke2_manifest_config_directory) and C(rke2_manifest_config_post_run_directory)). A HelmChartConfig C(rke2-calico) in them counts.
    type: list
    elements: path
    default: []
seealso:
  - module: fathom.submariner.report
"""

EXAMPLES = r"""
- name: Judge an inventory of Kubespray
  fathom.submariner.inventory_check:
    cluster: cluster-3
    installer: kubespray
    variables:
      kube_proxy_mode: "{{ kube_proxy_mode | default(omit) }}"
      kube_pods_subnet: "{{ kube_pods_subnet | default(omit) }}"
      kube_service_addresses: "{{ kube_service_addresses | default(omit) }}"
      calico_apiserver_enabled: "{{ calico_apiserver_enabled | default(omit) }}"
  delegate_to: localhost
  register: planned

- name: Compare it with the clusters that it is to join
  fathom.submariner.report:
    clusters: ["{{ planned }}"]
    candidates:
      cluster-1: [10.42.0.0/16, 10.43.0.0/16]
    inventory: "{{ ansible_inventory_sources }}"
  delegate_to: localhost
"""

RETURN = r"""
cluster:
  description: Option O(cluster).
  returned: success
  type: str
findings:
  description: What would be wrong. Their form is that of M(fathom.submariner.diagnose).
  returned: success
  type: list
  elements: dict
passed:
  description: Ids of the checks that found nothing.
  returned: success
  type: list
  elements: str
  sample: [kube-proxy-mode, mtu-setting-ignored]
card:
  description: What M(fathom.submariner.report) needs to compare the cluster with others.
  returned: success
  type: dict
"""

import os

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fathom.submariner.plugins.module_utils._checks._engine import judge
from ansible_collections.fathom.submariner.plugins.module_utils._checks._inventory_checks import PLANNED
from ansible_collections.fathom.submariner.plugins.module_utils._checks._inventory_kubespray import kubespray
from ansible_collections.fathom.submariner.plugins.module_utils._checks._inventory_rke2 import Manifest, lablabs, rancherfederal
from ansible_collections.fathom.submariner.plugins.module_utils._deps import load_yaml
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, SubmarinerError

LARGEST = 1024 * 1024  # bytes of one manifest


def argument_spec():
    return {
        "cluster": {"type": "str", "required": True},
        "installer": {"type": "str", "required": True, "choices": ["kubespray", "lablabs.rke2", "rancherfederal.rke2_ansible"]},
        "variables": {"type": "dict", "required": True},
        "manifests": {"type": "list", "elements": "path", "default": []},
    }


def read_manifests(paths):
    """The files, those of folders in their order.

    :raises InputError: one cannot be read: the installer could not, either.
    """
    files = [os.path.join(path, name) for path in paths if os.path.isdir(path) for name in sorted(os.listdir(path))]
    files += [path for path in paths if not os.path.isdir(path)]
    manifests = []
    for path in files:
        if os.path.isdir(path):
            continue
        try:
            if os.path.getsize(path) > LARGEST:
                raise InputError(f"manifests: {path} is larger than {LARGEST} bytes: that is no manifest.")
            with open(path, encoding="utf-8") as stream:
                manifests.append(Manifest(shown_path(path), stream.read()))
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"manifests: {path} cannot be read: {error}.") from error
    return manifests


def shown_path(path):
    """Relative to the working directory where it lies in it: a code review knows no other paths."""
    relative = os.path.relpath(path)
    return path if relative.startswith(os.pardir) else relative


def asked_for(params):
    if params["installer"] == "kubespray":
        return kubespray(params["cluster"], params["variables"])
    make = lablabs if params["installer"] == "lablabs.rke2" else rancherfederal
    return make(params["cluster"], params["variables"], read_manifests(params["manifests"]), load_yaml())


def main():
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    try:
        asked = asked_for(module.params)
        judgement = judge(PLANNED, asked, asked.cluster)
        card = asked.card()
    except SubmarinerError as error:
        module.fail_json(msg=error.message, **error.details)
    module.exit_json(
        changed=False,
        cluster=asked.cluster,
        findings=[finding.to_dict() for finding in judgement.findings],
        passed=list(judgement.passed),
        card=card.to_dict(),
    )


if __name__ == "__main__":
    main()
