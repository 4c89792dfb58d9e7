#!/usr/bin/python
# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: report
short_description: Judge a whole clusterset from the diagnoses of its clusters, and report
version_added: 0.1.0
author:
  - The fathom.submariner authors (@fathom-ansible)
description:
  - Takes what M(fathom.submariner.diagnose) returned for each cluster, judges what only all of them together show (overlapping CIDRs, what the clusters hold of
    each other, duplicate cluster ids, members that could not be read), and makes one report of everything.
  - Run it once, on the controller. It talks to no cluster.
  - Writes C(result.json), C(summary.md) and C(junit.xml) where O(dest) is given.
  - It does not fail because of findings, so that the report is written and shown first. RV(failed_by) says what the run should fail for.
extends_documentation_fragment:
  - fathom.submariner._attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details:
      - The files are reports, and their content is returned.
  idempotent:
    support: full
    details:
      - Files are left alone, and RV(ignore:changed) is false, when nothing but the time would differ.
options:
  clusters:
    description:
      - One result of M(fathom.submariner.diagnose) for each cluster. Its keys C(cluster), C(findings), C(passed) and C(card) are used, others are ignored.
      - A result with C(failed) or C(unreachable) set (of a task that failed) counts as a cluster that could not be read, for the reason in its C(msg).
        It needs C(cluster), C(item) or C(name) to be told apart.
    type: list
    elements: dict
    required: true
  dest:
    description:
      - Directory for the files. It is made where it does not exist, its parent must exist.
      - Nothing is written when it is not given, and in check mode.
    type: path
  fail_on:
    description:
      - The least severity of a finding that is listed in RV(failed_by).
    type: str
    choices: [info, warning, error, blocker, never]
    default: error
  fail_on_unknown:
    description:
      - Whether checks that could not be judged count like findings of their severity.
      - A cluster that could not be read at all counts in any case, unless O(fail_on=never).
    type: bool
    default: false
  checks:
    description:
      - Shell patterns of the ids of the clusterset's checks to run. All of them when empty.
    type: list
    elements: str
    default: []
  skip_checks:
    description:
      - Shell patterns of the ids of checks to leave out.
    type: list
    elements: str
    default: []
seealso:
  - module: fathom.submariner.diagnose
"""

EXAMPLES = r"""
- name: Report on all clusters
  fathom.submariner.report:
    clusters: "{{ ansible_play_hosts_all | map('extract', hostvars, 'diagnosis') }}"
    dest: ./submariner-report
  delegate_to: localhost
  run_once: true
  register: report

- name: Show it
  ansible.builtin.debug:
    msg: "{{ report.lines }}"
  run_once: true

- name: Fail for what matters
  ansible.builtin.assert:
    that: report.failed_by is falsy
    fail_msg: "{{ report.failed_by | join(', ') }}"
  run_once: true
"""

RETURN = r"""
findings:
  description: All findings, of the clusters and of the clusterset, what must be read first in front. Their form is that of M(fathom.submariner.diagnose).
  returned: success
  type: list
  elements: dict
summary:
  description: How many findings of each severity, how many unknown verdicts, passed checks and clusters.
  returned: success
  type: dict
  sample: {"clusters": 2, "info": 0, "warning": 2, "error": 0, "blocker": 2, "unknown": 0, "passed": 31}
outcome:
  description: The verdict on the clusterset. It does not depend on O(fail_on).
  returned: success
  type: str
  choices: [ok, warn, fail, unknown]
failed_by:
  description: What the run should fail for, as C(cluster/id), empty when it should not.
  returned: success
  type: list
  elements: str
  sample: [cluster-1/submariner-cidr-wrong]
lines:
  description: The report for a terminal of 80 columns.
  returned: success
  type: list
  elements: str
files:
  description: The files of the report, by format. Empty without O(dest).
  returned: success
  type: dict
  sample: {"json": "./submariner-report/result.json"}
"""

import json
import os
import tempfile
from datetime import datetime, timezone

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fathom.submariner.plugins.module_utils._checks._catalogue import CHECKS
from ansible_collections.fathom.submariner.plugins.module_utils._checks._engine import select
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._report._assemble import assemble
from ansible_collections.fathom.submariner.plugins.module_utils._report._files import FILES, GENERATED_AT, rendered
from ansible_collections.fathom.submariner.plugins.module_utils._report._lines import lines
from ansible_collections.fathom.submariner.plugins.module_utils._report._report import failed_by, outcome, summary


def argument_spec():
    return {
        "clusters": {"type": "list", "elements": "dict", "required": True},
        "dest": {"type": "path"},
        "fail_on": {"type": "str", "choices": ["info", "warning", "error", "blocker", "never"], "default": "error"},
        "fail_on_unknown": {"type": "bool", "default": False},
        "checks": {"type": "list", "elements": "str", "default": []},
        "skip_checks": {"type": "list", "elements": "str", "default": []},
    }


def read_text(path):
    """The file's content, None where there is none."""
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} exists and cannot be read: {error}. Give another dest, or remove the file.") from error


def written_at(text):
    """When the report of a result.json was made; "" where it is none of ours."""
    try:
        found = json.loads(text or "")
    except ValueError:
        return ""
    return str(found.get(GENERATED_AT) or "") if isinstance(found, dict) else ""


def write(module, dest, report, fails, now):
    """Bring the files of ``dest`` up to date; whether that changed anything."""
    paths = {form: os.path.join(dest, name) for form, name in FILES.items()}
    old = {form: read_text(path) for form, path in paths.items()}
    previous = written_at(old["json"])
    if previous and old == rendered(report, fails, generated_at=previous):
        return False
    if not module.check_mode:
        try:
            os.makedirs(dest, exist_ok=True)
            for form, text in rendered(report, fails, generated_at=now).items():
                handle, temporary = tempfile.mkstemp(dir=module.tmpdir)
                with os.fdopen(handle, "w", encoding="utf-8") as stream:
                    stream.write(text)
                module.atomic_move(temporary, paths[form])
        except OSError as error:
            raise InputError(f"The report cannot be written to {dest}: {error}.") from error
    return True


def main():
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    params = module.params
    try:
        report = assemble(params["clusters"], select(CHECKS, params["checks"], params["skip_checks"]))
        fails = failed_by(report, fail_on=params["fail_on"], fail_on_unknown=params["fail_on_unknown"])
        changed = False
        if params["dest"]:
            changed = write(module, params["dest"], report, fails, datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"))
    except SubmarinerError as error:
        module.fail_json(msg=error.message, **error.details)
    module.exit_json(
        changed=changed,
        findings=[finding.to_dict() for finding in report.findings],
        summary=summary(report),
        outcome=outcome(report),
        failed_by=list(dict.fromkeys(finding.key for finding in fails)),
        lines=lines(report),
        files={form: os.path.join(params["dest"], name) for form, name in FILES.items()} if params["dest"] else {},
    )


if __name__ == "__main__":
    main()
