# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Known defects of releases: what is affected, on what it depends, how it shows, and which release is the first without it.

Rows with ``judged_by`` are judged from objects by the check of that id; the others by check ``known-bug``. Where upstream has no fix, ``fixed`` is
empty. Every row names where it was established.
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._submariner._cni_discovery import CNI_RETRIES
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._version import (
    ARGS_READ,
    CALICO_BY_DAEMON_SET,
    NFTABLES_NO_SNAT,
    ONE_NODE_ONLY,
    POOLS_BY_AGENT,
    POOLS_WITHOUT_BGP_EXPORT,
    RKE2_DNS,
    SERVICE_CIDR_OBJECTS,
    SEVERAL_CIDRS,
    Change,
    parse_submariner_version,
)

SUBMARINER = "Submariner"
CALICO = "Calico"
OPERATOR = "tigera-operator"

# Conditions under which a defect shows. ``_checks/_versions.py`` decides each of them.
CALICO_PLUGIN = "Submariner's network plugin is calico"
UNPINNED = "a CIDR is left to discovery"
RKE2 = "RKE2"
SEVERAL_NODES = "several nodes"
KUBERNETES_1_33 = "Kubernetes 1.33 or newer"
NO_API_SERVER_POD = "no kube-apiserver pod shows its options"
BGP = "Calico runs BGP"
NO_CALICO_CONFIG = "there is no ConfigMap calico-config"
SERVICE_DISCOVERY = "service discovery is on"
PROXY_NFTABLES = "kube-proxy runs in nftables mode"
CALICO_NFTABLES = "Calico programs nftables"
EBPF = "Calico runs its eBPF data plane"
NATIVE_V3 = "projectcalico.org/v3 is served from CRDs"
NEW_KERNEL = "a node has Linux 6.5 or newer"
VMWARE = "nodes run on VMware"
API_SERVER_ASKED = "the operator is asked for the Calico API server"
NO_API_SERVER_ASKED = "the operator is not asked for the Calico API server"
CONDITIONS = frozenset(
    (
        CALICO_PLUGIN, UNPINNED, RKE2, SEVERAL_NODES, KUBERNETES_1_33, NO_API_SERVER_POD, BGP, NO_CALICO_CONFIG, SERVICE_DISCOVERY, PROXY_NFTABLES,
        CALICO_NFTABLES, EBPF, NATIVE_V3, NEW_KERNEL, VMWARE, API_SERVER_ASKED, NO_API_SERVER_ASKED,
    )
)
_NUMBERS = re.compile(r"^v?(\d+)\.(\d+)(?:\.(\d+))?")


class KnownBug(t.NamedTuple):
    """One row.

    :param id: stable, kebab-case.
    :param component: whose version decides: Submariner, Calico or tigera-operator.
    :param since: the first release with it, "" for all before the fix.
    :param fixed: the first release without it in every line that has one, ascending; () where there is none.
    :param needs: conditions of this module, all of which must hold.
    :param symptom: what is seen, in the user's words.
    :param workaround: what is tried without an upgrade, "" where nothing is.
    :param workaround_helps: False where it is often tried and does not help.
    :param judged_by: the check that judges from objects whether it is there, "" for check ``known-bug``.
    """

    id: str
    component: str
    since: str
    fixed: tuple[str, ...]
    needs: tuple[str, ...]
    symptom: str
    workaround: str
    workaround_helps: bool
    sources: tuple[str, ...]
    severity: str = "warning"
    judged_by: str = ""

    def affects(self, version: str) -> bool | None:
        """None when the version names no release."""
        point = _point(self.component, version)
        if point is None:
            return None
        if self.since and point < t.cast(t.Any, _point(self.component, self.since)):
            return False
        return not _is_fixed(self, point)

    def upgrade_for(self, version: str) -> str:
        """The least upgrade that brings the fix: in the same line where it has one, else the first of a later line; "" without a fix."""
        point = _point(self.component, version)
        later = [text for text in self.fixed if point is None or t.cast(t.Any, _point(self.component, text))[:2] >= point[:2]]
        return later[0] if later else self.fixed[-1] if self.fixed else ""


def _point(component: str, version: str) -> tuple[t.Any, ...] | None:
    if component == SUBMARINER:
        found = parse_submariner_version(version)
        return None if found is None else found.point
    numbers = _NUMBERS.match(version.strip())
    return None if numbers is None else tuple(int(part or 0) for part in numbers.groups())


def _is_fixed(bug: KnownBug, point: tuple[t.Any, ...]) -> bool:
    """In a line with a fix from that release on; in other lines where the last fix is of an older one."""
    starts = [t.cast(t.Any, _point(bug.component, text)) for text in bug.fixed]
    own = [start for start in starts if start[:2] == point[:2]]
    if own:
        return bool(point >= own[0])
    return bool(starts) and all(start[:2] < point[:2] for start in starts)


def known_bug(bug_id: str) -> KnownBug:
    """:raises KeyError: no row has that id."""
    return {row.id: row for row in KNOWN_BUGS}[bug_id]


def _row(change: Change, needs: tuple[str, ...], symptom: str, workaround: str, helps: bool, judged_by: str = "", severity: str = "warning") -> KnownBug:
    """The defect that a change of Submariner's behaviour ended."""
    return KnownBug(f"before-{change.id}", SUBMARINER, "", change.first, needs, symptom, workaround, helps, (change.source,), severity, judged_by)


