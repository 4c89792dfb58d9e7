#!/usr/bin/python
# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: cluster_cidrs_info
short_description: Find out the true pod and service CIDRs of a cluster, and what Submariner would detect
version_added: 0.1.0
author:
  - The fathom.submariner authors (@fathom-ansible)
description:
  - Collects what every source of a cluster says about its pod and service CIDRs, judges it, and checks the answer against the addresses that pods and
    Services really have. Needs no Submariner, so it can be asked before the first C(subctl join).
  - Sources are Calico's IPPools and Installation, the options of kube-controller-manager, kube-apiserver and kube-proxy (in C(command) and in C(args)), RKE2's
    HelmCharts, the arguments that RKE2 and k3s note on their nodes, C(kubeadm-config), the configuration of kube-proxy, canal and calico-node,
    OpenShift's Network, ServiceCIDRs, and what you state yourself.
  - Sources that disagree are never resolved silently. The verdict is then V(conflict), with every source and its value.
  - Also tells what a version of Submariner would detect here by itself, by which of its steps, and whether that would be right.
extends_documentation_fragment:
  - fathom.submariner._attributes
  - fathom.submariner._attributes.info_module
  - fathom.submariner._attributes.actiongroup
  - fathom.submariner._auth
  - fathom.submariner._bundle
options:
  cluster:
    description:
      - What this cluster is called in messages and in the result. By default the name of the context or the URL of the API server.
    type: str
  pod_cidrs:
    description:
      - The pod CIDRs as you know them, for instance from the inventory that built the cluster (Kubespray's C(kube_pods_subnet), RKE2's C(cluster-cidr)).
      - They resolve a conflict and fill a gap, but are checked like every other source.
    type: list
    elements: str
    default: []
  service_cidrs:
    description:
      - The service CIDRs as you know them; see O(pod_cidrs).
    type: list
    elements: str
    default: []
  submariner_version:
    description:
      - The version of Submariner to ask what it would detect, such as V(0.17.3), V(release-0.18) or V(devel).
      - By default the version that is installed on the cluster. Without one, RV(detection) is null.
    type: str
  timeout:
    description:
      - Seconds that reading the cluster may take in total. What has not been read by then counts as not readable.
    type: float
    default: 60
