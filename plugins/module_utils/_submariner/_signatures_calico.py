# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Known messages of Calico, its operator and its API server, where Submariner's traffic depends on what they mean.

The fixed parts come from the sources of projectcalico/calico and tigera/operator and from the threads that each row names. What the route agent
prints about Calico stands in ``_signatures_submariner.py``.
"""

from __future__ import annotations

from ansible_collections.fathom.submariner.plugins.module_utils._submariner._signatures import (
    API_SERVICE,
    CALICO_API,
    CALICO_NODE,
    EVENT,
    IP_POOL,
    KUBESPRAY,
    NAMESPACE,
    NODE,
    OPERATOR,
    SYMPTOM,
    TIGERA,
    TIGERA_STATUS,
    Signature,
)

_API = "calico-api-unavailable"

CALICO_SIGNATURES = (
    Signature(
        "api-certificate-name", (API_SERVICE, TIGERA, CALICO_API), ("x509: certificate is valid for", "not calico-api.calico-system.svc"),
        "The Calico API server moved to calico-system with Calico 3.31 and kept the certificate of its old name.",
        "Upgrade tigera-operator to 1.40.8 or newer, or delete the secret calico-apiserver-certs so that it is made anew.",
        ("projectcalico/calico#11363", "tigera/operator#4493"), versions="Calico 3.31", judged_by=_API,
    ),
    Signature(
        "api-secret-missing", (EVENT,), ("calico-apiserver-certs", "not found"),
        "The Calico API server was installed from the manifest without the step that makes its certificate.",
        "Create the secret calico-apiserver-certs and put its CA into the APIService's caBundle, as Calico's instructions show.",
        ("projectcalico/calico#8268",), judged_by=_API,
    ),
    Signature(
        "api-port-closed", (API_SERVICE,), (":5443", "timeout"),
        "kube-apiserver cannot reach port 5443 of the Calico API server: a security group, firewall or network policy drops it.",
        "Open TCP 5443 from the control plane to the pods, or run the Calico API server with hostNetwork.", ("projectcalico/calico#7555",), judged_by=_API,
    ),
    Signature(
        "api-no-endpoints", (API_SERVICE,), ("MissingEndpoints",),
        "No pod of the Calico API server is ready. On a first install one calico-node that does not come up holds it back.",
        "Look at the pods of calico-apiserver, and on a first install at every calico-node.", ("projectcalico/calico#9344", "projectcalico/calico#9540"),
        judged_by=_API,
    ),
    Signature(
        "tiers-wait-for-api", (TIGERA_STATUS, TIGERA), ("Waiting for Tigera API server to be ready",),
        "tigera-operator 1.42 and newer wants an APIServer object, which RKE2's chart does not make.",
        "Enable the API server (RKE2: apiServer.enabled in HelmChartConfig rke2-calico); without need of it, ignore the message.",
        ("rancher/rke2#11229",), versions="tigera-operator >= 1.42", judged_by="calico-tiers-wait",
    ),
    Signature(
        "pools-need-api", (TIGERA_STATUS, TIGERA), ("Unable to modify IP pools while Calico API server is unavailable",),
        "tigera-operator has to change an IPPool and the Calico API server is not there.", "Enable or repair the Calico API server.",
        ("projectcalico/calico#12131",), judged_by=_API,
    ),
    Signature(
        "pool-not-owned", (TIGERA_STATUS, TIGERA), ("Cannot update an IP pool not owned by the operator",),
        "The Installation lists a CIDR whose IPPool was made by hand or differs.", "Make the Installation's pool like the live one, or take it out of the "
        "Installation.", ("tigera/operator#3428", "tigera/operator#4253"), judged_by="calico-operator-degraded",
    ),
    Signature(
        "pool-not-allocatable", (IP_POOL,), ("CIDROverlap",),
        "Two IPPools overlap, and Calico gives no addresses from this one.", "Delete the stale one; join overlapping clusters with Globalnet.",
        ("projectcalico/calico libcalico-go/lib/clientv3/ippool.go",), versions="Calico >= 3.32 with native v3 CRDs", judged_by="pool-overlap",
    ),
    Signature(
        "bgp-unknown-peer", (CALICO_NODE,), ("Unexpected connect from unknown address 240.",),
        "Another node's calico-node took the address of vx-submariner (240.x) for its node address.",
        "Set the address autodetection to a method that cannot pick vx-submariner (kubernetes-internal-ip, cidrs, or skip-interface).",
        ("submariner-io/submariner#1195", "submariner-io/submariner#2810", "projectcalico/calico#11355"), judged_by="calico-address-of-submariner",
    ),
    Signature(
        "bgp-not-established", (CALICO_NODE, EVENT), ("BGP not established with 240.",),
        "calico-node peers with addresses of vx-submariner (240.x), which first-found took for node addresses.",
        "Set the address autodetection to a method that cannot pick vx-submariner (kubernetes-internal-ip, cidrs, or skip-interface).",
        ("submariner-io/submariner#1231", "submariner-io/submariner#3705"), judged_by="calico-address-of-submariner",
    ),
    Signature(
        "vxlan-mtu", (CALICO_NODE,), ("Failed to set vxlan tunnel device MTU", "invalid argument"),
        "vxlan.calico is to get a larger MTU than the interface it stands on, which may have become vx-submariner.",
        "Look at Calico's address autodetection first, then at the MTU.", ("submariner-io/submariner#2810",), judged_by="calico-address-of-submariner",
    ),
    Signature(
        "route-by-bird", (SYMPTOM,), ("proto bird",),
        "BIRD exports a route for a remote cluster's CIDR over the node's default interface, since the remote IPPool lacks disableBGPExport.",
        "Set disableBGPExport: true on the remote IPPools.", ("submariner-io/submariner#3156",), versions="Submariner < 0.17.3, 0.18.0",
        judged_by="remote-pool-fields",
    ),
    Signature(
        "only-gateway-node", (SYMPTOM,), ("only pods on gateway node",),
        "Only pods of the gateway node reach the remote cluster: encapsulation and a cloud's security group, FORWARD DROP, UDP 4800 closed, checksum "
        "offload, or a wrong address autodetection.", "Check in that order.",
        ("submariner-io/submariner#1670", "submariner-io/submariner#2121", "submariner-io/submariner#2841", "submariner-io/submariner#3110"),
    ),
    Signature(
        "checksum-offload", (SYMPTOM,), ("bad udp cksum",),
        "The network card miscalculates checksums of VXLAN packets: ping works, TCP does not.",
        "Set ChecksumOffloadBroken=true in FELIX_FEATUREDETECTOVERRIDE, or switch tx-checksum-ip-generic off on vxlan.calico.",
        ("projectcalico/calico#9433", "rancher/rke2#7932", "kubernetes-sigs/kubespray#12412"), judged_by="vxlan-checksum-offload",
    ),
    Signature(
        "mtu-stall", (SYMPTOM,), ("small packets ok",),
        "The handshake works and data stalls: packets are larger than the path allows.",
        "Lower Calico's MTU, or clamp the MSS with submariner.io/tcp-clamp-mss.",
        ("submariner-io/submariner#1774", "submariner-io/submariner#2132"),
    ),
    Signature(
        "mtu-no-interface", (CALICO_NODE,), ("Failed to auto-detect host MTU", "no interfaces matched"),
        "No interface of the node fits Calico's pattern, so it cannot tell the node's MTU.",
        "Set mtuIfacePattern of FelixConfiguration to the node's interface.",
        ("projectcalico/calico#4522", "projectcalico/calico#8674"), judged_by="mtu-link-guessed",
    ),
    Signature(
        "mtu-too-large", (CALICO_NODE,), ("Configured MTU is larger than detected host interface MTU",),
        "Calico's MTU is larger than the node's interface.", "Lower the MTU, or let mtuIfacePattern fit the interface that carries the traffic.",
        ("projectcalico/calico#12530", "kubernetes-sigs/kubespray#9329"), judged_by="mtu-too-large",
    ),
    Signature(
        "ipset-revision", (CALICO_NODE,), ("Kernel and userspace incompatible",),
        "The ipset in calico-node's image is older than the kernel, or than the program that wrote the sets.",
        "Upgrade Calico to 3.30.6, 3.31.3, 3.32 or newer and reboot the node.",
        ("projectcalico/calico#8372", "projectcalico/calico#9551", "projectcalico/calico#11051"), judged_by="calico-rollout-stalled",
    ),
    Signature(
        "ipset-no-module", (CALICO_NODE,), ("ipset", "Kernel error received: Invalid argument"),
        "The node's kernel has no ip_set.", "Load ip_set for good (modules-load.d), or keep calico-node off the node.", ("projectcalico/calico#9540",),
        judged_by="calico-rollout-stalled",
    ),
    Signature(
        "rollout-waits", (TIGERA_STATUS, TIGERA), ("calico-node", "is not available (awaiting"),
        "One node on which calico-node does not become ready holds the whole rollout back.", "Repair that node, or keep calico-node off it.",
        ("projectcalico/calico#9540",), judged_by="calico-rollout-stalled",
    ),
    Signature(
        "calico-is-down", (NODE,), ("CalicoIsDown",),
        "calico-node was stopped or did not start on this node.", "Read the log of calico-node on it.",
        ("projectcalico/calico node/pkg/lifecycle/shutdown",), judged_by="calico-node-down",
    ),
    Signature(
        "operator-migration", (NODE,), ("operator-node-migration", "pre-operator"),
        "tigera-operator is moving Calico from kube-system and does not get on.", "Repair the old DaemonSet calico-node or typha, or remove the label by hand.",
        ("projectcalico/calico#6810", "projectcalico/calico#6407", "projectcalico/calico#4525"),
    ),
    Signature(
        "cni-token", (EVENT,), ("connection is unauthorized: Unauthorized",),
        "The CNI plugin's token has expired on this node, since calico-node no longer refreshes it: no pod starts there.",
        "Restart calico-node on that node.", ("projectcalico/calico#7846",), severity="error",
    ),
    Signature(
        "kubespray-pool", (KUBESPRAY,), ("Your inventory doesn't match the current cluster configuration",),
        "The IPPool was changed outside Kubespray's inventory.", "Put the live values into the inventory.",
        ("kubernetes-sigs/kubespray roles/network_plugin/calico/tasks/check.yml",),
    ),
    Signature(
        "namespace-discovery", (NAMESPACE, OPERATOR), ("unable to retrieve the complete list of server APIs", "projectcalico.org/v3"),
        "A dead APIService v3.projectcalico.org stalls the deletion of namespaces.", "Repair the Calico API server, or delete the APIService.",
        ("tigera/operator#4103",), judged_by="calico-api-stalls-deletion",
    ),
)
