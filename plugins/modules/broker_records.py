#!/usr/bin/python
# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: broker_records
short_description: Remove the records that a dead cluster left at the broker and on its members
version_added: 0.1.0
author:
  - The fathom.submariner authors (@fathom-ansible)
description:
  - A cluster that is removed uncleanly, or joined again under another id, leaves its Cluster and Endpoint behind, at the broker and as copies on every member.
    Gateways go on connecting to it, IPPools are kept for it, and its id cannot be used again.
  - Removes, on one cluster, all records of the ids that O(cluster_id) names, in the broker's namespace where this cluster hosts it and in Submariner's own.
    Also the EndpointSlices and ServiceImports of services that nobody but the dead clusters exported.
  - Run it on the cluster that hosts the broker; members follow by themselves while their gateways reach it. Run it on a member where a copy stays.
  - Refuses while there is any sign that a cluster lives, on this cluster or on one of O(peers). It is joined under that id, a gateway is connected to it,
    an agent reaches it. Without a sign of life, another id must have its gateway and its subnets, or it must have been silent for O(min_age),
    and then O(allow_disruption) is needed, since silence proves nothing. A gateway writes its records when it starts or something changes, so that
    a cluster whose tunnels are down is silent, too, and what is removed of it comes back only when its gateway starts anew.
  - What a cluster does at the broker ends its silence, namely its records, the EndpointSlices and ServiceImports of what it exports, and the use of
    its token, of which Kubernetes 1.27 and newer notes the day. For the latter the right to list Secrets in the broker's namespace is needed. Their
    metadata alone is read, and without that right a warning says so.
  - What is deleted is kept in the journal, so that it can be put back.
extends_documentation_fragment:
  - fathom.submariner._attributes
  - fathom.submariner._attributes.actiongroup
  - fathom.submariner._auth
  - fathom.submariner._remedy
  - fathom.submariner._remedy.run
options:
  cluster_id:
    description:
      - Ids of the clusters that are gone for good. They are never guessed.
    type: list
    elements: str
    required: true
  broker:
    description:
      - Namespace of the broker on the cluster that hosts it.
      - When not given, the one that this cluster was told when it joined, or C(submariner-k8s-broker).
    type: str
  min_age:
    description:
      - For how many seconds a cluster may have done nothing at the broker, where nothing but silence says that it is dead.
    type: int
    default: 86400
  observe:
    description:
      - For how many seconds to watch whether a record returns. One that does is an error that names the cluster that still publishes it.
      - That none returns is no proof of death, as most that live write theirs again only when their gateway starts.
      - Only with O(wait).
    type: int
    default: 20
  peers:
    description:
      - How to reach the other clusters of the set. They are asked for signs of life, and not written to. One that cannot be asked is a reason to refuse.
      - Each entry takes the module's own connection options.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: What the peer is called in messages.
        type: str
        required: true
      kubeconfig:
        description: Path of a kubeconfig, or its content.
        type: raw
      context:
        description: Context in the kubeconfig.
        type: str
      host:
        description: URL of the API server.
        type: str
      api_key:
        description: Bearer token.
        type: str
      client_cert:
        description: Client certificate file.
        type: path
        aliases: [cert_file]
      client_key:
        description: Client key file.
        type: path
        aliases: [key_file]
      ca_cert:
        description: CA certificate file.
        type: path
        aliases: [ssl_ca_cert]
      validate_certs:
        description: Whether to verify the API server's certificate.
        type: bool
        aliases: [verify_ssl]
      proxy:
        description: URL of a proxy for this connection.
        type: str
"""

EXAMPLES = r"""
- name: Remove what a cluster left that was joined again under another id
  fathom.submariner.broker_records:
    context: broker
    cluster_id: [cluster-old]
    peers: "{{ groups.submariner_clusters | difference([inventory_hostname]) | map('extract', hostvars) | map('fathom.submariner.connection') }}"
    allow_disruption: true
"""

RETURN = r"""
lines:
  description: What was done, or in check mode would be, a sentence each.
  returned: always
  type: list
  elements: str
  sample: ["cluster-1: delete Endpoint submariner-k8s-broker/cluster-old-cable, of cluster-old, published by cluster-old"]
records:
  description: The objects that were, or in check mode would be, deleted.
  returned: always
  type: list
  elements: str
broker_namespace:
  description: The namespace in which the broker's records were looked for.
  returned: always
  type: str
needs_person:
  description: ServiceImports that clusters which live export as well, with the command that takes the dead cluster out.
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
  description: What may interrupt traffic, and so needs O(allow_disruption).
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

from ansible_collections.fathom.submariner.plugins.module_utils._apply._broker_records import perform
from ansible_collections.fathom.submariner.plugins.module_utils._apply._task import run_remedy
from ansible_collections.fathom.submariner.plugins.module_utils._kube._options import AUTH_ARGUMENT_SPEC

PEER_OPTIONS = ("kubeconfig", "context", "host", "api_key", "client_cert", "client_key", "ca_cert", "validate_certs", "proxy")
SPEC = {
    "cluster_id": {"type": "list", "elements": "str", "required": True},
    "broker": {"type": "str"},
    "min_age": {"type": "int", "default": 86400},
    "observe": {"type": "int", "default": 20},
    "peers": {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {"name": {"type": "str", "required": True}, **{name: AUTH_ARGUMENT_SPEC[name] for name in PEER_OPTIONS}},
    },
}


def main():
    run_remedy("broker_records", SPEC, perform)


if __name__ == "__main__":
    main()
