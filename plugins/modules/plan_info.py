#!/usr/bin/python
# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: plan_info
short_description: Check a plan against a cluster, or whether one of its steps may begin
version_added: 0.1.0
author:
  - The fathom.submariner authors (@fathom-ansible)
description:
  - Without O(plan), tells who a cluster is and what goes on there, for M(fathom.submariner.plan). That is its identity, who holds its lock, whether runs are
    paused, and where the last run was interrupted.
  - With O(plan), refuses one that was altered, that was made of another cluster of the same name, or whose objects have changed since, and names what changed.
  - With O(step), tells whether this step may begin now.
  - Nothing is written.
extends_documentation_fragment:
  - fathom.submariner._attributes
  - fathom.submariner._attributes.actiongroup
  - fathom.submariner._attributes.info_module
  - fathom.submariner._auth
options:
  name:
    description:
      - What this cluster is called in the plan.
    type: str
    required: true
  state_namespace:
    description:
      - Namespace of the journal, of the lock and of the ConfigMap C(fathom-submariner-pause).
    type: str
    default: kube-system
  plan:
    description:
      - A plan file, as M(fathom.submariner.plan) writes it.
    type: path
  plan_key:
    description:
      - The key that the plan must be signed with.
    type: str
  step:
    description:
      - Number of a step of this cluster that is about to begin.
    type: int
  outcomes:
    description:
      - What became of the steps before, on all clusters. Mappings with C(n), C(state), C(message) and C(changed).
    type: list
    elements: dict
    default: []
  clusters:
    description:
      - The clusters that are still in the run. A step before which one of theirs has not been run yet is refused.
    type: list
    elements: str
    default: []
  allow_disruption:
    description:
      - Consent to interrupt traffic.
    type: bool
    default: false
  max_failures:
    description:
      - How many steps may fail in a clusterset before no new step begins in it. V(0) does not count.
      - Before a cluster is joined that is in none yet, the failures of all clustersets count.
    type: int
    default: 1
  min_healthy_gateways:
    description:
      - A step that interrupts traffic begins only where at least so many gateways of its cluster are healthy. V(0) does not ask. Before a correction of
        CIDRs writes to peers, M(fathom.submariner.join) asks the same of them.
    type: int
    default: 0
  window:
    description:
      - Time of the day in which steps may begin, such as V(22:00-04:00 Europe/Berlin). In UTC without a time zone.
    type: str
    default: ""
  timeout:
    description:
      - Seconds that everything may take.
    type: int
    default: 60
seealso:
  - module: fathom.submariner.plan
  - module: fathom.submariner.lease
"""

EXAMPLES = r"""
- name: Is this plan still good for this cluster?
  fathom.submariner.plan_info:
    name: cluster-1
    context: cluster-1
    plan: ./plan.json
"""

RETURN = r"""
cluster:
  description: Who the cluster is. C(uid) is that of its Namespace kube-system, C(clusterset) names its broker, C(joined) is null where it may not be read.
  returned: success
  type: dict
  sample: {"name": "cluster-1", "uid": "0f1e…", "clusterset": "10.0.0.1:6443/submariner-k8s-broker", "joined": true}
error:
  description: Why the cluster could not be read, empty where it could. A cluster that a step of O(plan) concerns must be readable.
  returned: success
  type: str
baseline:
  description: The Submariner as it is, as a precondition of steps.
  returned: success
  type: list
  elements: dict
lock:
  description:
    - Who holds the lock, since when, which process that is, and whether that lives. Empty where nobody holds it.
    - C(lives) is C(yes) or C(no), and empty where that cannot be told from the host that runs the task.
  returned: success
  type: dict
  sample: {"holder": "20261121-181653-a1b2c3", "since": "2026-11-21T18:16:53.000000Z", "process": "process 4711 on awx-1", "lives": "yes"}
paused:
  description: Why runs are paused, empty where they are not.
  returned: success
  type: str
interrupted:
  description: The last run, where it was killed in the middle of a write, never gave back the lock, or is at work. Empty otherwise.
  returned: success
  type: dict
  contains:
    run:
      description: Its id.
      type: str
    entries:
      description: The writes of which nobody noted the end, and whether the objects show them.
      type: list
      elements: dict
    lines:
      description: The same for a terminal, and how to go on.
      type: list
      elements: str
run:
  description: Id of the plan's run.
  returned: with O(plan)
  type: str
