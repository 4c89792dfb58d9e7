#!/usr/bin/python
# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: rollback
short_description: Put back on one cluster what a run has written
version_added: 0.1.0
author:
  - The fathom.submariner authors (@fathom-ansible)
description:
  - Reads the journal of a run, from the controller's files and from the cluster's own copy (either may be missing), and undoes it, the newest write first.
  - What was changed gets the fields back that were changed, and keeps everything that others have changed in others. What was created is deleted. What was
    deleted is created again. Restarted pods stay as they are.
  - An object of which somebody else has changed the same fields since is refused and named, and all others are put back.
  - A run that was killed in the middle of a write is undone as far as the objects show that it came.
  - What has been undone is marked, and is not undone again.
extends_documentation_fragment:
  - fathom.submariner._attributes
  - fathom.submariner._attributes.actiongroup
  - fathom.submariner._auth
attributes:
  check_mode:
    support: full
    details:
      - The diff is the API server's own answer to a dry run.
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  name:
    description:
      - What this cluster was called by the run.
    type: str
    default: this cluster
  run:
    description:
      - Id of the run. When not given, the last one that wrote to this cluster. Of one that wrote nothing here nothing is put back, and RV(known) says so.
    type: str
  remedy:
    description:
      - Undo only what this module wrote, such as V(remote_ippools).
    type: str
    default: ""
  force:
    description:
      - Put back also what somebody else has changed since, and go by the controller's file where the two copies of the journal differ.
    type: bool
    default: false
  allow_disruption:
    description:
      - Consent to interrupt traffic. Putting back what a disruptive remedy wrote is as disruptive as that was, and so is removing an IPPool of a remote
        cluster.
    type: bool
    default: false
  journal_dir:
    description:
      - Directory with the journals of runs, on the host that runs the task. When not given, only the cluster's copy is read.
    type: path
  state_namespace:
    description:
      - Namespace of the journal and of the lock in the cluster.
    type: str
    default: kube-system
  steal:
    description:
      - Take the lock from whoever holds it. Right only where that run is known to be dead.
    type: bool
    default: false
  timeout:
    description:
      - Seconds that everything may take.
    type: int
    default: 300
seealso:
  - module: fathom.submariner.lease
  - module: fathom.submariner.plan
"""

EXAMPLES = r"""
- name: Put back what the last run has written here
  fathom.submariner.rollback:
    name: cluster-1
    context: cluster-1
    journal_dir: ./submariner-journal
    allow_disruption: true
"""

RETURN = r"""
run:
  description: The run that was undone. Empty where no run has written anything here.
  returned: success
  type: str
known:
  description: Whether there is a journal of the run on this cluster. Without one it wrote nothing here, or O(run), O(name) or O(state_namespace) is another.
  returned: always
  type: bool
lines:
  description: What was put back, or in check mode would be, a sentence each.
  returned: always
  type: list
  elements: str
cannot:
  description: What cannot be put back, and why.
  returned: always
  type: list
  elements: str
refused:
  description: What somebody else has changed since, which is left alone.
  returned: always
  type: list
  elements: str
disruptive:
  description: What of it interrupts traffic.
  returned: success
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fathom.submariner.plugins.module_utils._apply import _journal as journalling
from ansible_collections.fathom.submariner.plugins.module_utils._apply._cluster_state import newest_run, read_history
from ansible_collections.fathom.submariner.plugins.module_utils._apply._journal import Journal, require_run
from ansible_collections.fathom.submariner.plugins.module_utils._apply._lease import ROLLBACK, Lease
from ansible_collections.fathom.submariner.plugins.module_utils._apply._members import Member
from ansible_collections.fathom.submariner.plugins.module_utils._apply._rollback import Rollback
from ansible_collections.fathom.submariner.plugins.module_utils._apply._task import new_run
from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._kube._module import declare_secrets, open_connection
from ansible_collections.fathom.submariner.plugins.module_utils._kube._options import AUTH_ARGUMENT_SPEC

GIVING_BACK = 30.0  # seconds for giving the lock back


