#!/usr/bin/python
# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: plan
short_description: Make an ordered plan of remedies from findings
version_added: 0.1.0
author:
  - The fathom.submariner authors (@fathom-ansible)
description:
  - Turns the findings of M(fathom.submariner.report) into steps, one for each role and cluster, ordered by what depends on what over the whole clusterset,
    and into what needs a person.
  - Run it once, on the controller. It talks to no cluster. Role C(fathom.submariner.plan) calls it twice. The first call drafts the steps. Then each step's
    role is run in check mode, and the second call gets what they said as O(predictions) and makes the plan.
  - A cluster that could not be read is left out of the plan, and named with the reason among what needs a person. Where none could be read there is no plan,
    and the task fails.
  - A plan is sealed by digests. They tell accidents and careless editing, down to the step and the field, and nothing more, since anybody can compute new
    ones. With O(plan_key) it is signed as well, and nobody without the key can alter it unnoticed.
extends_documentation_fragment:
  - fathom.submariner._attributes
attributes:
  check_mode:
    support: full
    details:
      - The plan is returned and O(dest) is not written.
  diff_mode:
    support: none
    details:
      - The plan's steps have diffs of their own.
  idempotent:
    support: none
    details:
      - Each plan has an id and a time of its own.
options:
  findings:
    description:
      - The findings of all clusters.
    type: list
    elements: dict
    required: true
  clusters:
    description:
      - The clusters that may be written to, in the order in which they are to be treated, each as M(fathom.submariner.plan_info) returns it.
    type: list
    elements: dict
    required: true
  diagnoses:
    description:
      - What M(fathom.submariner.diagnose) returned for the clusters, for estimates of outages. Their keys C(cluster) and C(details) are used.
    type: list
    elements: dict
    default: []
  join:
    description:
      - Join the clusters that are not joined, too.
    type: bool
    default: false
  given:
    description:
      - What the user has set and what therefore counts instead of what was found. By role variable, values by cluster. Empty ones count as not set.
    type: dict
    default: {}
  predictions:
    description:
      - What the steps' roles said in check mode. Mappings with C(n), and C(result) of the module or C(failed) with the reason.
      - When not given, only a draft is made.
    type: list
    elements: dict
  run:
    description:
      - Id of the run that will carry the plan out, 1 to 63 lower-case letters, digits and dashes. One is made when not given.
    type: str
  plan_key:
    description:
      - Key to sign the plan with.
    type: str
  dest:
    description:
      - File for the plan. It is readable to its owner only. Its folder is made where it does not exist.
    type: path
  allow_disruption:
    description:
      - Consent to interrupt traffic, for what RV(lines) says.
    type: bool
    default: false
seealso:
  - module: fathom.submariner.report
  - module: fathom.submariner.plan_info
  - module: fathom.submariner.plan_outcome
"""

EXAMPLES = r"""
- name: Draft what is to be done
  fathom.submariner.plan:
    findings: "{{ report.findings }}"
    clusters: "{{ ansible_play_hosts_all | map('extract', hostvars, 'identity') }}"
  delegate_to: localhost
  run_once: true
  register: draft
"""

RETURN = r"""
run:
  description: Id of the run.
  returned: success
  type: str
steps:
  description: The steps, without diffs and preconditions.
  returned: success
  type: list
  elements: dict
  contains:
    n:
      description: Number of the step, from 1.
      type: int
    kind:
      description: Where it stands in the order. The role, or C(calico_node_placement before the first rollout).
      type: str
    cluster:
      description: The cluster that its role runs on.
      type: str
    role:
      description: The role.
      type: str
    variables:
      description: What the role is told.
      type: dict
    findings:
      description: What it repairs, as C(cluster/id).
      type: list
      elements: str
    text:
      description: What it does, in words.
      type: str
    disruptive:
      description: Whether it interrupts traffic.
      type: bool
    outage:
      description: For how many seconds, and from which terms that is estimated.
      type: dict
    target:
      description: The objects in which the change lasts.
      type: str
    depends_on:
      description: Steps whose failure keeps this one from being tried.
      type: list
      elements: int
needs_a_person:
  description: What no role may do. Each with C(cluster), C(finding), C(text), C(target) and what can be pasted there.
  returned: success
  type: list
  elements: dict
file:
  description: Where the plan was written, empty where it was not.
  returned: with O(predictions)
  type: str
lines:
  description: The plan for a terminal of 80 columns.
  returned: with O(predictions)
  type: list
  elements: str
artifacts:
  description: Counts, small and without secrets, for M(ansible.builtin.set_stats).
  returned: with O(predictions)
  type: dict
  sample: {"run": "20261121-181653-a1b2c3", "steps": 2, "disruptive": 1, "needs_a_person": 1, "unknown": 0, "digest": "sha256:…"}
