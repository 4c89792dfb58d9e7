#!/usr/bin/python
# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: lease
short_description: Take or give back the lock of one cluster, so that only one remediation is at work on it
version_added: 0.1.0
author:
  - The fathom.submariner authors (@fathom-ansible)
description:
  - The lock is a Lease (coordination.k8s.io/v1) called C(fathom-submariner). Every module of this collection that repairs something takes it before its
    first write. A run of several tasks, which all name the same O(run), takes it at its beginning and gives it back at its end with this module.
  - Whether a lock has expired is told by the API server's clock alone.
extends_documentation_fragment:
  - fathom.submariner._attributes
  - fathom.submariner._attributes.actiongroup
  - fathom.submariner._auth
attributes:
  check_mode:
    support: full
    details:
      - Nothing is written, and a lock that somebody else holds fails the task as it would in the real run.
  diff_mode:
    support: none
    details:
      - A lock is no part of what is configured.
  idempotent:
    support: partial
    details:
      - Taking a lock that the run holds already renews it, which is a write and not counted as a change.
options:
  name:
    description:
      - What this cluster is called in messages.
    type: str
    default: this cluster
  state:
    description:
      - V(present) takes the lock or renews it. Refused where another process than O(process) holds it for a run of the same id and may live.
      - V(absent) gives it back where O(run) holds it, as O(process) where both tell theirs, and leaves anybody else's alone.
      - V(kept) renews it every 20 seconds, so that it needs to last no longer than two minutes, and ends when O(run) has given it back or lost it, or when
        O(process) has ended. Meant for C(async) with C(poll=0), so that the locks of clusters on which no task is at work do not expire.
    type: str
    choices: [present, absent, kept]
    default: present
  run:
    description:
      - Id of the run that holds the lock, 1 to 63 lower-case letters, digits and dashes. The tasks of a run share its lock by naming it.
    type: str
    required: true
  process:
    description:
      - The process that the run is, as P(fathom.submariner.controller_process#lookup) tells it. When that has ended, however it ended, whoever wants the lock
        on the same host takes it at once and says so, and a task of the run that is still at work writes nothing more.
      - It tells apart two playbooks that carry out one plan, whose runs have the same id. Without it the id alone counts.
      - Where the modules do not run on the same host, in the same container, nobody can see whether it has ended, and only O(duration) counts.
    type: str
    default: ""
  state_namespace:
    description:
      - Namespace of the Lease.
    type: str
    default: kube-system
  duration:
    description:
      - Seconds without a renewal after which others may take the lock. Longer than the longest task of the run that is spent on another cluster, since
        only a task at work on this cluster, and O(state=kept), renew it.
    type: int
    default: 1800
  steal:
    description:
      - Take the lock from whoever holds it. Right only where that run is known to be dead.
    type: bool
    default: false
  wait_timeout:
    description:
      - How many seconds to wait for a lock that somebody else holds. V(0) does not wait.
    type: int
    default: 0
"""

EXAMPLES = r"""
- name: Only one of us at a time
  fathom.submariner.lease:
    context: cluster-1
    run: nightly-20261121

- name: Give it back
  fathom.submariner.lease:
    context: cluster-1
    run: nightly-20261121
    state: absent
"""

RETURN = r"""
held:
  description: Whether O(run) holds the lock now, or in check mode would.
  returned: success
  type: bool
holder:
  description: Who held it before, empty where nobody did.
  returned: success
  type: str
keepable:
  description: Whether O(state=kept) could keep it here, where it can be seen whether O(process) lives.
  returned: success
  type: bool
taken:
  description: What is to be said of a run that ended without giving the lock back, empty where it was free. Also a warning.
  returned: success
  type: str
"""

import time

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fathom.submariner.plugins.module_utils._apply import _process as processes
from ansible_collections.fathom.submariner.plugins.module_utils._apply._cluster_state import lock_of
from ansible_collections.fathom.submariner.plugins.module_utils._apply._journal import require_run
from ansible_collections.fathom.submariner.plugins.module_utils._apply._lease import Lease
from ansible_collections.fathom.submariner.plugins.module_utils._apply._members import Member
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, RefusedError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._kube._module import declare_secrets, open_connection
from ansible_collections.fathom.submariner.plugins.module_utils._kube._options import AUTH_ARGUMENT_SPEC

REQUESTS = 60.0  # seconds for the requests themselves
PAUSE = 5.0  # seconds between two looks at a lock that somebody else holds


def argument_spec():
    return {
        **AUTH_ARGUMENT_SPEC,
        "name": {"type": "str", "default": "this cluster"},
        "state": {"type": "str", "choices": ["present", "absent", "kept"], "default": "present"},
        "run": {"type": "str", "required": True},
        "process": {"type": "str", "default": ""},
        "state_namespace": {"type": "str", "default": "kube-system"},
        "duration": {"type": "int", "default": 1800},
        "steal": {"type": "bool", "default": False},
        "wait_timeout": {"type": "int", "default": 0},
    }


def take(lease, wait_timeout, check_mode):
    """
    :raises RefusedError: somebody else holds the lock, and still did at the end of the wait.
    """
    patience = Deadline(wait_timeout)
    while True:
        try:
            if check_mode:
                lease.require_free(Deadline(REQUESTS))
            else:
                lease.acquire(Deadline(REQUESTS))
                lease.pause()
            return
        except RefusedError:
            if patience.expired:
                raise
        time.sleep(min(PAUSE, patience.left()))


def main():
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    params = module.params
    try:
        declare_secrets(module, params)
        run = require_run(params["run"])
        if params["duration"] < 1:
            raise InputError("duration must be at least one second.")
        member = Member(params["name"], open_connection(module, params))
        holder = lock_of(member, params["state_namespace"], Deadline(REQUESTS)).get("holder", "")
        process = processes.read(params["process"])
        keepable = processes.is_dead(process) is False
        lease = Lease(member, params["state_namespace"], run, steal=params["steal"], duration=params["duration"], lasting=True, process=process)
        changed = False
        if params["state"] == "present":
            take(lease, params["wait_timeout"], module.check_mode)
            changed = holder != run
        elif params["state"] == "absent":
            changed = holder == run if module.check_mode else lease.release(Deadline(REQUESTS))
        elif not module.check_mode:
            lease.keep()
    except SubmarinerError as error:
        module.fail_json(msg=error.message, **error.details)
    if lease.taken:
        module.warn(lease.taken)
    module.exit_json(changed=changed, held=params["state"] == "present", holder=holder, keepable=keepable, taken=lease.taken)


if __name__ == "__main__":
    main()
