# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""MTUs and checksum offload as the nodes' own hosts show them."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu import mtu_picture
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_offload import FEATURE, override
from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_mtu import MULTUS, judge_offload, judge_pod_mtu, judge_tunnels
from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_plan import VX_SUBMARINER, Flaw, is_submariner_device, underlay
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Evidence
from ansible_collections.fathom.submariner.plugins.module_utils._checks._mtu import STALLS, TOO_LARGE, remedy_for
from ansible_collections.fathom.submariner.plugins.module_utils._checks._node_hosts import (
    Told,
    addresses_of,
    hosts,
    judged,
    keys_of,
    without_document,
)
from ansible_collections.fathom.submariner.plugins.module_utils._checks._node_remedies import on_nodes
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import CannotJudge, NotApplicable, Problem, check
from ansible_collections.fathom.submariner.plugins.module_utils._checks._remedy_data import by_hand, by_role
from ansible_collections.fathom.submariner.plugins.module_utils._checks._words import few, names

CALICO_NODE = "Restart calico-node on these nodes, one by one: its init container writes the file anew."


@check(
    "node-tunnel-mtu",
    title="Tunnel devices of nodes fit the links under them",
    severity="error",
    references=("projectcalico/calico felix/dataplane/linux/int_dataplane.go", "submariner pkg/vxlan/vxlan.go", "submariner-io/submariner#1774"),
    tags=("nodes", "mtu"),
    remedy="Set Calico's MTU to what fits; restart the route agent where vx-submariner was made while the link was larger.",
)
def tunnel_mtu(facts: Facts) -> t.Iterator[Problem]:
    """The MTU of vxlan.calico, tunl0, vx-submariner and the cable's device with what each adds, against the link that really carries it.

    Submariner makes its devices once, from the default route's link at that moment; they do not follow when that changes.
    """
    hosts(facts)

    def tell(nodes: t.Sequence[str], flaws: t.Sequence[Flaw]) -> Told:
        tunnel = flaws[0].keys[0]
        if is_submariner_device(tunnel):
            what = "route agents" if tunnel == VX_SUBMARINER else "gateways"
            text = f"Restart the {what} on {', '.join(nodes[:3])}: {tunnel} is made anew, from the link as it is now."
            variables = {"route_agent_nodes": list(nodes), **({} if tunnel == VX_SUBMARINER else {"route_agent_gateways": True})}
            return Told(STALLS, by_role("route_agent", text, variables, disruptive=True))
        return Told(STALLS, remedy_for(facts, min(int(flaw.keys[2]) for flaw in flaws)), cause=TOO_LARGE)

    yield from judged(facts, lambda host: judge_tunnels(host, addresses_of(facts, host.node)), tell)


@check(
    "node-pod-mtu",
    title="Nodes give pods the MTU that the cluster wants",
    severity="warning",
    references=(
        "projectcalico/calico cni-plugin/internal/pkg/utils/utils.go",
        "projectcalico/calico#5008",
        "k8snetworkplumbingwg/multus-cni docs/configuration.md",
        "openshift/cluster-network-operator pkg/network/multus.go",
    ),
    tags=("nodes", "mtu"),
    remedy="Restart calico-node on the node, which writes the CNI configuration anew.",
)
def pod_mtu(facts: Facts) -> t.Iterator[Problem]:
    """The CNI configuration that the container runtime takes, and /var/lib/calico/mtu, against one another and against what is configured."""
    hosts(facts)
    picture = mtu_picture(facts.snapshot)
    if picture is None:
        raise CannotJudge("whether this cluster runs Calico is not known: no Installation and no DaemonSet calico-node was found")
    if picture.settings.cni:
        raise NotApplicable()  # the CNI configuration, and the MTU in it, are another CNI's
    wanted = picture.settings.pod or None

    def tell(_nodes: t.Sequence[str], flaws: t.Sequence[Flaw]) -> Told:
        if flaws[0].field == "calico.conflist_plugins":
            text = "Take the other file out of the folder (it is left over from another CNI), then recreate the pods that started with it."
            if set(keys_of(flaws)) & set(MULTUS):
                text = (
                    "Leave Multus' own file where it is. Give Multus Calico's configuration as clusterNetwork, or as the first of delegates; then recreate "
                    "the pods."
                )
            return Told("Pods that start there are not Calico's: no route leads to them, and no policy holds for them.", by_hand(text))
        impact = STALLS if flaws[0].severity == "error" else "Pods that start there have another MTU than the others, or none at all."
        return Told(impact, by_hand(CALICO_NODE))

    yield from judged(facts, lambda host: judge_pod_mtu(host, wanted), tell)


