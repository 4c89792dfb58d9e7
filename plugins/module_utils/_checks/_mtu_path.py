# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What happens to large packets on the way to other clusters, and what looks like an MTU problem and is none."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._calico_version import calico_version, parse_calico_version
from ansible_collections.fathom.submariner.plugins.module_utils._calico._install_method import KUBESPRAY, OPERATOR_RKE2, detect_install_method
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu import MtuPicture, mtu_picture
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_arithmetic import (
    LIBRESWAN,
    TCP_HEADERS,
    VXLAN,
    VXLAN_V6,
    largest_mss,
)
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_offload import FEATURE, VSPHERE, Exposed, Override, exposed, override
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts, missing
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Evidence, Remedy
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import CannotJudge, NotApplicable, Problem, check
from ansible_collections.fathom.submariner.plugins.module_utils._checks._remedy_data import by_hand, by_role
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Node

ANNOTATION = "submariner.io/tcp-clamp-mss"
VXLAN_CABLE = "vxlan"
SAFE_SEGMENT = 1300  # bytes; Submariner's documentation, operations/troubleshooting: fits every cable over a link of 1500
SHOWN = 5


@check(
    "tcp-clamp-mss",
    title="A fixed TCP segment size fits through the cable",
    severity="warning",
    needs=("nodes",),
    joined=True,
    references=("submariner pkg/routeagent_driver/handlers/mtu/mtuhandler.go", "submariner-io/submariner#2087", "submariner-io/submariner#1774"),
    tags=("mtu", "agents"),
)
def clamp_mss(facts: Facts) -> t.Iterator[Problem]:
    """Submariner clamps TCP to the path's MTU, or to a fixed size with Globalnet or the node annotation submariner.io/tcp-clamp-mss.

    The route agent reads the annotation once, when it starts; what is no number it logs and ignores. With the vxlan cable its own fixed size is the
    link's MTU less 50, which leaves no room for TCP's headers.
    """
    picture = mtu_picture(facts.snapshot)
    link = picture.link.mtu if picture else None
    cable = picture.cable if picture else LIBRESWAN
    annotated: dict[str, list[Node]] = {}
    for node in facts.snapshot.nodes.items:
        if ANNOTATION in node.annotations:
            annotated.setdefault(node.annotations[ANNOTATION], []).append(node)
    for written, nodes in annotated.items():
        yield from _annotation(nodes, written, link, cable, picture)
    gateways = [node for node in facts.snapshot.nodes.items if node.is_gateway]
    bare = [node.ref.name for node in gateways if ANNOTATION not in node.annotations]
    if facts.globalnet and cable == VXLAN_CABLE and bare:
        yield Problem(
            subject=str(facts.submariner.ref),
            title="With Globalnet and the vxlan cable Submariner's own TCP segment size is too large",
            evidence=(
                Evidence(str(facts.submariner.ref), "spec.cableDriver", cable, "the fixed size is the link's MTU less 50: no room for headers of IP and TCP"),
            ),
            impact="Large TCP transfers to other clusters stall.",
            remedy=by_role(
                "calico_mtu",
                f"Annotate the gateway nodes ({', '.join(bare[:3])}) with {ANNOTATION}={SAFE_SEGMENT} and restart the route agents' pods there.",
                {"calico_mtu_tcp_clamp_mss": SAFE_SEGMENT},
                target="Node annotations",
            ),
        )


def _annotation(nodes: list[Node], written: str, link: int | None, cable: str, picture: MtuPicture | None) -> t.Iterator[Problem]:
    first = str(nodes[0].ref)
    names = " ".join(node.ref.name for node in nodes[:SHOWN])
    row = Evidence(first, f"metadata.annotations[{ANNOTATION}]", written, f"and on {len(nodes) - 1} more nodes" if len(nodes) > 1 else "")
    if not (written.isdecimal() and int(written) > 0):
        yield Problem(
            subject=first,
            title=f"The TCP segment size {written!r} of node {names} is no number, so that nothing is clamped to it",
            evidence=(row,),
            impact="The route agent ignores it: TCP is clamped as if it were not there.",
            remedy=_annotate(nodes, names, SAFE_SEGMENT if link is None else min(SAFE_SEGMENT, largest_mss(link, cable))),
        )
    elif link is not None and int(written) > largest_mss(link, cable):
        fits = largest_mss(link, cable)
        source = picture.link.source if picture else ""
        yield Problem(
            subject=first,
            title=f"TCP segments of {written} bytes do not fit through the {cable} cable: at most {fits} do",
            evidence=(row, Evidence(first, "link", str(link), f"{source}; less the cable and {TCP_HEADERS} of headers")),
            impact="Large TCP transfers to other clusters stall, although a size is clamped.",
            remedy=_annotate(nodes, names, fits),
        )