planned:
  description: Whether the plan was made of this cluster, too. False also where it cannot be read and no step concerns it.
  returned: with O(plan)
  type: bool
steps:
  description: The steps of the plan, without their diffs and preconditions.
  returned: with O(plan), without O(step)
  type: list
  elements: dict
lines:
  description: The plan for a terminal of 80 columns.
  returned: with O(plan), without O(step)
  type: list
  elements: str
begin:
  description: Whether the step may begin.
  returned: with O(step)
  type: bool
outcome:
  description: What becomes of a step that may not begin, with its reason. Null for one that may.
  returned: with O(step)
  type: dict
  sample: {"n": 3, "state": "needs consent", "message": "it interrupts traffic"}
preconditions:
  description:
    - The preconditions of the step. Those of clusters that steps before it have reached, by a change to them or to another member of their clusterset, are
      marked with C(reached). Of these the step's module lets pass what the run itself has written and what controllers follow it with, and nothing else.
  returned: with O(step)
  type: list
  elements: dict
"""

import datetime

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fathom.submariner.plugins.module_utils._apply import _cluster_state as state
from ansible_collections.fathom.submariner.plugins.module_utils._apply._members import Member
from ansible_collections.fathom.submariner.plugins.module_utils._apply._window import parse_window
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, RefusedError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import KubeError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._identity import VERSION
from ansible_collections.fathom.submariner.plugins.module_utils._kube._module import declare_secrets, open_connection
from ansible_collections.fathom.submariner.plugins.module_utils._kube._options import AUTH_ARGUMENT_SPEC
from ansible_collections.fathom.submariner.plugins.module_utils._remedies import _following as following
from ansible_collections.fathom.submariner.plugins.module_utils._remedies import _stop_rules as rules
from ansible_collections.fathom.submariner.plugins.module_utils._remedies._outcome import plan_lines
from ansible_collections.fathom.submariner.plugins.module_utils._remedies._plan_file import of_cluster, read_plan, require_same_cluster

MOST = 6  # objects that a refusal names
BULKY = ("diff", "preconditions", "digests", "digest")


def argument_spec():
    return {
        **AUTH_ARGUMENT_SPEC,
        "name": {"type": "str", "required": True},
        "state_namespace": {"type": "str", "default": "kube-system"},
        "plan": {"type": "path"},
        "plan_key": {"type": "str", "no_log": True},
        "step": {"type": "int"},
        "outcomes": {"type": "list", "elements": "dict", "default": []},
        "clusters": {"type": "list", "elements": "str", "default": []},
        "allow_disruption": {"type": "bool", "default": False},
        "max_failures": {"type": "int", "default": 1},
        "min_healthy_gateways": {"type": "int", "default": 0},
        "window": {"type": "str", "default": ""},
        "timeout": {"type": "int", "default": 60},
    }


def plan_of(params):
    """The plan of the file, checked to be what was made.

    :raises SubmarinerError: it cannot be read, or is refused.
    """
    path = params["plan"]
    try:
        with open(path, encoding="utf-8") as stream:
            text = stream.read()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"The plan {path} cannot be read: {error}.") from error
    return read_plan(text, path, key=params["plan_key"] or "", version=VERSION)


def surroundings(member, params, deadline):
    """Who the cluster is and what goes on there."""
    identity = state.identify(member, deadline)
    namespace = params["state_namespace"]
    lock = state.lock_of(member, namespace, deadline)
    return {
        "cluster": {"name": member.name, "uid": identity.uid, "clusterset": identity.clusterset, "joined": identity.joined},
        "baseline": list(identity.baseline),
        "lock": lock,
        "paused": state.why_paused(member, namespace, deadline),
        "interrupted": state.interrupted(member, namespace, deadline, lock),
        "error": "",
    }


def unreadable(params, error):
    """The result for a cluster that cannot be read: it is left out of a plan, and the others are not."""
    cluster = {"name": params["name"], "uid": "", "clusterset": "", "joined": None}
    return {"cluster": cluster, "baseline": [], "lock": {}, "paused": "", "interrupted": {}, "error": error.message}


def whole(plan, member, params, found, deadline):
    """The plan as far as this cluster goes.

    :raises RefusedError: another cluster, or an object has changed since.
    """
    planned = not found["error"] and any(entry["name"] == member.name for entry in plan["clusters"])
    if planned:
        require_same_cluster(plan, member.name, found["cluster"]["uid"])
        require_fresh(plan, member, deadline)
    return {
        "run": plan["run"],
        "planned": planned,
        "steps": [{name: value for name, value in step.items() if name not in BULKY} for step in plan["steps"]],
        "lines": plan_lines(plan, allow_disruption=params["allow_disruption"]),
    }


def touches(plan, cluster):
    """Whether a step is this cluster's, or was computed from an object of it."""
    return any(step["cluster"] == cluster or of_step(step, cluster) for step in plan["steps"])


