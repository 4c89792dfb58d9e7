# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Every place of a cluster that says what its pod and service CIDRs are, as rows of evidence.

Trust follows who acts by a value: Calico's IPAM hands out what the enabled IPPools hold, kube-apiserver what the Ready
ServiceCIDRs hold; components run with their options; ``kubeadm-config`` and its like were true on the day of installation.
``node.spec.podCIDRs`` are shown but never a candidate: kube-controller-manager allocates them also where Calico ignores them,
and taking one for the cluster's CIDR is the fault of submariner#2953.
"""

from __future__ import annotations

import json
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._documents import scalar_at
from ansible_collections.fathom.submariner.plugins.module_utils._calico._install_method import calico_ipam, canal_daemon_set
from ansible_collections.fathom.submariner.plugins.module_utils._calico._process_sources import node_args_evidence, process_evidence
from ansible_collections.fathom.submariner.plugins.module_utils._calico._reality import pod_reality, used_blocks
from ansible_collections.fathom.submariner.plugins.module_utils._calico._rows import Kind, merge_alike, problem_row, rows, shown, unread_row
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import collapse, overlap, parse_address, parse_cidrs
from ansible_collections.fathom.submariner.plugins.module_utils._network._evidence import (
    AUTHORITY, INSTALL, LIVE, POD, SERVICE, SHOWN, STATED, SUBJECTS, CidrEvidence,
)
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import IPPool, Snapshot

Stated = t.Mapping[str, t.Union[str, t.Sequence[str], None]]  # keys: pod, service

_IP_POOL = Kind(POD, "ip_pool", 1, AUTHORITY)
_SERVICE_CIDR = Kind(SERVICE, "service_cidr", 1, AUTHORITY)
_HELM = {POD: Kind(POD, "helm_chart", 3, LIVE), SERVICE: Kind(SERVICE, "helm_chart", 4, LIVE)}
_HELM_KEYS = {
    POD: ("global.clusterCIDR", "global.clusterCIDRv4", "global.clusterCIDRv6"),
    SERVICE: ("global.serviceCIDR", "global.serviceCIDRv4", "global.serviceCIDRv6"),
}
_OPENSHIFT = {POD: Kind(POD, "openshift_network", 6, LIVE), SERVICE: Kind(SERVICE, "openshift_network", 6, LIVE)}
_CANAL = Kind(POD, "canal_config", 7, LIVE)
_KUBEADM = {POD: Kind(POD, "kubeadm_config", 8, INSTALL), SERVICE: Kind(SERVICE, "kubeadm_config", 8, INSTALL)}
_INSTALLATION = Kind(POD, "installation", 9, INSTALL)
_KUBE_PROXY_CONFIG = Kind(POD, "kube_proxy_config", 10, INSTALL)
_CALICO_NODE_ENV = Kind(POD, "calico_node_env", 11, INSTALL)
_NODE_POD_CIDR = Kind(POD, "node_pod_cidr", 20, SHOWN)
_IPAM_BLOCK = Kind(POD, "ipam_block", 21, SHOWN)
_STATED = {POD: Kind(POD, "stated", 30, STATED), SERVICE: Kind(SERVICE, "stated", 30, STATED)}

_RANGES_SHOWN = 20


def collect_cidr_evidence(snapshot: Snapshot, stated: Stated | None = None) -> tuple[CidrEvidence, ...]:
    """Ask every source. One that could not be read is a row of its own with the reason; one that does not exist makes no row.

    :param stated: what the user says, by subject: ``{"pod": "10.42.0.0/16", "service": ["10.43.0.0/16"]}``. Nothing by default.
    """
    readers = (
        _ip_pools, process_evidence, node_args_evidence, _helm_charts, _openshift, _config_maps, _installations, _calico_node_env,
        _node_pod_cidrs, _ipam_blocks, _service_cidrs,
    )
    found = [row for reader in readers for row in reader(snapshot)]
    for subject in SUBJECTS:
        value = (stated or {}).get(subject)
        if value:
            found.extend(rows(_STATED[subject], "the user", f"{subject}_cidrs", value))
    return tuple(found)


def _ip_pools(snapshot: Snapshot) -> list[CidrEvidence]:
    ipam = calico_ipam(snapshot)
    # Where it is not known who hands out the addresses, pools are one live source among others.
    kind = {True: _IP_POOL, False: shown(_IP_POOL), None: _IP_POOL._replace(standing=LIVE)}[ipam]
    if not snapshot.ip_pools.known:
        return unread_row(_IP_POOL if ipam is None else kind, snapshot.ip_pools)
    found: list[CidrEvidence] = []
    candidates = 0
    for pool in sorted(snapshot.ip_pools.items, key=lambda pool: pool.ref.name):
        reason = _not_for_pods(pool) or ("" if ipam is not False else "Calico's IPAM gives no pod its address here")
        reason = reason or _of_a_remote_cluster(pool, snapshot)
        candidates += not reason
        found.extend(rows(shown(kind) if reason else kind, f"{pool.ref} ({pool.api_version})", "spec.cidr", pool.cidr, reason))
    if ipam and not candidates:
        found.append(problem_row(kind, "IPPool", "", "Calico's IPAM runs without an enabled IPPool that can be seen: its datastore may be etcd"))
    return found


def _not_for_pods(pool: IPPool) -> str:
    if pool.is_submariner:
        return "made by Submariner for a remote cluster"
    if pool.disabled:
        return "disabled: no address is taken from it"
    if pool.allowed_uses and "Workload" not in pool.allowed_uses:
        return f"for {', '.join(pool.allowed_uses)} only, not for pods"
    return ""


def _of_a_remote_cluster(pool: IPPool, snapshot: Snapshot) -> str:
    """An enabled pool with a peer's range and no pod of ours in it was made by hand, as older instructions say, and not disabled."""
    local = snapshot.submariner.cluster_id if snapshot.submariner else None
    networks = parse_cidrs(pool.cidr).networks
    peer = next(
        (
            endpoint.cluster_id for endpoint in snapshot.endpoints.items
            if local is not None and endpoint.cluster_id != local and overlap(networks, parse_cidrs(endpoint.subnets).networks)
        ),
        None,
    )
    if peer is None or not snapshot.pods.ok:
        return ""
    addresses = (parse_address(used.ip) for used in pod_reality(snapshot).addresses)
    used = any(address is not None and address.version == network.version and address in network for address in addresses for network in networks)
    return "" if used else f"the range of remote cluster {peer}, and no pod here has an address of it"


