#!/usr/bin/python
# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: join
short_description: Join a cluster to a Submariner broker, or correct how it is joined
version_added: 0.1.0
author:
  - The fathom.submariner authors (@fathom-ansible)
description:
  - Brings one cluster to the state that its options describe, and proves it on this cluster and on its peers.
  - Decides before it acts. A cluster that is not joined is joined with C(subctl join). A cluster that is joined as asked is left alone,
    and C(subctl) is B(not) run, because a second C(subctl join) deletes and recreates the Submariner object
    and takes the data plane down even when nothing differs.
    A cluster whose CIDRs are wrong is corrected in place; other differences need O(correction=rejoin).
  - A correction in place is carried through to the end. It patches the Submariner object, waits until operator, DaemonSets and pods run with the new CIDRs,
    restarts the gateway and the agents that need it one at a time, and on every peer removes Submariner's IPPools of the wrong CIDR first,
    which would keep the right ones out, then restarts the gateway and the agent that still follow the old one.
    Interrupted at any point, the next run goes on from what is there.
  - A cluster that is not joined is refused under an O(cluster_id) that another cluster has, or has left behind on O(peers) or at the broker. What a
    cluster that is gone left behind, M(fathom.submariner.broker_records) removes.
  - Only the options that are given are compared. What is not mentioned stays as it is.
  - Nothing is written where this cluster, or a peer that would be written to, is paused by a ConfigMap C(fathom-submariner-pause) in O(state_namespace).
  - Every write is kept in the journal of its cluster, this one's and the peers', under one run, and made under the lock of that cluster.
    C(subctl join) is an entry of its own, with the object as it was, and with what of it cannot be undone.
extends_documentation_fragment:
  - fathom.submariner._attributes
  - fathom.submariner._attributes.actiongroup
  - fathom.submariner._auth
  - fathom.submariner._remedy.run
attributes:
  check_mode:
    support: full
    details:
      - Corrections in place are answered by the API server's own dry run. For C(subctl join) the exact command line and the resulting object are shown.
  diff_mode:
    support: full
  idempotent:
    support: full
