# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Known messages of Submariner: what its operator, gateway, route agent, Lighthouse and subctl print when something is wrong.

The fixed parts were read in the sources of submariner, submariner-operator and subctl (0.12 to 0.19) and in the threads that each row names.
"""

from __future__ import annotations

from ansible_collections.fathom.submariner.plugins.module_utils._submariner._signatures import (
    GATEWAY,
    GLOBALNET,
    LIGHTHOUSE,
    OPERATOR,
    ROUTE_AGENT,
    SUBCTL,
    Signature,
)

_POOLS = "submariner pkg/routeagent_driver/handlers/calico/ippool_handler.go"
_DISCOVERY = "submariner-operator pkg/discovery/network/generic.go"
_LOCAL_ENDPOINT = "submariner pkg/endpoint/local_endpoint.go"
_RESTART_GATEWAY_AGENT = "then delete the route agent's pod on the gateway node, since it gave up"

CNI_AT_GATEWAY = "gateway-cni-interface"
PUBLIC_IP = "gateway-public-ip"
UNKNOWN_KEY = "gateway-unknown-key"
HANDLERS = "route-agent-handlers"
VXLAN_FAILED = "route-agent-vxlan"

SUBMARINER_SIGNATURES = (
    Signature(
        "pools-api-absent", (ROUTE_AGENT,), ("could not find the requested resource", "ippools.projectcalico.org"),
        "projectcalico.org/v3 is not served: Submariner cannot create IPPools for remote subnets.",
        f"Enable the Calico API server (APIService v3.projectcalico.org), wait until it is Available, {_RESTART_GATEWAY_AGENT}.",
        ("submariner-io/submariner#2952", "submariner-io/submariner#2810", _POOLS), versions="Submariner >= 0.16", judged_by="calico-api-unavailable",
    ),
    Signature(
        "pools-api-dead", (ROUTE_AGENT,), ("currently unable to handle the request", "ippool"),
        "The Calico API server is registered but does not answer (503).",
        f"Repair calico-apiserver, or tigera-operator where that holds it back, {_RESTART_GATEWAY_AGENT}.",
        ("projectcalico/calico#7555", "projectcalico/calico#11363", _POOLS), versions="Submariner >= 0.16", judged_by="calico-api-unavailable",
    ),
    Signature(
        "endpoint-given-up", (ROUTE_AGENT,), ("Ignoring create event for endpoint",),
        "The route agent tried 20 times (about six minutes) to handle a remote Endpoint, then dropped it: it does not try again.",
        "Cure what failed before it (the lines above it tell), then delete the route agent's pod on the gateway node.",
        ("submariner pkg/event/controller/endpoint_created.go",), judged_by="remote-pool-agent-complains",
    ),
    Signature(
        "pool-overlap", (ROUTE_AGENT,), ("CIDR overlaps with IPPool",),
        "A stale or hand-made IPPool overlaps the one that Submariner wants, and Calico refuses the second.",
        "Delete the stale pool with label submariner.io/ippool, then the route agent's pod. A correct pool made by hand may stay: the message is noise then.",
        ("projectcalico/calico libcalico-go/lib/clientv3/ippool.go", _POOLS), judged_by="remote-pool-blocked",
    ),
    Signature(
        "pools-not-deleted", (ROUTE_AGENT,), ("Failed to delete Calico IPPools",),
        "The Calico API went away before Submariner's clean-up: its IPPools are left over.",
        "Delete the pools with label submariner.io/ippool=true through projectcalico.org/v3 or calicoctl.", (_POOLS,), judged_by="submariner-leftovers",
    ),
    Signature(
        "cidr-mismatch", (OPERATOR,), ("there is a mismatch between the detected and configured",),
        "The CIDR in the Submariner object differs from what discovery finds: it is in force, and the message is printed at every reconcile.",
        "Nothing, where the configured value is the cluster's true one.",
        ("submariner-operator controllers/submariner/submariner_networkdiscovery.go",), judged_by="submariner-cidr-wrong", severity="info",
    ),
    Signature(
        "service-range", (OPERATOR, SUBCTL), ("could not determine the service IP range via service creation",),
        "Kubernetes 1.33 and newer no longer name the service range when they refuse an address, and no kube-apiserver pod shows it.",
        "Upgrade Submariner to 0.21.1 or newer.",
        ("submariner-io/submariner-operator#3627", "submariner-io/submariner-operator#3820", _DISCOVERY), versions="Submariner < 0.21.1",
        judged_by="discovery-fails",
    ),
    Signature(
        "two-token-option", (OPERATOR, SUBCTL), ("index out of range [1] with length 1",),
        "A control-plane pod has an option and its value as two words (--cluster-cidr 10.0.0.0/16), on which Submariner's discovery panics.",
        "Write the option as --name=value in the static pod's manifest.", ("submariner-operator pkg/discovery/network/pods.go",),
        versions="Submariner <= 0.19", judged_by="discovery-fails", fatal=True,
    ),
    Signature(
        "cni-interface-old", (ROUTE_AGENT,), ("Error retrieving the CNI interface",),
        "The route agent found no interface with an address of the cluster CIDR: the CIDR is wrong, or Calico's interface did not exist yet.",
        "Compare the CIDR first; where it is right, delete the route agent's pod, and upgrade to a release that waits.",
        ("submariner-io/submariner#2953", "submariner-io/submariner#2128", "submariner pkg/cni/cni_iface.go"), versions="Submariner <= 0.17",
        judged_by="route-agent-blind",
    ),
    Signature(
        "cni-annotation", (ROUTE_AGENT,), ("annotating", "node", "CNI"),
        "The route agent could not note the address of the CNI interface on its node.",
        "Compare the CIDR first; where it is right, delete the route agent's pod.", ("submariner pkg/cni/cni_iface.go",), versions="Submariner <= 0.17",
        judged_by="route-agent-blind",
    ),
    Signature(
        "cni-interface", (ROUTE_AGENT,), ("Error discovering the CNI interface",),
        "The route agent gave up looking for Calico's interface: the CIDR is wrong, or Calico came later than the agent waits (about 128 s).",
        "Compare the CIDR first; where it is right, delete the route agent's pod on that node.",
        ("submariner-io/submariner#3120", "submariner-io/submariner#1892", "submariner pkg/routeagent_driver/handlers/kubeproxy/kp_packetfilter.go"),
        judged_by="route-agent-blind", unless=("Waiting for CNI interface discovery",),
    ),
    Signature(
        CNI_AT_GATEWAY, (GATEWAY,), ("error getting CNI Interface IP address",),
        "The gateway found no interface with an address of the cluster CIDR, which its health check needs.",
        "Correct the CIDR; do not switch the health check off, that only hides it. With a right CIDR the gateway starts once Calico runs on its node.",
        ("submariner-io/submariner#2953", _LOCAL_ENDPOINT), judged_by="gateway-not-ready", fatal=True,
    ),
    Signature(
        PUBLIC_IP, (GATEWAY,), ("could not determine public IP",),
        "The gateway asked public services for its public address and none answered: there is no way out, or only through a proxy.",
        "Join with --air-gapped, or annotate the gateway node gateway.submariner.io/public-ip=ipv4:ADDRESS, or (Submariner >= 0.18) join with "
        "--https-proxy and a --no-proxy list that holds the API server, service and pod CIDRs.",
        ("submariner-io/submariner#1317", "submariner-io/submariner#2115", "submariner pkg/endpoint/public_ip.go"), judged_by="gateway-not-ready",
        fatal=True,
    ),
    Signature(
        "gateway-public-ip-resolvers", (GATEWAY,), ("Unable to resolve public IP by any",),
        "None of the ways to find the gateway's public address worked.",
        "Join with --air-gapped, or annotate the gateway node gateway.submariner.io/public-ip=ipv4:ADDRESS.",
        ("submariner pkg/endpoint/public_ip.go",), judged_by="gateway-not-ready", fatal=True,
    ),
    Signature(
        UNKNOWN_KEY, (GATEWAY,), ("unknown config annotation",),
        "The gateway's node has a label or annotation under gateway.submariner.io/ that Submariner does not know, and the gateway ends on it.",
        "Remove that label or annotation from the node.", (_LOCAL_ENDPOINT,), judged_by="gateway-node-key-unknown", fatal=True,
    ),
    Signature(
        "subnets-overlap", (GATEWAY,), ("subnets are overlapping",),
        "A remote cluster's subnets overlap this cluster's own, so the gateway ignores that cluster. A CIDR that is too wide does the same.",
        "Compare the CIDRs of both; join them with Globalnet where they really overlap.",
        ("submariner pkg/controllers/datastoresyncer/datastoresyncer.go",), judged_by="clusterset-cidr-overlap", severity="error",
    ),
    Signature(
        "subnets-overlap-agent", (ROUTE_AGENT,), ("overlappingSubnets for new remote",),
        "A remote cluster's subnets overlap those of another one or this cluster's own: the route agent ignores it.",
        "Compare the CIDRs of both; join them with Globalnet where they really overlap.",
        ("submariner pkg/routeagent_driver/handlers/kubeproxy/endpoint_handler.go",), judged_by="clusterset-cidr-overlap",
    ),
    Signature(
        "rp-filter", (ROUTE_AGENT, GATEWAY), ("loose mode not configured on iface",),
        "Something on the node sets rp_filter back to strict (NetworkManager, tuned, a sysctl file): answers that come in another way are dropped.",
        "Make net.ipv4.conf.all.rp_filter and those of the interfaces 2 (or 0) for good in sysctl.d and in the tool that resets it; then delete the pod.",
        ("submariner-io/submariner#2422", "submariner-io/submariner#4099", "submariner pkg/netlink/netlink.go"), severity="error",
    ),
    Signature(
        VXLAN_FAILED, (ROUTE_AGENT,), ("Unable to create VxLAN interface",),
        "The route agent cannot make its tunnel vx-submariner: UDP 4800 is in use, the kernel module vxlan is missing, or an old link is left.",
        "On the node: ip link delete vx-submariner, look who has UDP 4800, modprobe vxlan; then delete the route agent's pod.",
        ("submariner pkg/routeagent_driver/handlers/kubeproxy/endpoint_handler.go",), judged_by="route-agent-not-ready", fatal=True,
    ),
    Signature(
        HANDLERS, (ROUTE_AGENT,), ("Error registering the handlers",),
        "A handler of the route agent failed at its start. On IBM Cloud that is a Calico API which is registered but answers 503.",
        "Repair the Calico API server; the agent starts by itself then.", ("submariner pkg/routeagent_driver/main.go", "submariner-io/submariner#1670"),
        judged_by="calico-api-unavailable", fatal=True,
    ),
    Signature(
        "ping-failed", (GATEWAY, ROUTE_AGENT), ("Failed to successfully ping the remote endpoint IP",),
        "The tunnel stands, but pings through it are lost: a firewall, the MTU, a wrong health-check address, or strict rp_filter.",
        "Check CIDRs of both clusters first (the address comes from them), then ESP or UDP 4500 and 4800 between the nodes, then the MTU.",
        ("submariner pkg/pinger/pinger.go",), judged_by="connection-not-connected",
    ),
    Signature(
        "clusterid-taken", (SUBCTL,), ("Cluster IDs must be unique",),
        "The broker has a Cluster of this id and this cluster has none: another cluster uses the id, or an unclean removal left it.",
        "Delete the stale Cluster and Endpoint of that id in the broker's namespace, or join under another --clusterid.",
        ("subctl cmd/subctl/join.go", "submariner-io/subctl#705"), judged_by="broker-stale-records",
    ),
    Signature(
        "subctl-older", (SUBCTL,), ("subctl version", "is older than the deployed"),
        "subctl is older than the Submariner that is deployed, and refuses to work.", "Use the subctl of the deployed version.",
        ("subctl pkg/cluster/restconfig.go",),
    ),
    Signature(
        "join-prompt-cidr", (SUBCTL,), ("Error collecting CIDR: EOF",),
        "subctl did not find the CIDR and asked a person, and there was none.", "Give --clustercidr and --servicecidr.", ("subctl cmd/subctl/join.go",),
    ),
    Signature(
        "join-prompt-gateway", (SUBCTL,), ("Error getting gateway node: EOF",),
        "subctl asked a person which node is to be the gateway, and there was none.", "Label a node submariner.io/gateway=true before the join.",
        ("subctl cmd/subctl/join.go",),
    ),
    Signature(
        "provided-cidr-differs", (SUBCTL,), ("Your provided", "does not match discovered"),
        "The CIDR that was given differs from what discovery finds; the given one is used.", "Compare it with the cluster's true one.",
        ("submariner-io/submariner#2285",),
    ),
    Signature(
        "no-network", (SUBCTL, OPERATOR), ("No cluster network discovered",),
        "Discovery found no network at all.", "Give both CIDRs; on Kubernetes 1.33 and newer use Submariner 0.21.1 or newer.",
        ("submariner-io/submariner#3634", "submariner-io/submariner#3676"), judged_by="discovery-fails",
    ),
    Signature(
        "rke2-dns", (OPERATOR,), ("error updating Openshift DNS operator",),
        "The operator found no ConfigMap kube-system/coredns (RKE2's has another name) and tried OpenShift's DNS instead.",
        "Upgrade Submariner to 0.20 or newer, or add the forward block to RKE2's CoreDNS.",
        ("submariner-io/submariner-operator#3005", "submariner-io/lighthouse#1602"), versions="Submariner < 0.20", judged_by="dns-not-forwarded",
    ),
    Signature(
        "uninstall-timeout", (OPERATOR,), ("Timed out waiting for components to complete",),
        "The clean-up took longer than two minutes and was cut off: IPPools, links and rules of the nodes can be left.",
        "Delete the pools with label submariner.io/ippool=true and the DaemonSets submariner-*-uninstall; restart the nodes or delete vx-submariner by hand.",
        ("submariner-operator pkg/uninstall",), judged_by="uninstall-left-running",
    ),
    Signature(
        "broker-certificate", (GATEWAY, LIGHTHOUSE, OPERATOR, GLOBALNET), ("x509: certificate signed by unknown authority",),
        "The certificate of the broker's API server is not signed by the authority that the broker's information names.",
        "Join again with a fresh broker-info.subm (subctl recover-broker-info).", ("submariner pkg/gateway/gateway.go",), judged_by="broker-unreachable",
    ),
)
