#!/usr/bin/python
# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: diagnose
short_description: Find out what breaks cross-cluster traffic on one Calico cluster joined by Submariner
version_added: 0.1.0
author:
  - The fathom.submariner authors (@fathom-ansible)
description:
  - Reads one cluster once, compares what Submariner believes of it with what it really is, and returns every finding with its evidence, its impact
    and its remedy.
  - With O(bundle), judges what was saved of a cluster in the same way, without a cluster.
  - Nothing is written. A list that may not be read makes the checks that need it unknown, never passed, and does not hide the others.
  - The finding that most tools miss is the one that agrees with itself. A wrong pod CIDR in Submariner's status, DaemonSets, Endpoint and the peers' IPPools is
    green in C(subctl diagnose all).
  - What concerns several clusters (overlapping CIDRs, what the peers hold of each other) is judged by M(fathom.submariner.report) from the RV(card) of each.
extends_documentation_fragment:
  - fathom.submariner._attributes
  - fathom.submariner._attributes.actiongroup
  - fathom.submariner._attributes.info_module
  - fathom.submariner._auth
  - fathom.submariner._bundle
  - fathom.submariner._node_reports
options:
  cluster:
    description:
      - What this cluster is called in findings.
      - Defaults to O(context), or where there is none to the name of the connection.
    type: str
  timeout:
    description:
      - Seconds for reading the whole cluster, retries included. What has not answered by then is reported as timed out.
    type: int
    default: 60
  checks:
    description:
      - Shell patterns of the ids of the checks to run, or C(tag:PATTERN) for all of an area such as C(tag:mtu). All of them when empty.
    type: list
    elements: str
    default: []
  skip_checks:
    description:
      - Shell patterns of the ids or, as C(tag:PATTERN), of the tags of checks to leave out.
    type: list
    elements: str
    default: []
  user_checks:
    description:
      - YAML files with checks of your own, on the host that runs this module. They need the Python library C(jmespath) there.
      - A file is a list of mappings with C(id), C(severity), C(expression) and C(message), and optionally C(title), C(subject), C(evidence), C(impact),
        C(remedy), C(needs), C(joined), C(references) and C(tags).
      - C(expression) is JMESPath over the snapshot (C(nodes.items[?ready==`false`].ref.name)). What it yields is a problem when it is true or not empty.
        C(subject) and C(evidence) are expressions that also see it, as C(result).
      - Where an answer that the expression asks for could not be read, the verdict is unknown. C(needs) names the answers where it should be others.
      - Their ids are selected with O(checks) and O(skip_checks) like all others, and all of them have the tag C(user).
    type: list
    elements: path
    default: []
  unreachable:
    description:
      - What to do when the API server cannot be reached or refuses the credentials altogether.
      - V(report) returns one finding C(cluster-unreadable) of severity C(blocker), so that a run over many clusters goes on and its report says so.
      - V(fail) fails the task.
      - Bad options (no such kubeconfig, context or check) always fail.
    type: str
    choices: [report, fail]
    default: report
seealso:
  - module: fathom.submariner.collect
  - module: fathom.submariner.bundle_info
  - module: fathom.submariner.node_info
  - module: fathom.submariner.report
  - module: fathom.submariner.cluster_cidrs_info
  - module: fathom.submariner.join
"""

EXAMPLES = r"""
- name: Diagnose the cluster of this host
  fathom.submariner.diagnose:
    kubeconfig: ~/.kube/clusterset
    context: cluster-1
  register: diagnosis

- name: Say what is wrong
  ansible.builtin.debug:
    msg: "{{ diagnosis.findings | map(attribute='title') }}"

- name: Only what concerns CIDRs, and fail where the cluster does not answer
  fathom.submariner.diagnose:
    context: cluster-1
    checks: ["*cidr*"]
    unreachable: fail

# checks/site.yml:
#   - id: site-node-kernel
#     severity: warning
#     expression: nodes.items[?starts_with(kernel_version, '4.')].ref.name
#     message: Nodes run a kernel that our site has retired
#     remedy: Reinstall them.
- name: With checks of your own
  fathom.submariner.diagnose:
    context: cluster-1
    user_checks: [checks/site.yml]

- name: With what its nodes say, read before with fathom.submariner.node_info
  fathom.submariner.diagnose:
    context: cluster-1
    node_reports: [./nodes/]

- name: Diagnose what somebody sent
  fathom.submariner.diagnose:
    bundle: ./submariner-20261121.tar.gz
    bundle_cluster: cluster-1
"""

RETURN = r"""
cluster:
  description: What the cluster is called in findings.
  returned: always
  type: str
  sample: cluster-1
findings:
  description: Everything that is wrong, and everything that could not be judged.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description: The check that found it.
      type: str
      sample: submariner-cidr-wrong
    severity:
      description: How bad it is.
      type: str
      choices: [info, warning, error, blocker]
    verdict:
      description: V(fail), or V(unknown) where something was missing.
      type: str
      choices: [fail, unknown]
    cluster:
      description: The cluster that it is about.
      type: str
    subject:
      description: The object that it is about.
      type: str
      sample: Submariner submariner-operator/submariner
    title:
      description: What is wrong, in one sentence.
      type: str
      sample: "Submariner was told a node's /24 is the whole cluster: 10.46.0.0/24 instead of 10.46.0.0/16"
    evidence:
      description: Values and where each was read.
      type: list
      elements: dict
      contains:
        object:
          description: The object that holds it.
          type: str
        field:
          description: The field of the object.
          type: str
        value:
          description: The value.
          type: str
        note:
          description: What it means.
          type: str
        file:
          description: The inventory file in which M(fathom.submariner.report) found the value, else empty.
          type: str
        line:
          description: The line in it, else 0.
          type: int
    impact:
      description: What it breaks.
      type: str
    missing:
      description: For V(unknown), what could not be read and why.
      type: str
    remedy:
      description: What would repair it. A role with its variables, or with an empty C(role) what a person must do. None where nothing needs to be done.
      type: dict
      contains:
        text:
          description: The remedy in words.
          type: str
        role:
          description: The role that applies it.
          type: str
          sample: fathom.submariner.join
        variables:
          description: The role's variables.
          type: dict
        disruptive:
          description: Whether applying it interrupts traffic.
          type: bool
        target:
          description: The durable object that is written.
          type: str
        cluster:
          description: The cluster that the role runs on, where that is another one than the finding's.
          type: str
    references:
      description: Upstream issues and sources.
      type: list
      elements: str
    caused_by:
      description: The finding that this one follows from, as C(cluster/id).
      type: str
