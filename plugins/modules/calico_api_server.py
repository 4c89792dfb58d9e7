#!/usr/bin/python
# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: calico_api_server
short_description: Have Calico's projectcalico.org/v3 API served, or not
version_added: 0.1.0
author:
  - The fathom.submariner authors (@fathom-ansible)
description:
  - Submariner's route agent makes the IPPools of remote clusters through C(projectcalico.org/v3) and nothing else. Where nobody serves that API,
    Calico masquerades traffic to other clusters (submariner#2952). This module enables it where that lasts, repairs it, or removes it.
  - RKE2. The value C(apiServer.enabled) of HelmChartConfig C(kube-system/rke2-calico), beside all its other values.
  - Operator. The C(operator.tigera.io/v1) APIServer V(default). Where the Installation belongs to a Helm release, a person gets the release's value.
  - Kubespray. A person gets C(calico_apiserver_enabled); with O(write_live=true) what Kubespray's role would apply is applied, too.
  - Manifest (calico.yaml, microk8s). Namespace, RBAC, Deployment, Service, certificate and APIService, named as in Calico's own C(apiserver.yaml), at the
    running release and from the registry that calico-node comes from. The certificate is renewed before it expires, without the API going away.
    Where calico-node's image is pulled with a Secret that the API server's namespace lacks, it is refused with the command that copies the Secret. Of such
    Secrets only the metadata is read.
  - Waits until the APIService is available B(and) IPPools can be listed. Where that does not happen, the task fails, says what keeps it from answering, and
    takes back what it asked for. A dead APIService stalls the deletion of namespaces and garbage collection in the whole cluster, so that one of this
    collection's is removed, whenever it was made. One that others made or asked for is left, and the message says how to remove it.
  - A dead API is repaired where that can be done from here. That is a certificate for another name, an expired or untrusted one, and a missing Secret. The
    operator is made to issue a new one where it has issued the old one, and a user's own certificate is left to a person, with the names that it needs; of a
    manifest the objects themselves are corrected.
  - From Calico 3.28 on, an operator without API server keeps back every change of IPPools. It carries them out once the API answers. It deletes its own pools
    that the Installation does not list, and puts back what was changed in a pool. Where something waits, or that cannot be read, this module names it and
    needs O(allow_disruption=true). It refuses where addresses of a pool that would be deleted are in use.
  - Refused are clusters on which Calico is being migrated, canal, Calico with etcd, an operator whose first rollout is held back by a broken node, and
    Red Hat OpenShift on IBM Cloud from 4.16 on, where IBM looks after it.
  - With native C(projectcalico.org/v3) CRDs (Calico 3.32 and newer) there is nothing to enable, and nothing is done.
extends_documentation_fragment:
  - fathom.submariner._attributes
  - fathom.submariner._attributes.actiongroup
  - fathom.submariner._auth
  - fathom.submariner._remedy
  - fathom.submariner._remedy.run
options:
  state:
    description:
      - V(present) has the API served.
      - V(absent) takes back what V(present) does. It is refused while Submariner is joined and the API answers, unless O(force=true).
    type: str
    choices: [present, absent]
    default: present
  method:
    description:
      - How Calico was installed. V(auto) finds out.
      - V(operator) on an Installation of RKE2 or Helm makes the APIServer itself, marked so that the chart can take it over.
      - A method that cannot be this cluster's is refused.
    type: str
    choices: [auto, rke2, operator, helm, kubespray, manifest]
    default: auto
  write_live:
    description:
      - Where the change lasts only in an inventory or in values that a person keeps (Kubespray, Helm), make it in the cluster, too.
    type: bool
    default: false
    aliases: [apply_live]
  force:
    description:
      - With O(state=absent), also where Submariner needs the API, and also what somebody else made.
      - On Red Hat OpenShift on IBM Cloud before 4.16, create the APIServer. Without it a person is asked to.
    type: bool
    default: false
  image:
    description:
      - Image of the API server, where no operator installs it. It must be of the running release.
      - When not given, it is named after calico-node's, in the same registry.
    type: str
  certificate_days:
    description:
      - For how many days a certificate made here is valid.
    type: int
    default: 365
  renew_before:
    description:
      - How many days before its end a certificate is renewed. It must be smaller than O(certificate_days).
    type: int
    default: 30
  manifest_servers:
    description:
      - Inventory names of RKE2 servers on which the file that the HelmChartConfig comes from will be changed after this task. It is then returned as
        RV(manifest_files) instead of being left to a person.
    type: list
    elements: str
    default: []
requirements:
  - cryptography >= 40.0.0, for a manifest installation alone
seealso:
  - module: fathom.submariner.diagnose
  - module: fathom.submariner.route_agent
  - module: fathom.submariner.remote_ippools
  - name: Install the Calico API server
    description: Calico's own instructions.
    link: https://docs.tigera.io/calico/latest/operations/install-apiserver
"""

EXAMPLES = r"""
- name: Have projectcalico.org/v3 served, in the way in which Calico was installed
  fathom.submariner.calico_api_server:
    kubeconfig: ~/.kube/clusterset
    context: cluster-1

- name: A cluster of Kubespray, without waiting for its next run; the image comes from a registry of our own
  fathom.submariner.calico_api_server:
    context: cluster-2
    write_live: true
    image: registry.example.com/calico/apiserver:v3.27.4

- name: Before an upgrade to OpenShift 4.16 on IBM Cloud, which brings IBM's
  fathom.submariner.calico_api_server:
    context: roks
    state: absent
    force: true
"""

RETURN = r"""
method:
  description: How Calico's API server is installed on this cluster, or would be.
  returned: success
  type: str
  sample: rke2
  choices: [rke2, operator, helm, kubespray, manifest]
state_before:
  description: What C(projectcalico.org/v3) was when the task began. V(native) stands for CRDs, V(aggregated) for an API server that answers.
  returned: always, once it is known
  type: str
  sample: none
  choices: [none, aggregated, dead, native]
restart_route_agents:
  description:
    - Whether a route agent has given up creating a pool that is missing, as its log tells, or where that may not be read, whether a pool is missing.
    - Such an agent does not try again by itself; see M(fathom.submariner.route_agent).
  returned: always, once it is known
  type: bool
certificate_expires:
  description: When the certificate of a manifest installation expires, RFC 3339.
  returned: where no operator looks after it
  type: str
  sample: "2027-11-21T10:15:00Z"
manifest_files:
  description: Files of RKE2's servers that the HelmChartConfig comes from, for M(fathom.submariner.rke2_manifest).
  returned: with O(manifest_servers), where there are such files
  type: list
  elements: dict
lines:
  description: What was done, or in check mode would be done, a sentence each, in order.
  returned: always
  type: list
  elements: str
needs_person:
  description: Changes that a person must make.
  returned: always
  type: list
  elements: dict
  contains:
    text:
      description: Why, and what to do.
      type: str
    target:
      description: Where.
      type: str
    paste:
      description: What to put there.
      type: str
disruptive:
  description: What interrupts traffic, which is what the operator does to IPPools once the API answers.
  returned: always
  type: list
  elements: str
preconditions:
  description: In check mode, the objects that it was computed from, as they are; for O(preconditions) of the real run.
  returned: always
  type: list
  elements: dict
run:
  description: Id of the run under which the writes are journalled; empty where nothing was written.
  returned: always
  type: str
  sample: 20261121-101500-a1b2c3
"""

from ansible_collections.fathom.submariner.plugins.module_utils._apply._calico_api_server import PRESENT, perform
from ansible_collections.fathom.submariner.plugins.module_utils._apply._durable import ARGUMENT_SPEC as DURABLE
from ansible_collections.fathom.submariner.plugins.module_utils._apply._task import run_remedy
from ansible_collections.fathom.submariner.plugins.module_utils._calico._api_server_decision import METHODS

ARGUMENT_SPEC = {
    **DURABLE,
    "state": {"type": "str", "choices": [PRESENT, "absent"], "default": PRESENT},
    "method": {"type": "str", "choices": list(METHODS), "default": "auto"},
    "write_live": {"type": "bool", "default": False, "aliases": ["apply_live"]},
    "image": {"type": "str"},
    "certificate_days": {"type": "int", "default": 365},
    "renew_before": {"type": "int", "default": 30},
}


def main():
    run_remedy("calico_api_server", ARGUMENT_SPEC, perform)


if __name__ == "__main__":
    main()