options:
  name:
    description:
      - What this cluster is called in messages.
    type: str
    default: this cluster
  cluster_id:
    description:
      - The cluster's id in the cluster set (C(--clusterid)).
    type: str
    required: true
  cluster_cidr:
    description:
      - The pod CIDR of this cluster (C(--clustercidr)); a comma list where it has several.
      - When not given, the CIDR that the cluster's own evidence agrees on is taken, see M(fathom.submariner.cluster_cidrs_info);
        when that is in conflict, nothing is written.
      - When given, it must hold the addresses of all running pods.
    type: str
  service_cidr:
    description:
      - The Service CIDR of this cluster (C(--servicecidr)). Found and checked like O(cluster_cidr).
    type: str
  broker_info:
    description:
      - The file C(broker-info.subm) that C(subctl deploy-broker) wrote. Needed only where C(subctl join) must run.
      - It holds the broker's admin token and the pre-shared key. Neither they nor its content appear in any output.
    type: path
  subctl:
    description:
      - The C(subctl) program, a path or a name on E(PATH) of the host that runs the task.
    type: path
    default: subctl
  correction:
    description:
      - What to do about a cluster that is joined differently from what is asked.
      - V(patch) corrects CIDRs in place and refuses other differences.
      - V(rejoin) runs C(subctl join) again with the cluster's own settings and the asked ones over them.
      - V(fail) changes nothing and fails, naming the fields.
    type: str
    choices: [patch, rejoin, fail]
    default: patch
  allow_disruption:
    description:
      - Consent to interrupt cross-cluster traffic. A correction is refused without it. Joining a cluster that is not joined needs it only where that
        changes something on O(peers) that traffic may use, such as IPPools of a former remote cluster that stand in the way.
    type: bool
    default: false
  peers:
    description:
      - How to reach the other clusters of the set. What is left over on a cluster that is not listed is neither seen nor repaired, and a warning says so.
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
  min_healthy_gateways:
    description:
      - Nothing is written where a cluster whose traffic would be interrupted, this one or a peer, has fewer healthy gateways. V(0) does not ask.
    type: int
    default: 0
  gateway_nodes:
    description:
      - Nodes to label as gateways before joining. Labels that exist are kept.
      - When empty and no node is labelled, the first Ready worker by name is taken, or the first Ready control-plane node where there are no others.
    type: list
    elements: str
    default: []
  natt:
    description: NAT traversal between the gateways (C(--natt)).
    type: bool
  natt_port:
    description: UDP port of NAT traversal (C(--nattport)).
    type: int
  force_udp_encaps:
    description: Encapsulate ESP in UDP always (C(--force-udp-encaps)); of use with the libreswan cable driver only.
    type: bool
  preferred_server:
    description: Whether this cluster prefers to be the server side of connections (C(--preferred-server)).
    type: bool
  cable_driver:
    description: The cable driver (C(--cable-driver)).
    type: str
    choices: [libreswan, wireguard, vxlan]
  air_gapped:
    description: No look-up of the public address (C(--air-gapped)).
    type: bool
  load_balancer:
    description: Put a LoadBalancer Service in front of the gateways (C(--load-balancer)).
    type: bool
  health_check:
    description:
      - Ping the remote gateway and report a connection that does not answer (C(--health-check)).
      - Turning it off hides a wrong cluster CIDR instead of curing it; a warning says so.
    type: bool
  health_check_interval:
    description: Seconds between pings (C(--health-check-interval)).
    type: int
  health_check_max_packet_loss_count:
    description: Lost pings after which a connection is in error (C(--health-check-max-packet-loss-count)).
    type: int
  globalnet:
    description: Take part in Globalnet if the broker has it (C(--globalnet)).
    type: bool
  globalnet_cidr:
    description: Global CIDR of this cluster (C(--globalnet-cidr)).
    type: str
  globalnet_cluster_size:
    description: Number of global addresses for this cluster (C(--globalnet-cluster-size)).
    type: int
  enable_clusterset_ip:
    description: Exported services get a clusterset IP by default (C(--enable-clusterset-ip), subctl 0.19 and newer).
    type: bool
  clusterset_ip_cidr:
    description: Clusterset IP CIDR of this cluster (C(--clusterset-ip-cidr), subctl 0.19 and newer).
    type: str
  coredns_custom_configmap:
    description: Custom CoreDNS ConfigMap, as C([NAMESPACE/]NAME) (C(--coredns-custom-configmap)).
    type: str
  custom_domains:
    description: Domains for service discovery (C(--custom-domains)).
    type: list
    elements: str
  repository:
    description: Image repository (C(--repository)).
    type: str
  version:
    description: Image version (C(--version)).
    type: str
  image_overrides:
    description: Component to image, for example C(submariner-gateway) (C(--image-override)).
    type: dict
  broker_url:
    description: URL of the broker's API server instead of the one in O(broker_info) (C(--broker-url), subctl 0.17 and newer).
    type: str
  check_broker_certificate:
    description: Verify the broker's certificate (C(--check-broker-certificate)).
    type: bool
  http_proxy:
    description:
      - HTTP proxy of Submariner's components (C(--http-proxy), subctl 0.18 and newer).
      - Not to be confused with O(proxy), which is for this module's own connection.
      - A password in the URL never appears in what this module says or keeps, but C(subctl) takes it on its command line alone, where every user of the
        host can read it while C(subctl join) runs, and it stands in clear in Deployment C(submariner-operator). A warning says so.
    type: str
  https_proxy:
    description: HTTPS proxy of Submariner's components (C(--https-proxy), subctl 0.18 and newer). For a password see O(http_proxy).
    type: str
  component_no_proxy:
    description: What Submariner's components reach without the proxy (C(--no-proxy), subctl 0.18 and newer).
    type: list
    elements: str
  complete_no_proxy:
    description:
      - Add to O(component_no_proxy) what must never go through a proxy, namely the cluster's own pod and Service CIDRs, its cluster domains,
        its API server and the broker's.
    type: bool
    default: true
  ignore_requirements:
    description: Go on although subctl finds a requirement unmet (C(--ignore-requirements)).
    type: bool
  pod_debug:
    description: Verbose logging of the pods (C(--pod-debug)).
    type: bool
  operator_debug:
    description: Verbose logging of the operator (C(--operator-debug)).
    type: bool
  ipsec_debug:
    description: Verbose logging of IPsec (C(--ipsec-debug)).
    type: bool
  join_timeout:
    description: Seconds that C(subctl join) may take before it is killed.
    type: int
    default: 900
  wait_timeout:
    description: Seconds for everything, the join included, until the proof.
    type: int
    default: 1200
