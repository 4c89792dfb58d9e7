#!/usr/bin/python
# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: plan_outcome
short_description: Say what came of a plan
version_added: 0.1.0
author:
  - The fathom.submariner authors (@fathom-ansible)
description:
  - Compares the steps of a plan with what became of them and with the findings of a diagnosis after the last of them. A step whose finding is still there is
    a failure, whatever its role said.
  - Run it once, on the controller. It talks to no cluster, and does not fail because of what it finds.
extends_documentation_fragment:
  - fathom.submariner._attributes
  - fathom.submariner._attributes.info_module
options:
  plan:
    description:
      - The plan file.
    type: path
    required: true
  plan_key:
    description:
      - The key that the plan is signed with.
    type: str
  outcomes:
    description:
      - What became of the steps. Mappings with C(n), C(state), C(message) and, where a role asked for a person, C(needs_person).
    type: list
    elements: dict
    default: []
  findings:
    description:
      - The findings after the last step. When not given, nothing was read again, and nothing is proved.
    type: list
    elements: dict
  run:
    description:
      - Id of the run.
    type: str
    required: true
seealso:
  - module: fathom.submariner.plan
"""

EXAMPLES = r"""
- name: Say what came of it
  fathom.submariner.plan_outcome:
    plan: ./plan.json
    run: "{{ plan.run }}"
    outcomes: "{{ outcomes }}"
    findings: "{{ report.findings }}"
  delegate_to: localhost
  run_once: true
"""

RETURN = r"""
success:
  description: Whether nothing failed, was stopped, could not be run or waits for consent. What only a person may do is neither failure nor repair.
  returned: success
  type: bool
artifacts:
  description: Counts and names, small and without secrets, for M(ansible.builtin.set_stats).
  returned: success
  type: dict
  sample:
    run: 20261121-181653-a1b2c3
    steps: 3
    repaired: 2
    unchanged: 0
    needs_consent: 1
    needs_a_person: 1
    blocked: 0
    failed: 0
    not_begun: 0
    remaining: []
    uncovered: []
lines:
  description: What was repaired, what needs consent, what needs a person, and what failed, for a terminal of 80 columns.
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Finding
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._remedies._outcome import judge, result_lines, statistics
from ansible_collections.fathom.submariner.plugins.module_utils._remedies._plan_file import read_plan
from ansible_collections.fathom.submariner.plugins.module_utils._remedies._stop_rules import Outcome


def argument_spec():
    return {
        "plan": {"type": "path", "required": True},
        "plan_key": {"type": "str", "no_log": True},
        "outcomes": {"type": "list", "elements": "dict", "default": []},
        "findings": {"type": "list", "elements": "dict"},
        "run": {"type": "str", "required": True},
    }


def main():
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    params = module.params
    try:
        try:
            with open(params["plan"], encoding="utf-8") as stream:
                plan = read_plan(stream.read(), params["plan"], key=params["plan_key"] or "")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"The plan {params['plan']} cannot be read: {error}.") from error
        after = None if params["findings"] is None else [Finding.from_dict(each) for each in params["findings"]]
        outcomes = [Outcome(int(each["n"]), str(each["state"]), str(each.get("message") or "")) for each in params["outcomes"]]
        clusters = {step["n"]: step["cluster"] for step in plan["steps"]}
        people = [
            {"cluster": clusters.get(int(each["n"]), ""), **{name: str(entry.get(name) or "") for name in ("text", "target", "paste")}}
            for each in params["outcomes"]
            for entry in each.get("needs_person") or ()
        ]
        result = judge(plan, outcomes, after, people)
    except SubmarinerError as error:
        module.fail_json(msg=error.message, **error.details)
    run = params["run"]
    module.exit_json(changed=False, success=result.success, artifacts=statistics(plan, result, run=run), lines=result_lines(plan, result, run=run))


if __name__ == "__main__":
    main()
