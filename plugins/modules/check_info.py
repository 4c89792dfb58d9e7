#!/usr/bin/python
# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: check_info
short_description: List the checks of the diagnosis, and explain them
version_added: 0.1.0
author:
  - The fathom.submariner authors (@fathom-ansible)
description:
  - Says what M(fathom.submariner.diagnose) and M(fathom.submariner.report) look at. It talks to no cluster.
  - The same catalogue stands in the documentation of the collection.
extends_documentation_fragment:
  - fathom.submariner._attributes
  - fathom.submariner._attributes.info_module
options:
  checks:
    description:
      - Shell patterns of ids, or C(tag:PATTERN) for all with a tag such as C(tag:mtu). All checks when empty.
    type: list
    elements: str
    default: []
  explain:
    description:
      - Whether RV(lines) explain every selected check instead of listing them.
    type: bool
    default: false
  width:
    description:
      - Columns of RV(lines).
    type: int
    default: 80
seealso:
  - module: fathom.submariner.diagnose
"""

EXAMPLES = r"""
- name: What is looked at
  fathom.submariner.check_info:
  register: catalogue

- name: Show it
  ansible.builtin.debug:
    msg: "{{ catalogue.lines }}"

- name: Explain all that concerns the MTU
  fathom.submariner.check_info:
    checks: ["tag:mtu"]
    explain: true
"""

RETURN = r"""
checks:
  description: The selected checks.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: Its stable name.
      type: str
      sample: submariner-cidr-wrong
    title:
      description: What holds where it passes.
      type: str
    severity:
      description: How bad it is as a rule where it fails.
      type: str
      choices: [info, warning, error, blocker]
    area:
      description: What it is about. The first of RV(checks[].tags).
      type: str
    tags:
      description: Words for selection.
      type: list
      elements: str
    scope:
      description: V(cluster) where it judges one cluster, V(clusterset) where it judges all of them together.
      type: str
      choices: [cluster, clusterset]
    needs:
      description: What must have been read, else its verdict is unknown.
      type: list
      elements: str
    joined:
      description: Whether it concerns clusters with Submariner alone, those without alone, or, being none, all.
      type: bool
    references:
      description: Upstream issues and sources.
      type: list
      elements: str
    description:
      description: What it looks at, and why.
      type: str
    remedy:
      description: What usually repairs it. Empty where that depends on the case; findings carry the remedy of the case at hand.
      type: str
lines:
  description: The catalogue, or the explanations, for a terminal.
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fathom.submariner.plugins.module_utils._checks._catalogue import CHECKS
from ansible_collections.fathom.submariner.plugins.module_utils._checks._engine import select
from ansible_collections.fathom.submariner.plugins.module_utils._errors import SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._report._catalogue_text import explain_lines, list_lines, to_dict


def argument_spec():
    return {
        "checks": {"type": "list", "elements": "str", "default": []},
        "explain": {"type": "bool", "default": False},
        "width": {"type": "int", "default": 80},
    }


def lines_of(checks, explain, width):
    if not explain:
        return list_lines(checks, width=width)
    result = []
    for check in checks:
        result += [*([""] if result else []), *explain_lines(check, width=width)]
    return result


def main():
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    params = module.params
    if params["width"] < 40:
        module.fail_json(msg=f"width is {params['width']}: at least 40 columns are needed.")
    try:
        checks = select(CHECKS, params["checks"])
    except SubmarinerError as error:
        module.fail_json(msg=error.message, **error.details)
    module.exit_json(changed=False, checks=[to_dict(check) for check in checks], lines=lines_of(checks, params["explain"], params["width"]))


if __name__ == "__main__":
    main()
