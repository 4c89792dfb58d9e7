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
  - Where O(dest) is given, writes C(report.html) for people (one file that loads nothing), C(result.json) for programs (its JSON Schema is
    C(docs/result-1.schema.json) of the collection), C(summary.md) for a pull request, C(junit.xml) with a case a check, C(findings.sarif) with what lines of
    the O(inventory) answer for, and C(metrics.prom) for Prometheus' textfile collector.
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
      - Files are left alone, and RV(ignore:changed) is false, when nothing but the time would differ. Latencies of tunnels are part of the report.
options:
  clusters:
    description:
      - One result of M(fathom.submariner.diagnose) for each cluster. Its keys C(cluster), C(findings), C(passed) and C(card) are needed.
      - A result with C(failed) or C(unreachable) set (of a task that failed) counts as a cluster that could not be read, for the reason in its C(msg).
        It needs C(cluster), C(item) or C(name) to be told apart.
      - C(cidrs) and C(details) are drawn in C(report.html).
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
      - Shell patterns of the ids of the clusterset's checks to run, or C(tag:PATTERN) for all with a tag. All of them when empty.
    type: list
    elements: str
    default: []
  skip_checks:
    description:
      - Shell patterns of the ids, or as C(tag:PATTERN) of the tags, of checks to leave out.
    type: list
    elements: str
    default: []
  waivers:
    description:
      - YAML file of findings that somebody knows of. A list of mappings with C(id) (of a check), C(cluster) (a shell pattern), C(reason) and
        C(expires) (the last day on which it holds, as C(2026-12-31)).
      - What is waived is shown and fails nothing. From the day after C(expires) on it counts again, and the report says that its waiver expired.
    type: path
  previous:
    description:
      - The C(result.json) of an earlier run, or the folder that holds it. Findings are then told apart as new and persisting, and what was fixed is listed.
      - May be O(dest) itself. Nothing is compared in the first run, when that holds no report yet. Anywhere else the file must exist.
    type: path
  subctl_diagnose:
    description:
      - Text file with what C(subctl diagnose all) printed. Each of its verdicts is then shown beside ours, with the reason where they differ.
    type: path
  candidates:
    description:
      - Clusters that are to join and cannot be diagnosed yet, by name. Their ranges are compared with those of all others, and free ones are proposed.
      - A value is a list of CIDRs (of pods and Services), or a mapping with the lists C(pods), C(services), C(nodes) (CIDRs or addresses) and C(globalnet).
      - One that was diagnosed, by its name or cluster id, is left out, so that all clusters of a fleet can share one list. What was read of it counts.
    type: dict
    default: {}
  cluster_ids:
    description:
      - By the name of a cluster the id under which it is to be joined, where that is not its name. It must be free in the clusterset.
      - Of clusters that are joined it is not looked at, and an empty one is none.
    type: dict
    default: {}
  inventory:
    description:
      - Inventory files and folders, on the host that runs this, such as the magic variable C(ansible_inventory_sources). C(group_vars) and C(host_vars) beside
        a file belong to it.
      - Their lines are searched for settings that answer for a finding (such as Kubespray's C(kube_proxy_mode)), and nothing else of them is kept.
        What does not exist is no file (a host list, a plugin's name) and is passed over.
    type: list
    elements: path
    default: []
seealso:
  - module: fathom.submariner.diagnose
"""

EXAMPLES = r"""
- name: Report on all clusters
  fathom.submariner.report:
    clusters: "{{ ansible_play_hosts_all | map('extract', hostvars, 'diagnosis') }}"
    dest: ./submariner-report
    previous: ./submariner-report
    waivers: ./waivers.yml
    inventory: "{{ ansible_inventory_sources }}"
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
  description: How many findings of each severity, how many unknown verdicts, passed checks, waived findings and clusters, and how many are new and fixed.
  returned: success
  type: dict
  sample: {"clusters": 2, "info": 0, "warning": 2, "error": 0, "blocker": 2, "unknown": 0, "passed": 31, "waived": 0, "new": 1, "fixed": 0}
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
artifacts:
  description: The outcome, RV(summary), RV(failed_by) and counts for each cluster, small and without secrets, for M(ansible.builtin.set_stats).
  returned: success
  type: dict
  sample:
    outcome: fail
    failed_by: [cluster-1/submariner-cidr-wrong]
    clusters: {"cluster-1": {"verdict": "blocker", "blocker": 1, "error": 0, "warning": 0, "info": 0, "unknown": 0, "passed": 31}}
passed:
  description: Ids of the clusterset's checks that found nothing. One whose question does not arise is not among them.
  returned: success
  type: list
  elements: str
  sample: [clusterset-cidr-overlap]
comparison:
  description: What was found by the O(previous) run and is not any more. Nothing without O(previous).
  returned: success and there was an earlier report
  type: dict
  contains:
    since:
      description: When the earlier report was made.
      type: str
    gone:
      description: The findings. C(judged) is false where their check could not judge this time, which is no repair.
      type: list
      elements: dict
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
from dataclasses import replace
from datetime import datetime, timezone

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fathom.submariner.plugins.module_utils._checks._catalogue import CHECKS
from ansible_collections.fathom.submariner.plugins.module_utils._checks._engine import select
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import UNREADABLE
from ansible_collections.fathom.submariner.plugins.module_utils._deps import load_yaml
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._report._assemble import assemble, judged_elsewhere
from ansible_collections.fathom.submariner.plugins.module_utils._report._files import FILES, GENERATED_AT, rendered
from ansible_collections.fathom.submariner.plugins.module_utils._report._inventory import Text, located, settings_in
from ansible_collections.fathom.submariner.plugins.module_utils._report._lines import lines
from ansible_collections.fathom.submariner.plugins.module_utils._report._previous import compared, parse_result
from ansible_collections.fathom.submariner.plugins.module_utils._report._report import artifacts, failed_by, ordered, outcome, summary
from ansible_collections.fathom.submariner.plugins.module_utils._report._subctl_comparison import compare
from ansible_collections.fathom.submariner.plugins.module_utils._report._waivers import parse_waivers, remarks, waive
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._subctl_diagnose import parse_diagnosis

MOST_FILES = 500  # of an inventory
MOST_BYTES = 1024 * 1024  # of one of its files
INVENTORY_ENDINGS = ("", ".yml", ".yaml", ".ini", ".cfg", ".json")


def argument_spec():
    return {
        "clusters": {"type": "list", "elements": "dict", "required": True},
        "dest": {"type": "path"},
        "fail_on": {"type": "str", "choices": ["info", "warning", "error", "blocker", "never"], "default": "error"},
        "fail_on_unknown": {"type": "bool", "default": False},
        "checks": {"type": "list", "elements": "str", "default": []},
        "skip_checks": {"type": "list", "elements": "str", "default": []},
        "waivers": {"type": "path"},
        "previous": {"type": "path"},
        "subctl_diagnose": {"type": "path"},
        "candidates": {"type": "dict", "default": {}},
        "cluster_ids": {"type": "dict", "default": {}},
        "inventory": {"type": "list", "elements": "path", "default": []},
    }


def read_text(path, advice="Give another dest, or remove the file.", errors="strict"):
    """The file's content, None where there is none."""
    try:
        with open(path, encoding="utf-8", errors=errors) as stream:
            return stream.read()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path} exists and cannot be read: {error}. {advice}") from error


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
        temporary = ""
        try:
            os.makedirs(dest, exist_ok=True)
            for form, text in rendered(report, fails, generated_at=now).items():
                # In the same folder, so that the rename is one step for whoever reads it, as Prometheus' textfile collector does.
                temporary = f"{paths[form]}.{os.getpid()}.tmp"
                with open(temporary, "w", encoding="utf-8") as stream:
                    stream.write(text)
                os.replace(temporary, paths[form])
        except OSError as error:
            if temporary and os.path.exists(temporary):
                os.unlink(temporary)
            raise InputError(f"The report cannot be written to {dest}: {error}.") from error
    return True


def with_inventory(report, sources):
    """The report with the lines of inventories that answer for its findings."""
    texts = [Text(shown_path(path), content) for path in inventory_files(sources) for content in [inventory_text(path)] if content]
    found = settings_in(texts)
    return replace(report, findings=ordered(located(report.findings, found))) if found else report


def inventory_files(sources):
    """Files of the sources, in order and once each; what is hidden or looks like a program is left out."""
    found = {}
    for source in sources:
        beside = [os.path.join(os.path.dirname(source), name) for name in ("group_vars", "host_vars")] if os.path.isfile(source) else []
        for place in (source, *beside):
            if os.path.isfile(place):
                found[place] = None
            for folder, folders, names in os.walk(place):
                folders[:] = sorted(name for name in folders if not name.startswith("."))
                for name in sorted(names):
                    if os.path.splitext(name)[1] in INVENTORY_ENDINGS and not name.startswith("."):
                        found[os.path.join(folder, name)] = None
                if len(found) > MOST_FILES:
                    return list(found)[:MOST_FILES]
    return list(found)


def inventory_text(path):
    """A file's content; "" for one that is too large, or that is no text."""
    try:
        if os.path.getsize(path) > MOST_BYTES:
            return ""
        with open(path, encoding="utf-8") as stream:
            return stream.read()
    except (OSError, UnicodeDecodeError):
        return ""


def shown_path(path):
    """Relative to the working directory where it lies in it: a code review knows no other paths."""
    relative = os.path.relpath(path)
    return path if relative.startswith(os.pardir) else relative


def with_waivers(report, path, now):
    text = read_text(path, "Give another file of waivers.")
    if text is None:
        raise InputError(f"There is no file of waivers {path}.")
    rules = parse_waivers(text, os.path.basename(path), load_yaml())
    ids = {UNREADABLE, *report.clusterset_passed, *(check.id for check in CHECKS), *(finding.id for finding in report.findings)}
    ids.update(check_id for cluster in report.clusters for check_id in cluster.passed)
    findings = waive(report.findings, rules, now[:10])
    return replace(report, findings=findings, notes=report.notes + remarks(findings, rules, ids))


def with_subctl(report, path):
    text = read_text(path, "Give another file.", errors="replace")  # what a terminal left in it is not always UTF-8
    if text is None:
        raise InputError(f"There is no file {path} with the output of subctl diagnose all.")
    diagnosis = parse_diagnosis(text)
    if not diagnosis.clusters:
        raise InputError(f"{path} holds no output of subctl diagnose: no check of its was found in it.")
    cards = [cluster.card for cluster in report.clusters if cluster.card is not None]
    rows = compare(diagnosis, cards, [finding for finding in report.findings if not finding.waived], CHECKS)
    remarks_of_run = tuple(f"subctl diagnose: {remark}" for remark in diagnosis.remarks)
    return replace(report, subctl=rows, notes=report.notes + remarks_of_run)


def with_previous(report, path, dest):
    """The report compared with an earlier one. None need exist where the report is written to: there is always a first run."""
    file = os.path.join(path, FILES["json"]) if os.path.isdir(path) or not path.endswith(".json") else path
    text = read_text(file, "Give another previous report.")
    if text is not None:
        return compared(report, parse_result(text, file))
    if dest and os.path.realpath(os.path.dirname(file)) == os.path.realpath(dest):
        return report
    raise InputError(f"There is no earlier report {file} to compare with. Where this run is the first one, leave out previous, or make it the same as dest.")


def main():
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    params = module.params
    now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    try:
        checks = select(CHECKS, params["checks"], params["skip_checks"], judged_elsewhere(params["clusters"]))
        report = assemble(params["clusters"], checks, params["candidates"], params["cluster_ids"])
        report = with_inventory(report, params["inventory"]) if params["inventory"] else report
        report = with_waivers(report, params["waivers"], now) if params["waivers"] else report
        report = with_previous(report, params["previous"], params["dest"]) if params["previous"] else report
        report = with_subctl(report, params["subctl_diagnose"]) if params["subctl_diagnose"] else report
        fails = failed_by(report, fail_on=params["fail_on"], fail_on_unknown=params["fail_on_unknown"])
        changed = write(module, params["dest"], report, fails, now) if params["dest"] else False
    except SubmarinerError as error:
        module.fail_json(msg=error.message, **error.details)
    for note in report.notes:
        module.warn(note)
    comparison = report.comparison
    module.exit_json(
        changed=changed,
        findings=[finding.to_dict() for finding in report.findings],
        passed=list(report.clusterset_passed),
        summary=summary(report),
        outcome=outcome(report),
        failed_by=list(dict.fromkeys(finding.key for finding in fails)),
        artifacts=artifacts(report, fails),
        lines=lines(report),
        files={form: os.path.join(params["dest"], name) for form, name in FILES.items()} if params["dest"] else {},
        **({"comparison": {"since": comparison.since, "gone": [entry._asdict() for entry in comparison.gone]}} if comparison else {}),
    )


if __name__ == "__main__":
    main()