def _service_cidrs(snapshot: Snapshot) -> list[CidrEvidence]:
    found = unread_row(_SERVICE_CIDR, snapshot.service_cidrs)
    for entry in sorted(snapshot.service_cidrs.items, key=lambda entry: entry.ref):
        kind = _SERVICE_CIDR if entry.ready else shown(_SERVICE_CIDR)
        found.extend(rows(kind, entry.ref, "spec.cidrs", entry.cidrs, "" if entry.ready else "not Ready: no address is taken from it"))
    return found


def _helm_charts(snapshot: Snapshot) -> list[CidrEvidence]:
    found: list[CidrEvidence] = []
    for subject in SUBJECTS:
        found.extend(unread_row(_HELM[subject], snapshot.helm_charts))
        for chart in snapshot.helm_charts.items:
            for key in _HELM_KEYS[subject]:
                # Helm's --set takes a comma for the end of a value unless it is escaped.
                value = str(chart.set_values.get(key) or "").replace("\\,", ",")
                found.extend(rows(_HELM[subject], chart.ref, f'spec.set["{key}"]', value))
    return merge_alike(found)


def _openshift(snapshot: Snapshot) -> list[CidrEvidence]:
    found: list[CidrEvidence] = []
    for subject, kind in _OPENSHIFT.items():
        found.extend(unread_row(kind, snapshot.openshift_networks))
        for network in snapshot.openshift_networks.items:
            field = "clusterNetwork[].cidr" if subject == POD else "serviceNetwork[]"
            status = network.status_cluster_networks if subject == POD else network.status_service_networks
            spec = network.spec_cluster_networks if subject == POD else network.spec_service_networks
            if status:
                found.extend(rows(kind, network.ref, f"status.{field}", status))
            else:
                found.extend(rows(kind._replace(standing=INSTALL), network.ref, f"spec.{field}", spec, "status is still empty"))
    return found


def _config_maps(snapshot: Snapshot) -> list[CidrEvidence]:
    found: list[CidrEvidence] = []
    for kind in (_KUBEADM[POD], _KUBEADM[SERVICE], _KUBE_PROXY_CONFIG, _CANAL):
        found.extend(unread_row(kind, snapshot.config_maps))
    for entry in sorted(snapshot.config_maps.items, key=lambda entry: entry.ref):
        if entry.ref.name == "kubeadm-config":
            for subject, key in ((POD, "podSubnet"), (SERVICE, "serviceSubnet")):
                found.extend(_scalar(_KUBEADM[subject], entry.ref, entry.data.get("ClusterConfiguration", ""), "ClusterConfiguration", ("networking", key)))
        elif entry.ref.name == "kube-proxy":
            found.extend(_scalar(_KUBE_PROXY_CONFIG, entry.ref, entry.data.get("config.conf", ""), "config.conf", ("clusterCIDR",)))
        if "net-conf.json" in entry.data:
            found.extend(_net_conf(snapshot, entry.ref, entry.data["net-conf.json"]))
    return found