def _annotate(nodes: list[Node], names: str, segment: int) -> Remedy:
    text, first = f"kubectl annotate --overwrite node {names} {ANNOTATION}={segment}, then restart the route agent's pod there.", str(nodes[0].ref)
    if all(node.is_gateway for node in nodes):
        return by_role("calico_mtu", text, {"calico_mtu_tcp_clamp_mss": segment}, target=first)
    return by_hand(text, first)  # the role looks after the gateways alone


@check(
    "vxlan-checksum-offload",
    title="Checksums of VXLAN packets are not left to hardware that miscalculates them",
    severity="warning",
    needs=("nodes", "ip_pools", "felix_configurations", "daemon_sets"),
    references=("projectcalico/calico#9433", "projectcalico/calico#4727", "kubernetes-sigs/kubespray#12412", "rancher/rke2#7932"),
    tags=("mtu", "versions"),
)
def checksum_offload(facts: Facts) -> t.Iterator[Problem]:
    """It is taken for an MTU problem: ping works at any size, TCP and UDP between nodes fail or wait for 63 seconds; tcpdump shows `bad udp cksum`.

    Felix up to 3.25 switches the offload off on kernels before 5.7, 3.26 and 3.27 always, 3.28 and newer up to kernel 5.7.0 alone, so that clusters
    on VMware break with the upgrade. RKE2's chart sets featureDetectOverride; Kubespray overwrites it with nothing on each run.
    """
    picture = mtu_picture(facts.snapshot)
    if picture is None or not {VXLAN, VXLAN_V6} & set(picture.tunnels or ()):
        raise NotApplicable()
    set_to = override(facts.snapshot)
    if set_to.switched_off:
        return
    version = calico_version(facts.snapshot)
    parsed = parse_calico_version(version)
    if parsed is None:
        raise CannotJudge(missing(facts.snapshot.cluster_informations, "ClusterInformation") or "Calico's version is not known")
    found, unknown = exposed(facts.snapshot, parsed)
    yield from (_offload(facts, entry, version, set_to) for entry in found)
    if unknown:
        yield Problem(
            subject="nodes",
            title="Whether Felix switches checksum offload off on some nodes",
            missing=f"status.nodeInfo.kernelVersion of {', '.join(unknown[:5])}",
        )


def _offload(facts: Facts, entry: Exposed, version: str, set_to: Override) -> Problem:
    vmware = entry.hypervisor == VSPHERE
    name = "VMware" if vmware else entry.hypervisor.removesuffix("://")
    nodes = f"{len(entry.nodes)} nodes, among them {', '.join(entry.nodes[:3])}" if len(entry.nodes) > 3 else ", ".join(entry.nodes)
    method = detect_install_method(facts.snapshot).method
    where = {
        OPERATOR_RKE2: f"felixConfiguration.featureDetectOverride: {FEATURE}=true in the valuesContent of HelmChartConfig kube-system/rke2-calico",
        KUBESPRAY: f'calico_feature_detect_override: "{FEATURE}=true" in Kubespray\'s inventory (an empty one overwrites what is set by hand)',
    }.get(method, f"featureDetectOverride: {FEATURE}=true in FelixConfiguration default")
    return Problem(
        subject=set_to.where,
        title=f"Checksum offload of VXLAN stays on under {name}: Calico {version} does not switch it off on these kernels",
        evidence=(
            Evidence(set_to.where, set_to.field, set_to.value, f"does not say {FEATURE}=true"),
            Evidence("Nodes", "status.nodeInfo.kernelVersion", ", ".join(entry.kernels), nodes),
            Evidence("Nodes", "spec.providerID", f"{entry.hypervisor}…", "known for the defect" if vmware else "where the defect was seen now and then"),
        ),
        impact="Where the virtual network card miscalculates them, ping passes between nodes and TCP and UDP do not; tcpdump on a node shows `bad udp cksum`.",
        remedy=by_hand(f"If so, set {where}; Submariner's own VXLAN devices need `ethtool -K <nic> tx-checksum-ip-generic off` on the nodes.", set_to.where),
        severity="" if vmware else "info",
    )