KNOWN_BUGS = (
    _row(
        ARGS_READ, (RKE2, UNPINNED),
        "Discovery does not see RKE2's options, which stand in args: a single node's /24 is taken for the cluster's pod CIDR, or none is found.",
        "join with --clustercidr and --servicecidr", True, "submariner-cidr-wrong",
    ),
    _row(
        ONE_NODE_ONLY, (SEVERAL_NODES, UNPINNED), "The first node's /24 is taken for the whole cluster's pod CIDR.",
        "join with --clustercidr and --servicecidr", True, "submariner-cidr-wrong",
    ),
    _row(
        SEVERAL_CIDRS, (UNPINNED,), "Of several detected CIDRs only the first is used.", "join with all of them in --clustercidr", True,
        "submariner-cidr-wrong",
    ),
    _row(
        SERVICE_CIDR_OBJECTS, (KUBERNETES_1_33, NO_API_SERVER_POD),
        "The operator cannot discover the service CIDR, and stops before it reconciles anything.", "--clustercidr and --servicecidr", False, "discovery-fails",
    ),
    _row(
        CALICO_BY_DAEMON_SET, (NO_CALICO_CONFIG,), "An operator's installation of Calico is not recognised: no IPPools are made for remote clusters.",
        "making the IPPools by hand", True,
    ),
    _row(POOLS_BY_AGENT, (CALICO_PLUGIN,), "The route agent makes no IPPools for remote subnets.", "making them by hand, disabled and without NAT", True),
    _row(
        POOLS_WITHOUT_BGP_EXPORT, (CALICO_PLUGIN, BGP),
        "BIRD re-advertises remote subnets: other nodes reach them over the default interface, past the gateway.",
        "setting disableBGPExport on the pools", True, "remote-pool-fields",
    ),
    _row(
        CNI_RETRIES, (CALICO_PLUGIN,),
        "The route agent looks for Calico's interface once, when it starts: after a reboot it may be Ready and blind, and stays so.",
        "deleting the route agent's pod on that node once Calico runs there", True,
    ),
    _row(
        RKE2_DNS, (RKE2, SERVICE_DISCOVERY), "The operator does not find RKE2's CoreDNS: names under clusterset.local are not forwarded.",
        "adding the forward block to rke2-coredns by hand", True, "dns-not-forwarded",
    ),
    _row(
        NFTABLES_NO_SNAT, (PROXY_NFTABLES,), "kube-proxy in nftables mode masquerades traffic of other clusters: it arrives with a node's address.",
        "setting kube-proxy's mode to iptables", True, "kube-proxy-mode",
    ),
    KnownBug(
        "ebpf-not-validated", SUBMARINER, "", (), (EBPF,),
        "Calico's eBPF data plane replaces kube-proxy and much of what Submariner's rules rely on; Submariner neither detects nor tests it.",
        "switching the data plane back to iptables and kube-proxy on", True, ("https://submariner.io/operations/known-issues/",),
    ),
    KnownBug(
        "diagnose-blind-to-native-v3", SUBMARINER, "", (), (NATIVE_V3,),
        "subctl diagnose cni reads crd.projectcalico.org/v1, which is not there any more: it reports missing IPPools that exist.",
        "reading ippools.projectcalico.org instead", True, ("subctl pkg/diagnose/cni.go", "projectcalico/calico manifests/v3_projectcalico_org.yaml"), "info",
    ),
    KnownBug(
        "api-certificate-namespace", OPERATOR, "1.40.0", ("1.40.8", "1.42.0"), (API_SERVER_ASKED,),
        "After the API server moved to calico-system, a certificate for the old namespace is kept: every call of projectcalico.org/v3 ends with 503.",
        "deleting Secret tigera-operator/calico-apiserver-certs", True, ("projectcalico/calico#11363", "tigera/operator#4493", "tigera/operator#4542"),
        judged_by="calico-api-unavailable",
    ),
    KnownBug(
        "tiers-wait-for-api-server", OPERATOR, "1.42.0", (), (NO_API_SERVER_ASKED,),
        "TigeraStatus tiers stays Degraded while no API server is asked for; no packet depends on it.", "enabling the Calico API server", True,
        ("rancher/rke2#11229",), "info", "calico-tiers-wait",
    ),
    KnownBug(
        "ipset-revision", CALICO, "", ("3.30.6", "3.31.3", "3.32.0"), (NEW_KERNEL,),
        "The ipset of calico-node's image is older than the kernel: Felix cannot read sets that others made, and calico-node does not get ready.",
        "rebooting the node, which drops the sets", True,
        ("projectcalico/calico#8372", "projectcalico/calico#11051", "projectcalico/calico#11340", "projectcalico/calico#11464"),
        judged_by="calico-rollout-stalled",
    ),
    KnownBug(
        "vxlan-checksum-offload", CALICO, "3.28.0", (), (VMWARE,),
        "Felix leaves checksum offload on: ping passes between nodes, TCP and UDP do not.", "featureDetectOverride: ChecksumOffloadBroken=true", True,
        ("projectcalico/calico#9433", "rancher/rke2#7932", "kubernetes-sigs/kubespray#12412"), judged_by="vxlan-checksum-offload",
    ),
    KnownBug(
        "nftables-tech-preview", CALICO, "3.29.0", ("3.31.0",), (CALICO_NFTABLES,), "Calico's nftables data plane is a technical preview.",
        "nftablesMode: Disabled", True, ("https://docs.tigera.io/calico/latest/getting-started/kubernetes/nftables",),
    ),
)
