#!/usr/bin/python
# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: collect
short_description: Save all that a diagnosis of one cluster needs, without its secrets
version_added: 0.1.0
author:
  - The fathom.submariner authors (@fathom-ansible)
description:
  - Reads one cluster once, exactly as M(fathom.submariner.diagnose) does, and writes the objects and logs that it was answered with into a bundle.
    Diagnosing the bundle gives the findings that diagnosing the cluster at that moment gave.
  - Holds what C(subctl gather) leaves out, too. Calico's objects, TigeraStatus, APIServices, the configuration in C(kube-system), nodes, and how each
    question was answered, so that what was forbidden or did not answer is told from what is not there.
  - Secrets are not read. Tokens, pre-shared keys, passwords, certificates and keys in other objects and in logs are masked.
  - Nothing is written to the cluster.
extends_documentation_fragment:
  - fathom.submariner._attributes
  - fathom.submariner._attributes.actiongroup
  - fathom.submariner._auth
  - fathom.submariner._node_reports
attributes:
  check_mode:
    support: full
    details:
      - The cluster is read in check mode as well, and no file is written.
  diff_mode:
    support: none
  idempotent:
    support: none
    details:
      - A cluster answers differently at every moment, so that each run writes a bundle.
options:
  dest:
    description:
      - The bundle to write. An archive where the name ends in C(.tar.gz) or C(.tgz), else a folder.
      - It can be read by its owner alone. What stands there before is replaced at once when all has been read, a folder only where it is empty or
        such a bundle.
    type: path
    required: true
  cluster:
    description:
      - What this cluster is called in findings.
      - Defaults to O(context), or where there is none to the name of the connection.
    type: str
  redact:
    description:
      - Whether to mask secrets. Leave it as it is for every bundle that others will see.
    type: bool
    default: true
  pseudonymise_ips:
    description:
      - Whether to replace every IP address, CIDR and address in a name by a pseudonym, in objects and logs.
      - Which address lies in which range, which ranges overlap, and which are private stays the same, so that most of a diagnosis does, too. Host names stay.
    type: bool
    default: false
  pseudonym_key:
    description:
      - The secret that the pseudonyms follow from, so that the addresses of several clusters agree in all of their bundles. Whoever has it can undo them.
      - By default a random one for each bundle.
    type: str
  logs:
    description:
      - Whether to read the logs of the few pods that a diagnosis looks at.
    type: bool
    default: true
  timeout:
    description:
      - Seconds for reading the whole cluster, retries included. What has not answered by then is noted as timed out.
    type: int
    default: 60
seealso:
  - module: fathom.submariner.diagnose
  - module: fathom.submariner.bundle_info
"""

EXAMPLES = r"""
- name: Save the cluster of this host for somebody else to look at
  fathom.submariner.collect:
    kubeconfig: ~/.kube/clusterset
    context: cluster-1
    dest: ./bundles/cluster-1.tar.gz

- name: The same with pseudonyms for addresses
  fathom.submariner.collect:
    context: cluster-1
    dest: ./bundles/cluster-1.tar.gz
    pseudonymise_ips: true
"""

RETURN = r"""
bundle:
  description: Path of the bundle.
  returned: success
  type: str
  sample: ./bundles/cluster-1.tar.gz
cluster:
  description: What the cluster is called in findings.
  returned: success
  type: str
  sample: cluster-1
size:
  description: Bytes of the bundle, 0 in check mode.
  returned: success
  type: int
objects:
  description: How many objects it holds.
  returned: success
  type: int
logs:
  description: How many logs it holds.
  returned: success
  type: int
nodes:
  description: How many documents of O(node_reports) it holds.
  returned: success
  type: int
unanswered:
  description: Questions that the cluster did not answer, with the reason.
  returned: success
  type: dict
  sample: {"ip_pools_v3": "unavailable"}
statistics:
  description: What reading the cluster cost, as of M(fathom.submariner.diagnose).
  returned: success
  type: dict
"""

import os
import tempfile
from dataclasses import asdict
from datetime import datetime, timezone

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._module import declare_secrets, open_connection
from ansible_collections.fathom.submariner.plugins.module_utils._kube._options import AUTH_ARGUMENT_SPEC, resolve, secrets_of
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_record import Cleaner, Recorder
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_write import index_of, write_bundle
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._live import read_snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import NOT_SERVED, OK
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._node_reports import NODE_REPORTS_ARGUMENT_SPEC, given_reports, with_reports
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._redaction import Redactor
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._redaction_addresses import Pseudonyms

SHORTEST_KEY = 16  # characters


def argument_spec():
    return {
        **AUTH_ARGUMENT_SPEC,
        "dest": {"type": "path", "required": True},
        "cluster": {"type": "str"},
        "redact": {"type": "bool", "default": True},
        "pseudonymise_ips": {"type": "bool", "default": False},
        "pseudonym_key": {"type": "str", "no_log": True},
        "logs": {"type": "bool", "default": True},
        "timeout": {"type": "int", "default": 60},
        **NODE_REPORTS_ARGUMENT_SPEC,
    }


def cleaner_of(params):
    """What takes secrets and addresses out.

    :raises InputError: the key could be guessed.
    """
    pseudonyms = None
    if params["pseudonymise_ips"]:
        key = params["pseudonym_key"] or ""
        if key and len(key) < SHORTEST_KEY:
            raise InputError(f"pseudonym_key has {len(key)} characters; with fewer than {SHORTEST_KEY} it can be guessed. Nothing was read.")
        pseudonyms = Pseudonyms(key.encode("utf-8") if key else os.urandom(32))
    redactor = Redactor(secrets_of(resolve(params))) if params["redact"] else None
    return Cleaner(redactor, pseudonyms)


def collect(module, params):
    """The module's result.

    :raises SubmarinerError: the cluster cannot be read, or the bundle cannot be written.
    """
    cleaner = cleaner_of(params)
    reports = given_reports(module, params)
    connection = open_connection(module, params)
    cluster = params["cluster"] or params["context"] or connection.name
    with tempfile.TemporaryFile(dir=module.tmpdir) as spool:
        recorder = Recorder(connection, spool, cleaner)
        try:
            now = datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
            snapshot = with_reports(read_snapshot(recorder, cluster, timeout=params["timeout"], taken_at=now, logs=params["logs"]), reports)
        finally:
            connection.close()
        index = index_of(recorder, snapshot, redacted=params["redact"], pseudonymised=params["pseudonymise_ips"], logs_asked=params["logs"])
        nodes = (*snapshot.node_hosts.items, *snapshot.node_probes.items)
        size = 0 if module.check_mode else write_bundle(params["dest"], index, recorder, nodes)
    return {
        "bundle": params["dest"],
        "cluster": cluster,
        "size": size,
        "objects": sum(question.count for question in index.questions.values()),
        "logs": sum(1 for log in index.logs if log.file),
        "nodes": len(nodes),
        "unanswered": {key: question.state for key, question in sorted(index.questions.items()) if question.state not in (OK, NOT_SERVED)},
        "statistics": asdict(snapshot.statistics),
    }


def main():
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    try:
        declare_secrets(module, module.params)
        outcome = collect(module, module.params)
    except SubmarinerError as error:
        module.fail_json(msg=error.message, **{"cluster": module.params["cluster"] or module.params["context"] or "", **error.details})
    module.exit_json(changed=True, **outcome)


if __name__ == "__main__":
    main()