@check(
    "node-link-mtu",
    title="The links between nodes have the same MTU",
    severity="warning",
    needs=("nodes",),
    references=("RFC 4821 section 1", "projectcalico/calico#8674"),
    tags=("nodes", "mtu"),
    remedy="Give all nodes' links the same MTU, and the switches between them at least that (role node_link_mtu).",
)
def link_mtu(facts: Facts) -> t.Iterator[Problem]:
    """The interface with the Node's InternalIP of every node. One on jumbo frames beside others on 1500 sends what they cannot take in; nobody answers that."""
    read = hosts(facts)
    found: dict[int, list[tuple[str, str]]] = {}
    unknown = []
    for host in read:
        link = underlay(host, addresses_of(facts, host.node))
        if link is None or not link.mtu:
            unknown.append(host.node)
        else:
            found.setdefault(link.mtu, []).append((host.node, link.name))
    if len(found) > 1:
        yield _different(facts.snapshot.cluster, found)
    lacking = [*unknown, *without_document(facts, read)]
    if lacking:
        subject = names(f"Node {name}" for name in lacking)
        reason = f"which link {names(lacking)} reaches the other nodes by, and its MTU, nobody has read"
        yield Problem(subject=subject, title="The MTU of some nodes' links is not known", missing=reason, severity="warning")


def _different(cluster: str, found: t.Mapping[int, t.Sequence[tuple[str, str]]]) -> Problem:
    usual = max(found, key=lambda mtu: (len(found[mtu]), mtu))
    odd = sorted((node, name, mtu) for mtu, nodes in found.items() if mtu != usual for node, name in nodes)
    devices = {name for _node, name, _mtu in odd}
    shown = names(node for node, _name, _mtu in odd)
    text = f"Set {usual} on {', '.join(sorted(devices))}, if the switches carry it; else the smallest one everywhere."
    return Problem(
        subject=names(f"Node {node}" for node, _name, _mtu in odd),
        title=f"Links between nodes have different MTUs: {usual} on {len(found[usual])} nodes, others on {shown}",
        evidence=few(Evidence(f"Node {node}", f"host links[{name}].mtu", str(mtu), f"most have {usual}") for node, name, mtu in odd),
        impact="What the larger one sends whole the smaller one drops, unless the way between them answers `fragmentation needed`.",
        remedy=on_nodes(
            cluster, "node_link_mtu", [node for node, _name, _mtu in odd], text,
            {"node_link_mtu_device": next(iter(devices)), "node_link_mtu_mtu": usual} if len(devices) == 1 else {"node_link_mtu_mtu": usual}, disruptive=True,
        ),
    )  # fmt: skip


@check(
    "node-checksum-offload",
    title="No node leaves checksums of VXLAN packets to hardware or kernels that miscalculate them",
    severity="warning",
    references=("projectcalico/calico#9433", "projectcalico/calico#4727", "kubernetes-sigs/kubespray#12412", "rancher/rke2#7932"),
    tags=("nodes", "mtu"),
    remedy="Set featureDetectOverride for vxlan.calico; switch the offload off on Submariner's devices (role node_offload).",
)
def checksum_offload(facts: Facts) -> t.Iterator[Problem]:
    """The features of vxlan.calico, vx-submariner and vxlan-tunnel as ethtool shows them, where the card is vmxnet3 or the kernel 5.7.0 or older.

    It proves what check vxlan-checksum-offload concludes, and looks at Submariner's devices, which Felix leaves alone.
    """
    hosts(facts)

    def tell(nodes: t.Sequence[str], flaws: t.Sequence[Flaw]) -> Told:
        impact = "ping passes at any size, TCP and UDP between nodes fail or wait for 63 seconds; tcpdump on a node shows `bad udp cksum`."
        devices = keys_of(flaws)
        if not is_submariner_device(devices[0]):
            felix = override(facts.snapshot)
            return Told(impact, by_hand(f"Set featureDetectOverride: {FEATURE}=true in {felix.where}: Felix then keeps the offload off.", felix.where))
        text = f"Switch the offload off on {', '.join(devices)}, now and whenever the device is made."
        variables = {"node_offload_devices": [{"name": name} for name in devices]}
        return Told(impact, on_nodes(facts.snapshot.cluster, "node_offload", nodes, text, variables, disruptive=True))

    yield from judged(facts, lambda host: judge_offload(host, addresses_of(facts, host.node)), tell)