passed:
  description: Ids of the checks that found nothing.
  returned: success
  type: list
  elements: str
unknown:
  description: Ids of the checks that could not be judged, once each.
  returned: success
  type: list
  elements: str
card:
  description: What the other clusters of the set must know of this one. For M(fathom.submariner.report).
  returned: success
  type: dict
cidrs:
  description:
    - The verdict on the true CIDRs, as M(fathom.submariner.cluster_cidrs_info) explains it. Empty where the cluster could not be read.
    - At most twelve rows of evidence for each source, C(more) counts the others.
  returned: success
  type: dict
details:
  description:
    - What M(fathom.submariner.report) draws. C(gateways) with their connections, C(nodes), the C(mtu) budget and C(timelines) of reboots.
    - Empty where the cluster could not be read. Lists are capped.
  returned: success
  type: dict
statistics:
  description: What reading the cluster cost.
  returned: success
  type: dict
  contains:
    requests:
      description: Requests sent.
      type: int
    bytes_read:
      description: Bytes of the answers.
      type: int
    retries:
      description: Requests that were sent again.
      type: int
    seconds:
      description: Time that it took.
      type: float
"""

from dataclasses import asdict
from datetime import datetime, timezone

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fathom.submariner.plugins.module_utils._checks._card import card_of, unreadable_card
from ansible_collections.fathom.submariner.plugins.module_utils._checks._catalogue import CHECKS
from ansible_collections.fathom.submariner.plugins.module_utils._checks._engine import judge_cluster, select, unreadable
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts
from ansible_collections.fathom.submariner.plugins.module_utils._errors import SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._module import declare_secrets, open_connection
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import KubeError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._options import AUTH_ARGUMENT_SPEC
from ansible_collections.fathom.submariner.plugins.module_utils._report._details import capped_cidrs, details_of
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_module import BUNDLE_ARGUMENT_SPEC, read_bundle
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._live import read_snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Statistics
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._node_reports import NODE_REPORTS_ARGUMENT_SPEC, given_reports, with_reports
from ansible_collections.fathom.submariner.plugins.module_utils._user_files import read_user_checks


def argument_spec():
    return {
        **AUTH_ARGUMENT_SPEC,
        **BUNDLE_ARGUMENT_SPEC,
        "cluster": {"type": "str"},
        "timeout": {"type": "int", "default": 60},
        "checks": {"type": "list", "elements": "str", "default": []},
        "skip_checks": {"type": "list", "elements": "str", "default": []},
        "user_checks": {"type": "list", "elements": "path", "default": []},
        **NODE_REPORTS_ARGUMENT_SPEC,
        "unreachable": {"type": "str", "choices": ["report", "fail"], "default": "report"},
    }


def diagnose(module, params):
    """The module's result.

    :raises SubmarinerError: an option cannot be used, or the cluster cannot be read and the user wants that to fail.
    """
    checks = select((*CHECKS, *read_user_checks(params["user_checks"])), params["checks"], params["skip_checks"])
    reports = given_reports(module, params)
    if params["bundle"]:
        return judged(with_reports(read_bundle(module, params), reports, [params["bundle_cluster"] or ""]), checks)
    connection = open_connection(module, params)
    cluster = params["cluster"] or params["context"] or connection.name
    try:
        now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        snapshot = read_snapshot(connection, cluster, timeout=params["timeout"], taken_at=now, logs=True)
    except KubeError as error:
        if params["unreachable"] == "fail":
            raise
        return result(cluster, [unreadable(cluster, error.message)], unreadable_card(cluster, error.message))
    finally:
        connection.close()
    return judged(with_reports(snapshot, reports), checks)


def judged(snapshot, checks):
    facts = Facts.of(snapshot)
    judgement = judge_cluster(facts, checks)
    return result(snapshot.cluster, judgement.findings, card_of(facts), judgement.passed, facts.truth.to_dict(), snapshot.statistics, details_of(facts))


def result(cluster, findings, card, passed=(), cidrs=None, statistics=Statistics(), details=None):
    return {
        "cluster": cluster,
        "findings": [finding.to_dict() for finding in findings],
        "passed": list(passed),
        "unknown": list(dict.fromkeys(finding.id for finding in findings if finding.missing)),
        "card": card.to_dict(),
        "cidrs": capped_cidrs(cidrs) if cidrs else {},
        "details": details or {},
        "statistics": asdict(statistics),
    }


def main():
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    try:
        declare_secrets(module, module.params)
        outcome = diagnose(module, module.params)
    except SubmarinerError as error:
        # With its name, the failure can be handed to fathom.submariner.report like any other result.
        module.fail_json(msg=error.message, **{"cluster": module.params["cluster"] or module.params["context"] or "", **error.details})
    module.exit_json(changed=False, **outcome)


if __name__ == "__main__":
    main()