seealso:
  - module: fathom.submariner.diagnose
  - module: fathom.submariner.bundle_info
  - name: subctl join reports a /24 for a /16 (submariner#2953)
    description: The report of the fault that this module finds.
    link: https://github.com/submariner-io/submariner/issues/2953
"""

EXAMPLES = r"""
- name: Find out the CIDRs of a cluster before it joins
  fathom.submariner.cluster_cidrs_info:
    context: cluster-1
    submariner_version: 0.17.3
  register: cidrs

- name: Stop unless they are established beyond doubt
  ansible.builtin.assert:
    that:
      - cidrs.pod.ipv4.status == 'agreed'
      - cidrs.service.ipv4.status == 'agreed'
    fail_msg: "{{ cidrs.pod.ipv4.because }} / {{ cidrs.service.ipv4.because }}"

- name: Check what the inventory says against the cluster
  fathom.submariner.cluster_cidrs_info:
    kubeconfig: /etc/kubernetes/admin.conf
    pod_cidrs: "{{ kube_pods_subnet }}"
    service_cidrs: "{{ kube_service_addresses }}"

- name: Ask what another version would detect on a cluster that somebody sent a bundle of
  fathom.submariner.cluster_cidrs_info:
    bundle: ./submariner-20261121.tar.gz
    bundle_cluster: cluster-1
    submariner_version: 0.19.0
"""

RETURN = r"""
cluster:
  description: The name of the cluster.
  returned: always
  type: str
  sample: cluster-1
pod_cidrs:
  description: The agreed pod CIDRs, IPv4 first. A family that is not agreed adds nothing.
  returned: always
  type: list
  elements: str
  sample: [10.46.0.0/16]
service_cidrs:
  description: The agreed service CIDRs, IPv4 first. A family that is not agreed adds nothing.
  returned: always
  type: list
  elements: str
  sample: [10.45.0.0/16]
pod:
  description: The verdict on pods, in the keys C(ipv4) and C(ipv6).
  returned: always
  type: dict
  contains: &verdicts
    ipv4: &verdict
      description: The verdict on this address family.
      returned: always
      type: dict
      contains:
        subject:
          description: V(pod) or V(service).
          returned: always
          type: str
        family:
          description: V(ipv4) or V(ipv6).
          returned: always
          type: str
        status:
          description:
            - V(agreed) when the sources leave no doubt.
            - V(conflict) when they contradict each other.
            - V(absent) when there is no range of this family.
            - V(refuted) when addresses in use lie outside of what the sources say.
            - V(unknown) when too much could not be read.
          returned: always
          type: str
          sample: agreed
        cidrs:
          description: The answer when agreed, the refuted range when refuted, otherwise empty.
          returned: always
          type: list
          elements: str
        verified:
          description: Whether all addresses in use could be read, and lie inside.
          returned: always
          type: bool
        because:
          description: The reason in one line.
          returned: always
          type: str
          sample: ip_pool, as kube_controller_manager and helm_chart say
        claims:
          description: Every source that was weighed, best first, with its values and how they stand to the answer.
          returned: always
          type: list
          elements: dict
        dissent:
          description: Claims that differ but were outvoted.
          returned: always
          type: list
          elements: str
        missing:
          description: What could not be read, and why.
          returned: always
          type: list
          elements: str
        outside:
          description: Up to five addresses in use outside of the range, with the objects that have them.
          returned: always
          type: list
          elements: str
        outside_count:
          description: How many addresses in use lie outside.
          returned: always
          type: int
        addresses:
          description: How many addresses in use were compared.
          returned: always
          type: int
    ipv6: *verdict
service:
  description: The verdict on Services, in the keys C(ipv4) and C(ipv6), as in RV(pod).
  returned: always
  type: dict
  contains: *verdicts
problems:
  description: Contradictions between the verdicts, such as a pod CIDR that overlaps the service CIDR.
  returned: always
  type: list
  elements: str
evidence:
  description: The whole table of evidence. A source that could not be read is a row with a RV(evidence[].problem).
  returned: always
  type: list
  elements: dict
  contains:
    subject:
      description: V(pod) or V(service).
      returned: always
      type: str
    family:
      description: V(ipv4) or V(ipv6); empty where there is no range.
      returned: always
      type: str
    cidrs:
      description: The ranges, normalised.
      returned: always
      type: list
      elements: str
    source:
      description: The kind of source.
      returned: always
      type: str
      sample: kube_controller_manager
    object:
      description: The object that was read.
      returned: always
      type: str
      sample: Pod kube-system/kube-controller-manager-rke2-1
    field:
      description: Where in the object.
      returned: always
      type: str
      sample: spec.containers[kube-controller-manager].args --cluster-cidr
    raw:
      description: The value as it stands there.
      returned: always
      type: str
    rank:
      description: Trust among the sources of the subject, 1 the best.
      returned: always
      type: int
    standing:
      description: V(authority), V(live), V(install), V(stated) or V(shown); the last is never a candidate.
      returned: always
      type: str
    caveat:
      description: What to bear in mind.
      returned: always
      type: str
    problem:
      description: Why the source is of no use; empty when it is of use.
      returned: always
      type: str
detection:
  description: What the version of Submariner would detect on this cluster. Null when no version is known.
  returned: always
  type: dict
  contains:
    version:
      description: The version that was asked about.
      returned: always
      type: str
    plugin:
      description: The network plugin that it would find; null when it cannot be told.
      returned: always
      type: str
      sample: calico
    plugin_because:
      description: What it recognises the plugin by.
      returned: always
      type: str
    pod: &detected
      description: What it would take for the CIDR while the Submariner's spec has none.
      returned: always
      type: dict
      contains:
        subject:
          description: V(pod) or V(service).
          returned: always
          type: str
        value:
          description: The value; empty when it finds nothing, null when it cannot be told.
          returned: always
          type: str
          sample: 10.46.0.0/24
        step:
          description: The step that answers.
          returned: always
          type: str
          sample: only-node
        fallback:
          description: Whether the step guesses.
          returned: always
          type: bool
        object:
          description: What the step reads.
          returned: always
          type: str
        field:
          description: Where in the object.
          returned: always
          type: str
        words:
          description: The step in words.
          returned: always
          type: str
        judgement:
          description: V(right), V(wrong) or V(unknown).
          returned: always
          type: str
        why:
          description: The judgement in words.
          returned: always
          type: str
          sample: "would be wrong: equals spec.podCIDR of the only node rke2-1"
    service: *detected
    fatal:
      description: Why discovery fails, so that nothing is deployed even with explicit CIDRs. Empty when it does not.
      returned: always
      type: str
    notes:
      description: What else to know about the version.
      returned: always
      type: list
      elements: str
    missing:
      description: What could not be read.
      returned: always
      type: list
      elements: str
"""

import datetime
import typing as t

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fathom.submariner.plugins.module_utils._calico._cidr_truth import cidr_truth
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._module import declare_secrets, open_connection
from ansible_collections.fathom.submariner.plugins.module_utils._kube._options import AUTH_ARGUMENT_SPEC
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import parse_cidrs
from ansible_collections.fathom.submariner.plugins.module_utils._network._evidence import POD, SERVICE
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._bundle_module import BUNDLE_ARGUMENT_SPEC, read_bundle
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._live import read_snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._detection import would_detect


def argument_spec() -> dict[str, t.Any]:
    return {
        **AUTH_ARGUMENT_SPEC,
        **BUNDLE_ARGUMENT_SPEC,
        "cluster": {"type": "str"},
        "pod_cidrs": {"type": "list", "elements": "str", "default": []},
        "service_cidrs": {"type": "list", "elements": "str", "default": []},
        "submariner_version": {"type": "str"},
        "timeout": {"type": "float", "default": 60},
    }


def stated_cidrs(params: t.Mapping[str, t.Any]) -> dict[str, list[str]]:
    """What the user states, by subject.

    :raises InputError: a value is no CIDR. Nothing has been read then.
    """
    for option in ("pod_cidrs", "service_cidrs"):
        problems = parse_cidrs(params[option]).problems
        if problems:
            raise InputError(f"{option}: {'; '.join(problems)}. Give ranges such as 10.42.0.0/16; nothing was read.")
    return {POD: params["pod_cidrs"], SERVICE: params["service_cidrs"]}


def installed_version(snapshot: Snapshot) -> str:
    """The version of Submariner on the cluster: what its object asks for, else what its gateways report; empty without either."""
    asked = snapshot.submariner.version if snapshot.submariner is not None else ""
    return asked or next((gateway.version for gateway in snapshot.gateways.items if gateway.version), "")


def read_cluster(module: AnsibleModule, params: t.Mapping[str, t.Any]) -> Snapshot:
    """:raises SubmarinerError: the cluster cannot be read."""
    connection = open_connection(module, params)
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return read_snapshot(connection, params["cluster"] or connection.name, timeout=params["timeout"], taken_at=now)


def examine(snapshot: Snapshot, stated: t.Mapping[str, list[str]], version: str) -> dict[str, t.Any]:
    """The module's result, from a snapshot."""
    truth = cidr_truth(snapshot, stated)
    asked = version or installed_version(snapshot)
    return {
        "cluster": snapshot.cluster,
        "pod_cidrs": [str(network) for network in truth.networks(POD)],
        "service_cidrs": [str(network) for network in truth.networks(SERVICE)],
        **truth.to_dict(),
        "detection": would_detect(snapshot, asked, truth).to_dict() if asked else None,
    }


def main() -> None:
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    params = module.params
    try:
        declare_secrets(module, params)
        stated = stated_cidrs(params)
        snapshot = read_bundle(module, params) if params["bundle"] else read_cluster(module, params)
        result = examine(snapshot, stated, params["submariner_version"] or "")
    except SubmarinerError as error:
        module.fail_json(msg=error.message, **error.details)
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