"""

import json
import os
from datetime import datetime, timezone

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fathom.submariner.plugins.module_utils._apply._journal import require_run
from ansible_collections.fathom.submariner.plugins.module_utils._apply._task import new_run
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Finding
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._identity import VERSION
from ansible_collections.fathom.submariner.plugins.module_utils._remedies._outage import Size
from ansible_collections.fathom.submariner.plugins.module_utils._remedies._outcome import plan_lines
from ansible_collections.fathom.submariner.plugins.module_utils._remedies._plan_file import drafted, make_plan, predictions
from ansible_collections.fathom.submariner.plugins.module_utils._remedies._steps import Cluster, draft

BULKY = ("diff", "preconditions", "digests", "digest")


def argument_spec():
    return {
        "findings": {"type": "list", "elements": "dict", "required": True},
        "clusters": {"type": "list", "elements": "dict", "required": True},
        "diagnoses": {"type": "list", "elements": "dict", "default": []},
        "join": {"type": "bool", "default": False},
        "given": {"type": "dict", "default": {}},
        "predictions": {"type": "list", "elements": "dict"},
        "run": {"type": "str"},
        "plan_key": {"type": "str", "no_log": True},
        "dest": {"type": "path"},
        "allow_disruption": {"type": "bool", "default": False},
    }


def clusters_of(params):
    """The clusters with their sizes.

    :raises InputError: one is not what plan_info returns.
    """
    known = [each.get("cluster") for each in params["clusters"]]
    if not all(isinstance(each, dict) and each.get("name") for each in known):
        raise InputError("clusters must be what fathom.submariner.plan_info returned, one result a cluster.")
    details = {each.get("cluster"): each.get("details") or {} for each in params["diagnoses"]}
    found = []
    for each in known:
        nodes = details.get(each["name"], {}).get("nodes") or {}
        peers = sum(bool(each["clusterset"]) and other["clusterset"] == each["clusterset"] for other in known) - 1
        size = Size(int(nodes.get("total") or 0), len(nodes.get("gateways") or ()), max(0, peers))
        found.append(Cluster(each["name"], each["uid"], each["clusterset"], each["joined"], size))
    return found


def unread(params):
    """Why clusters could not be read, by name.

    :raises SubmarinerError: none could: a plan of nothing must not look like one that found nothing to do.
    """
    reasons = {each["cluster"]["name"]: str(each.get("error") or "it does not tell who it is") for each in params["clusters"] if not each["cluster"].get("uid")}
    if reasons and len(reasons) == len(params["clusters"]):
        told = " ".join(f"{name}: {reason}" for name, reason in reasons.items())
        raise SubmarinerError(f"There is nothing to plan: none of the clusters could be read. {told}")
    return reasons


def write(path, plan):
    """
    :raises InputError: the file cannot be written.
    """
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        os.makedirs(os.path.dirname(os.path.abspath(path)), mode=0o700, exist_ok=True)
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as stream:
            stream.write(json.dumps(plan, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
        os.replace(temporary, path)
    except OSError as error:
        if os.path.exists(temporary):
            os.unlink(temporary)
        raise InputError(f"The plan cannot be written to {path}: {error}.") from error


def main():
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    params = module.params
    written = ""
    try:
        run = require_run(params["run"] or new_run())
        clusters = clusters_of(params)
        reasons = unread(params)
        sketch = draft([Finding.from_dict(each) for each in params["findings"]], clusters, join=params["join"], given=params["given"])
        if params["predictions"] is None:
            module.exit_json(changed=False, run=run, steps=drafted(sketch), needs_a_person=[entry._asdict() for entry in sketch.people])
        baselines = {each["cluster"]["name"]: each.get("baseline") or [] for each in params["clusters"]}
        created = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        told = predictions(sketch, params["predictions"], baselines)
        plan = make_plan(sketch, clusters, told, run=run, created=created, version=VERSION, key=params["plan_key"] or "", unread=reasons)
        if params["dest"] and not module.check_mode:
            write(params["dest"], plan)
            written = params["dest"]
    except SubmarinerError as error:
        module.fail_json(msg=error.message, **error.details)
    module.exit_json(
        changed=False,
        run=run,
        steps=[{name: value for name, value in step.items() if name not in BULKY} for step in plan["steps"]],
        needs_a_person=plan["needs_a_person"],
        file=written,
        lines=plan_lines(plan, allow_disruption=params["allow_disruption"]),
        artifacts={
            "run": run,
            "steps": len(plan["steps"]),
            "disruptive": sum(step["disruptive"] for step in plan["steps"]),
            "needs_a_person": len(plan["needs_a_person"]),
            "unknown": len(plan["unknown"]),
            "digest": plan["digest"],
        },
    )


if __name__ == "__main__":
    main()