seealso:
  - module: fathom.submariner.cluster_cidrs_info
  - module: fathom.submariner.diagnose
  - name: subctl join
    description: The command's own documentation.
    link: https://submariner.io/operations/deployment/subctl/#join
"""

EXAMPLES = r"""
- name: Correct the CIDRs of a cluster in place, here and on its peer
  fathom.submariner.join:
    name: cluster-1
    kubeconfig: ~/.kube/clusterset
    context: cluster-1
    cluster_id: cluster-1
    cluster_cidr: 10.46.0.0/16
    service_cidr: 10.45.0.0/16
    allow_disruption: true
    peers:
      - name: cluster-2
        kubeconfig: ~/.kube/clusterset
        context: cluster-2

- name: Join a cluster behind a proxy without access to the internet; its CIDRs are found
  fathom.submariner.join:
    kubeconfig: /etc/rancher/rke2/rke2.yaml
    cluster_id: cluster-2
    broker_info: /etc/submariner/broker-info.subm
    natt: false
    air_gapped: true
    force_udp_encaps: true
    https_proxy: http://proxy.example.com:3128
"""

RETURN = r"""
action:
  description: What was done, or in check mode would be done.
  returned: success
  type: str
  sample: correct
  choices: [unchanged, join, correct, rejoin]
cluster_cidr:
  description: The pod CIDR that the cluster is joined with.
  returned: success
  type: str
  sample: 10.46.0.0/16
service_cidr:
  description: The Service CIDR that the cluster is joined with.
  returned: success
  type: str
  sample: 10.45.0.0/16
differences:
  description: The options whose value in the cluster was not what is asked.
  returned: success
  type: list
  elements: dict
  contains:
    option:
      description: The option.
      type: str
    have:
      description: Its value in the cluster.
      type: raw
    want:
      description: The asked value.
      type: raw
steps:
  description: Everything that was done, in order; after a failure, what was done until then.
  returned: always
  type: list
  elements: dict
  contains:
    action:
      description: The kind of step.
      type: str
      sample: delete_pool
    cluster:
      description: The cluster that it was done to.
      type: str
    object:
      description: The object.
      type: str
    why:
      description: What made it necessary.
      type: str
    disruptive:
      description: Whether it interrupts traffic.
      type: bool
lines:
  description: The steps as text, a line each.
  returned: success
  type: list
  elements: str
run:
  description: Id of the run under which the writes are journalled; empty where nothing was written.
  returned: always
  type: str
  sample: 20261121-101500-a1b2c3
preconditions:
  description: In check mode, the objects that would be written, as they are, each with the name of its cluster; for O(preconditions) of the real run.
  returned: success
  type: list
  elements: dict
command:
  description: The command line of C(subctl join), where it was, or in check mode would be, run.
  returned: when O(correction) or a missing deployment makes it run
  type: list
  elements: str
