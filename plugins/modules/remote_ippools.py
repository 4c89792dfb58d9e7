#!/usr/bin/python
# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: remote_ippools
short_description: Give every remote subnet its Calico IPPool, and repair those that are wrong
version_added: 0.1.0
author:
  - The fathom.submariner authors (@fathom-ansible)
description:
  - Calico masquerades what leaves its own IPPools, and breaks connections to other clusters, unless the remote subnet has an IPPool as well.
    Submariner's route agent makes these pools, but only at its start and for a new Endpoint; it gives up after twenty tries, it never repairs a pool,
    and it never removes one when an Endpoint changes. This module does.
  - Pools are told by their range, not by their name. One that is there with the right fields stays, whoever made it. New ones get Submariner's own names
    and label, so that the route agent takes them for its own.
  - Removes those of Submariner's pools that no remote cluster wants any more, such as the /24 of a node that keeps the right /16 out. Others are removed only
    when O(remove) names them, and never when pods have addresses from them.
  - Checks for itself what Calico's API would refuse, overlaps above all. Calico answers a dry run without looking, and
    C(crd.projectcalico.org/v1) and native CRDs take what overlaps.
  - A pool that the tigera operator, a GitOps tool or a Helm release looks after is left alone, and RV(needs_person) says what to change there.
extends_documentation_fragment:
  - fathom.submariner._attributes
  - fathom.submariner._attributes.actiongroup
  - fathom.submariner._auth
  - fathom.submariner._remedy
  - fathom.submariner._remedy.run
options:
  state:
    description:
      - V(present) gives every remote subnet its pool, repairs fields and removes left-over pools of Submariner's.
      - V(absent) removes Submariner's pools, all of them or those of O(subnets), and the ones that O(remove) names.
        On a joined cluster this interrupts traffic; on one that has left it clears what would block the next join.
    type: str
    choices: [present, absent]
    default: present
  subnets:
    description:
      - Remote subnets by cluster id, each a list of ranges or a text with commas, instead of what the Endpoints of these clusters announce.
      - Needed before a cluster is joined. Otherwise the Endpoints on this cluster are the truth.
      - IPv6 is taken with Submariner 0.20 and newer.
    type: dict
    default: {}
  remove:
    description:
      - Names of IPPools that may be removed although Submariner did not make them, such as one made by hand that keeps the right one out.
    type: list
    elements: str
    default: []
  fallback:
    description:
      - What to do where C(projectcalico.org/v3) does not answer.
      - V(none) refuses. M(fathom.submariner.calico_api_server) enables it.
      - V(crd) writes to C(crd.projectcalico.org/v1) with every default spelled out. Felix takes these pools alike, but nobody validates them,
        Submariner's route agent does not see them and goes on complaining, and its uninstall leaves them behind.
    type: str
    choices: [none, crd]
    default: none
"""

EXAMPLES = r"""
- name: Repair the pools of all remote subnets
  fathom.submariner.remote_ippools:
    kubeconfig: ~/.kube/config
    context: cluster-1
    allow_disruption: true

- name: Make the pools before a cluster is joined
  fathom.submariner.remote_ippools:
    context: cluster-1
    subnets:
      cluster-2: [10.42.0.0/16, 10.43.0.0/16]

- name: Replace a pool that was made by hand
  fathom.submariner.remote_ippools:
    context: cluster-1
    remove: [podwestcluster]
    allow_disruption: true

- name: Clear what an earlier Submariner left
  fathom.submariner.remote_ippools:
    context: cluster-1
    state: absent
"""

RETURN = r"""
lines:
  description: What was done, or in check mode would be, a sentence each.
  returned: always
  type: list
  elements: str
  sample: ["cluster-1: create IPPool submariner-cluster-2-10.42.0.0-16 (10.42.0.0/16): cluster-2 has that subnet"]
pools:
  description: The pools that were, or in check mode would be, written.
  returned: always
  type: list
  elements: dict
  contains:
    action:
      description: V(create), V(patch) or V(delete).
      type: str
    name:
      description: Name of the IPPool.
      type: str
    cidr:
      description: Its range.
      type: str
    cluster_id:
      description: The remote cluster, empty where the pool's name does not tell.
      type: str
api_version:
  description: The API that pools are written to, empty where there is nothing to do with pools here.
  returned: always
  type: str
  sample: projectcalico.org/v3
skipped:
  description: What was left out, and why, such as IPv6 subnets.
  returned: always
  type: list
  elements: str
agent:
  description: Which route agent would have made the new pools by itself after a restart; empty where none would.
  returned: always
  type: str
needs_person:
  description: Changes that must be made elsewhere, since somebody else looks after the pool.
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
      description: Ready to paste there.
      type: str
disruptive:
  description: What interrupts traffic, and so needs O(allow_disruption).
  returned: always
  type: list
  elements: str
preconditions:
  description: The objects that this was computed from, for O(preconditions) of the real run.
  returned: in check mode
  type: list
  elements: dict
run:
  description: Id of the run under which the writes are journalled, empty where nothing was written.
  returned: always
  type: str
"""

from ansible_collections.fathom.submariner.plugins.module_utils._apply._remote_ippools import perform
from ansible_collections.fathom.submariner.plugins.module_utils._apply._task import run_remedy

SPEC = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "subnets": {"type": "dict", "default": {}},
    "remove": {"type": "list", "elements": "str", "default": []},
    "fallback": {"type": "str", "choices": ["none", "crd"], "default": "none"},
}


def main():
    run_remedy("remote_ippools", SPEC, perform)


if __name__ == "__main__":
    main()