def of_step(step, cluster):
    """The preconditions of a step on one cluster."""
    return [each for each in step["preconditions"] if following.cluster_of(step, each) == cluster]


def require_fresh(plan, member, deadline):
    """
    :raises RefusedError: an object of this cluster, that any step of any cluster was computed from, has changed.
    """
    told = []
    for step in plan["steps"]:
        for entry in state.stale(member, of_step(step, member.name), deadline):
            told.append(f"{entry['said']} (step {step['n']}, {step['role'].rpartition('.')[2]})")
    if told:
        more = f"; and {len(told) - MOST} more" if len(told) > MOST else ""
        raise RefusedError(
            f"{member.name} has changed since the plan was made on {plan['created']}: {'; '.join(told[:MOST])}{more}. Nothing was written. Make a new plan."
        )


def gate(plan, member, params, deadline):
    """Whether a step may begin.

    :raises SubmarinerError: the step is not this cluster's, the play does not run in lockstep, or the cluster has changed.
    """
    step = next((each for each in of_cluster(plan, member.name) if each["n"] == params["step"]), None)
    if step is None:
        raise InputError(f"Step {params['step']} of plan {plan['run']} is not one of {member.name}.")
    outcomes = [rules.Outcome(int(each["n"]), str(each["state"]), str(each.get("message") or "")) for each in params["outcomes"]]
    missing = rules.out_of_order(step, plan, outcomes, params["clusters"])
    if missing:
        raise RefusedError(
            f"Step {step['n']} is about to begin before step {', '.join(map(str, missing))}: steps depend on one another over all clusters, so the play needs "
            "strategy linear (not free, no serial). Nothing was written."
        )
    window = parse_window(params["window"])
    around = rules.Surroundings(
        paused=state.why_paused(member, params["state_namespace"], deadline),
        closed=window.why_closed(datetime.datetime.now(datetime.timezone.utc)) if window else "",
        healthy_gateways=state.healthy_gateways(member, deadline) if params["min_healthy_gateways"] and step["disruptive"] else None,
    )
    wait = rules.must_wait(step, plan, outcomes, rules.Rules(params["allow_disruption"], params["max_failures"], params["min_healthy_gateways"]), around)
    if wait is not None:
        return {"begin": False, "outcome": wait._asdict(), "preconditions": []}
    reached = following.reached(plan, {int(each["n"]) for each in params["outcomes"] if each.get("changed")})
    changed = [] if member.name in reached else state.stale(member, of_step(step, member.name), deadline)
    if changed:
        told = "; ".join(entry["said"] for entry in changed)
        raise RefusedError(f"{member.name} has changed since the plan was made: {told}. Nothing was written. Make a new plan.")
    # What may come of earlier steps of this run is told from what somebody else has changed by the step's own module, which has the run's journal.
    return {"begin": True, "outcome": None, "preconditions": following.marked(step, reached)}


def require_sensible(params):
    """
    :raises InputError: a stop rule is less than nothing.
    """
    wrong = [f"{name} is {params[name]}" for name in ("max_failures", "min_healthy_gateways") if params[name] < 0]
    if wrong:
        raise InputError(f"{params['name']}: {' and '.join(wrong)}, and neither may be negative: 0 is no limit, and no gateway. Nothing was written.")


def main():
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True, required_by={"step": ["plan"]})
    params = module.params
    try:
        declare_secrets(module, params)
        require_sensible(params)
        plan = plan_of(params) if params["plan"] else None
        member = Member(params["name"], open_connection(module, params))
        deadline = Deadline(params["timeout"])
        if plan is not None and params["step"] is not None:
            result = gate(plan, member, params, deadline)
        else:
            try:
                result = surroundings(member, params, deadline)
            except KubeError as error:
                if plan is not None and touches(plan, member.name):
                    raise
                result = unreadable(params, error)
            if plan is not None:
                result.update(whole(plan, member, params, result, deadline))
    except SubmarinerError as error:
        module.fail_json(msg=error.message, **error.details)
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