"""

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.fathom.submariner.plugins.module_utils._apply._join import UNCHANGED, Request, join
from ansible_collections.fathom.submariner.plugins.module_utils._apply._members import Member, Outcome
from ansible_collections.fathom.submariner.plugins.module_utils._apply._journal import require_run
from ansible_collections.fathom.submariner.plugins.module_utils._apply._planned import options_entry, require_options
from ansible_collections.fathom.submariner.plugins.module_utils._apply._task import ARGUMENT_SPEC as REMEDY_SPEC
from ansible_collections.fathom.submariner.plugins.module_utils._apply._task import new_run
from ansible_collections.fathom.submariner.plugins.module_utils._apply._writers import Settings, Writers
from ansible_collections.fathom.submariner.plugins.module_utils._errors import SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._module import declare_secrets, open_connection
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._kube._options import AUTH_ARGUMENT_SPEC
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._join_options import OPTIONS, proxy_passwords

PEER_OPTIONS = ("kubeconfig", "context", "host", "api_key", "client_cert", "client_key", "ca_cert", "validate_certs", "proxy")
RUN_OPTIONS = ("run", "journal_dir", "state_namespace", "preconditions")
# The connection has a no_proxy of its own, spelled as in kubernetes.core.
RENAMED = {"no_proxy": "component_no_proxy"}
CHOICES = {"cable_driver": ["libreswan", "wireguard", "vxlan"]}


def argument_spec():
    spec = {
        **AUTH_ARGUMENT_SPEC,
        "name": {"type": "str", "default": "this cluster"},
        "broker_info": {"type": "path"},
        "subctl": {"type": "path", "default": "subctl"},
        "correction": {"type": "str", "choices": ["patch", "rejoin", "fail"], "default": "patch"},
        "allow_disruption": {"type": "bool", "default": False},
        "peers": {
            "type": "list",
            "elements": "dict",
            "default": [],
            "options": {"name": {"type": "str", "required": True}, **{name: AUTH_ARGUMENT_SPEC[name] for name in PEER_OPTIONS}},
        },
        "gateway_nodes": {"type": "list", "elements": "str", "default": []},
        "complete_no_proxy": {"type": "bool", "default": True},
        "min_healthy_gateways": {"type": "int", "default": 0},
        "join_timeout": {"type": "int", "default": 900},
        "wait_timeout": {"type": "int", "default": 1200},
        **{name: REMEDY_SPEC[name] for name in RUN_OPTIONS},
    }
    for option in OPTIONS:
        entry = {"type": option.kind}
        if option.kind == "list":
            entry["elements"] = "str"
        if option.name in CHOICES:
            entry["choices"] = CHOICES[option.name]
        if option.name == "cluster_id":
            entry["required"] = True
        spec[RENAMED.get(option.name, option.name)] = entry
    return spec


def own_options():
    """Those that decide what is written."""
    common = (*AUTH_ARGUMENT_SPEC, *RUN_OPTIONS, "name")
    return {name: spec for name, spec in argument_spec().items() if name not in common}


def main():
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    params = module.params
    outcome = Outcome()
    writers = None
    options = options_entry("join", own_options(), params)
    module.no_log_values.update(proxy_passwords(params))  # before anything can fail: a failure prints the arguments
    try:
        for connection in (params, *params["peers"]):
            declare_secrets(module, connection)
        run = require_run(params["run"] or new_run())
        require_options(params["name"], params["preconditions"], options)
        request = Request(
            options={option.name: params[RENAMED.get(option.name, option.name)] for option in OPTIONS},
            broker_info=params["broker_info"],
            subctl=params["subctl"],
            gateway_nodes=tuple(params["gateway_nodes"]),
            complete_no_proxy=params["complete_no_proxy"],
            correction=params["correction"],
            allow_disruption=params["allow_disruption"],
            join_timeout=params["join_timeout"],
            check_mode=module.check_mode,
            state_namespace=params["state_namespace"],
            min_healthy_gateways=params["min_healthy_gateways"],
        )
        settings = Settings("join", run, params["state_namespace"], params["journal_dir"], params["preconditions"], module.check_mode)
        deadline = Deadline(params["wait_timeout"])
        members = [Member(each["name"], open_connection(module, each)) for each in (params, *params["peers"])]
        writers = Writers(members, settings, outcome, deadline)
        writers.require_preconditions()
        result = join(request, writers.members[0], writers.members[1:], outcome, deadline)
        writers.require_kept()
    except SubmarinerError as error:
        written = writers is not None and writers.written
        if writers is not None:
            writers.leave()
        for warning in outcome.warnings:
            module.warn(warning)
        told = {"changed": written, "steps": [step._asdict() for step in outcome.steps], "run": run if written and not module.check_mode else ""}
        if module.check_mode:  # a plan notes it also of a step that cannot be predicted yet
            told["preconditions"] = [options]
        module.fail_json(msg=error.message, **{**told, **error.details})
    writers.leave()
    for warning in outcome.warnings:
        module.warn(warning)
    module.exit_json(
        changed=result.action != UNCHANGED,
        action=result.action,
        cluster_cidr=result.wanted.cluster_cidr,
        service_cidr=result.wanted.service_cidr,
        differences=[difference._asdict() for difference in result.differences],
        steps=[step._asdict() for step in outcome.steps],
        lines=[str(step) for step in outcome.steps],
        diff=outcome.diff,
        run=run if writers.written and not module.check_mode else "",
        preconditions=[*writers.preconditions, options] if module.check_mode else [],
        **({"command": list(result.command)} if result.command else {}),
    )


if __name__ == "__main__":
    main()