def _scalar(kind: Kind, owner: object, document: str, key: str, path: tuple[str, ...]) -> list[CidrEvidence]:
    field = f"data[{key}] {'.'.join(path)}"
    value, problem = scalar_at(document, path)
    return [problem_row(kind, owner, field, problem)] if problem else rows(kind, owner, field, value or "", "never updated after installation")


def _net_conf(snapshot: Snapshot, owner: object, document: str) -> list[CidrEvidence]:
    runs = canal_daemon_set(snapshot) is not None or any("flannel" in daemon_set.ref.name for daemon_set in snapshot.daemon_sets.items)
    left_over = snapshot.daemon_sets.known and not runs
    kind, caveat = (_CANAL._replace(standing=INSTALL), "left over: neither canal nor flannel runs here") if left_over else (_CANAL, "")
    try:
        config: t.Any = json.loads(document)
    except (ValueError, RecursionError):
        config = None
    if not isinstance(config, dict):
        return [problem_row(kind, owner, "data[net-conf.json]", "it is no JSON object")]
    return [row for key in ("Network", "IPv6Network") for row in rows(kind, owner, f"data[net-conf.json] {key}", str(config.get(key) or ""), caveat)]


def _installations(snapshot: Snapshot) -> list[CidrEvidence]:
    found = unread_row(_INSTALLATION, snapshot.installations)
    for entry in snapshot.installations.items:
        field, pools = ("status.computed", entry.computed_pools) if entry.computed_pools else ("spec", entry.spec_pools)
        found.extend(rows(_INSTALLATION, entry.ref, f"{field}.calicoNetwork.ipPools[].cidr", pools, "what was asked for; the IPPools are what is"))
    return found


def _calico_node_env(snapshot: Snapshot) -> list[CidrEvidence]:
    found = unread_row(_CALICO_NODE_ENV, snapshot.daemon_sets)
    for daemon_set in sorted(snapshot.daemon_sets.items, key=lambda daemon_set: daemon_set.ref):
        if daemon_set.ref.name not in ("calico-node", "canal", "rke2-canal"):
            continue
        for container in daemon_set.containers:
            for name in ("CALICO_IPV4POOL_CIDR", "CALICO_IPV6POOL_CIDR"):
                field = f"spec.template.spec.containers[{container.name}].env[{name}]"
                found.extend(rows(_CALICO_NODE_ENV, daemon_set.ref, field, container.env_value(name) or "", "used only when no IPPool exists yet"))
    return found


def _node_pod_cidrs(snapshot: Snapshot) -> list[CidrEvidence]:
    found = unread_row(_NODE_POD_CIDR, snapshot.nodes)
    nodes = [node for node in snapshot.nodes.items if node.pod_cidrs]
    if nodes:
        networks = collapse(parse_cidrs([cidr for node in nodes for cidr in node.pod_cidrs]).networks)
        owner = str(nodes[0].ref) if len(nodes) == 1 else f"{len(nodes)} Nodes"
        more = f", and {len(networks) - _RANGES_SHOWN} more ranges" if len(networks) > _RANGES_SHOWN else ""
        caveat = f"the share of {'a node' if len(nodes) == 1 else 'each node'}, never the cluster's range; Calico's IPAM ignores it{more}"
        found.extend(rows(_NODE_POD_CIDR, owner, "spec.podCIDRs", [str(network) for network in networks[:_RANGES_SHOWN]], caveat))
    return found


def _ipam_blocks(snapshot: Snapshot) -> list[CidrEvidence]:
    """What Calico's IPAM has cut out of its pools: never the whole range, but nothing of it lies outside."""
    found: list[CidrEvidence] = []
    blocks = used_blocks(snapshot)
    if blocks:
        networks = collapse(network for block, network in blocks)
        owner = str(blocks[0][0].ref) if len(blocks) == 1 else f"{len(blocks)} IPAMBlocks"
        more = f", and {len(networks) - _RANGES_SHOWN} more ranges" if len(networks) > _RANGES_SHOWN else ""
        used = sum(block.used for block, network in blocks)
        caveat = f"{used} addresses in use; what Calico's IPAM has given to nodes of its pools{more}"
        found.extend(rows(_IPAM_BLOCK, owner, "spec.cidr", [str(network) for network in networks[:_RANGES_SHOWN]], caveat))
    return found