def argument_spec():
    return {
        **AUTH_ARGUMENT_SPEC,
        "name": {"type": "str", "default": "this cluster"},
        "run": {"type": "str"},
        "remedy": {"type": "str", "default": ""},
        "force": {"type": "bool", "default": False},
        "allow_disruption": {"type": "bool", "default": False},
        "journal_dir": {"type": "path"},
        "state_namespace": {"type": "str", "default": "kube-system"},
        "steal": {"type": "bool", "default": False},
        "timeout": {"type": "int", "default": 300},
    }


def find(member, params, deadline):
    """The run to be undone and its journal, ("", None) where nothing was ever written, and None for the journal of a run that did not write here."""
    namespace, directory = params["state_namespace"], params["journal_dir"]
    run = require_run(params["run"]) if params["run"] else newest_run(member, namespace, deadline)
    if not run:
        return "", None
    file = journalling.file_name(directory, run, member.name) if directory else None
    return run, read_history(member, namespace, run, file, deadline)


def unknown(member, params, run):
    """Where a journal of a run was looked for."""
    namespace, directory = params["state_namespace"], params["journal_dir"]
    file = f"neither {journalling.file_name(directory, run, member.name)} nor " if directory else "no "
    return f"{member.name}: run {run} has written nothing here: there is {file}ConfigMap {namespace}/{journalling.config_map_name(run, 0)}."


def unwritten(member, params, run, found):
    """Why option remedy leaves nothing to be undone, "" where it does not."""
    remedies = sorted({record.remedy for record in found.records})
    if not params["remedy"] or params["remedy"] in remedies:
        return ""
    return f"{member.name}: run {run} wrote nothing as {params['remedy']}; it wrote as {', '.join(remedies)}."


def result(work, run, disruptive, known):
    shown = {"changed": work.changed, "lines": work.lines, "cannot": list(dict.fromkeys(work.cannot)), "refused": work.refused, "diff": work.diff}
    return {**shown, "run": run, "known": known, "disruptive": disruptive}


def main():
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    params = module.params
    work, lease, run, disruptive, known = None, None, "", [], False
    try:
        declare_secrets(module, params)
        member = Member(params["name"], open_connection(module, params))
        deadline = Deadline(params["timeout"])
        run, found = find(member, params, deadline)
        known = found is not None
        if run and not known:
            module.warn(unknown(member, params, run))
        journal = Journal(member, params["state_namespace"], run, params["journal_dir"])
        lease = Lease(member, params["state_namespace"], f"{ROLLBACK}{new_run()}", steal=params["steal"])
        work = Rollback(member, journal, lease, deadline, check_mode=module.check_mode, force=params["force"])
        if known:
            told = unwritten(member, params, run, found)
            if told:
                module.warn(told)
            decided = work.decide(found, params["remedy"])
            disruptive = work.disruptive(decided)
            if disruptive and not params["allow_disruption"]:
                consent = f"{member.name}: this interrupts traffic, so it needs allow_disruption=true (submariner_allow_disruption in the playbooks)"
                if not module.check_mode:
                    raise RefusedError(f"{consent}. Nothing was written. It would do: {'; '.join(disruptive[:8])}")
                module.warn(f"{consent}; without it, the real run is refused.")
            try:
                work.carry_out(decided)
            finally:
                if lease.taken:
                    module.warn(lease.taken)
        if work.locked:
            lease.release(Deadline(GIVING_BACK))
        if work.refused and not module.check_mode:
            raise RefusedError(
                f"{member.name}: not everything was put back: {'; '.join(work.refused[:8])}. "
                "What was put back is marked, so that this can be repeated. force=true overwrites what somebody else has changed."
            )
    except SubmarinerError as error:
        if work is not None and work.locked:
            try:
                lease.release(Deadline(GIVING_BACK))
            except SubmarinerError as second:
                module.warn(f"The lock is not given back and expires by itself: {second.message}")
        module.fail_json(msg=error.message, **{**(result(work, run, disruptive, known) if work else {}), **error.details})
    module.exit_json(**result(work, run, disruptive, known))


if __name__ == "__main__":
    main()
