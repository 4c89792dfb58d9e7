# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.

from __future__ import annotations


class ModuleDocFragment:

    # Options and attributes of a module that repairs something on one cluster (module_utils/_apply/_task.py), beside those of RUN.
    DOCUMENTATION = r"""
options:
  name:
    description:
      - What this cluster is called in messages, in the journal and in the diff.
    type: str
    default: this cluster
  allow_disruption:
    description:
      - Consent to interrupt traffic. What does is refused without it, and check mode says that it would be.
    type: bool
    default: false
  wait:
    description:
      - Whether to wait until the change has taken effect. It is watched for, not polled.
    type: bool
    default: true
  wait_timeout:
    description:
      - How many seconds everything may take. The task fails after that, and says what it was waiting for and what it saw last.
    type: int
    default: 600
attributes:
  check_mode:
    support: full
    details:
      - The diff is the API server's own answer to a dry run.
  diff_mode:
    support: full
  idempotent:
    support: full
"""

    # Options that concern the run.
    RUN = r"""
options:
  run:
    description:
      - Id of the run that this task is part of, 1 to 63 lower-case letters, digits and dashes. Writes are journalled under it,
        and tasks of one run share the cluster's lock where M(fathom.submariner.lease) has taken it for them. A task that finds it free takes it, and gives
        it back at its end.
      - When not given, the task is a run of its own.
    type: str
  journal_dir:
    description:
      - Directory on the host that runs the task in which every object is kept as it was before it was written, under the id of the run, without secrets.
      - When not given, only the cluster keeps a journal.
    type: path
  state_namespace:
    description:
      - Namespace of the journal (ConfigMaps C(fathom-submariner-journal-RUN)) and of the lock (Lease C(fathom-submariner)) in the cluster.
    type: str
    default: kube-system
  preconditions:
    description:
      - Objects as they were when a plan was made, and the options that it was made with, as this module returns them in check mode. What differs now is
        refused before anything is written. Options that only say how to connect, how long to wait and where files lie may differ, and of objects that
        M(fathom.submariner.plan_info) has marked with C(reached) those that O(run) itself has written, or a controller that follows it.
    type: list
    elements: dict
    default: []
"""
