# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""MTUs on a node: of its link, of the tunnels over it, of the files that pods' interfaces are made by; and checksum offload of what is wrapped."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._calico_version import parse_calico_version
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_arithmetic import (
    IPIP,
    OVERHEAD,
    VX_SUBMARINER_OVERHEAD,
    VXLAN,
    VXLAN_V6,
    WIREGUARD,
    WIREGUARD_V6,
)
from ansible_collections.fathom.submariner.plugins.module_utils._calico._node_plan import VX_SUBMARINER, Flaw, Gap, Judged, gap, link_of, underlay
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_node_host import NodeHost, NodeLink

# What each device adds to a packet; wireguard of the cable is 80 at the most (WireGuard's own default on a link of 1500 is 1420).
_ADDS: t.Mapping[str, int] = {
    "tunl0": OVERHEAD[IPIP], "vxlan.calico": OVERHEAD[VXLAN], "vxlan-v6.calico": OVERHEAD[VXLAN_V6], "wireguard.cali": OVERHEAD[WIREGUARD],
    "wg-v6.cali": OVERHEAD[WIREGUARD_V6], "flannel.1": OVERHEAD[VXLAN], VX_SUBMARINER: VX_SUBMARINER_OVERHEAD, "vxlan-tunnel": OVERHEAD[VXLAN],
    "submariner": OVERHEAD[WIREGUARD],
}  # fmt: skip
WRAPPING = ("vxlan.calico", "vxlan-v6.calico", "flannel.1", VX_SUBMARINER, "vxlan-tunnel")
FEATURES = ("tx-checksum-ip-generic", "tx-checksumming")  # what Felix switches off on its VXLAN device (felix/ethtool)
MULTUS = ("multus", "multus-shim")  # CNI plugins that only call others
VMXNET3 = "vmxnet3"
VIRTIO = ("virtio_net",)
_FIXED_IN_KERNEL = (5, 7, 0)  # the kernel's own defect with VXLAN behind NAT


def judge_tunnels(host: NodeHost, addresses: t.Container[str]) -> Judged:
    """Tunnel devices whose packets, once wrapped, are larger than what the link under them carries.

    :param addresses: the Node's, which tell the link between nodes.
    """
    tunnels = [link for link in host.links if link.name in _ADDS and link.up]
    for tunnel in tunnels:
        below = _below(host, tunnel, addresses)
        if not tunnel.mtu or below is None or not below.mtu:
            yield gap(host, "links.parent", f"which link is under {tunnel.name} is not known")
        elif tunnel.mtu + _ADDS[tunnel.name] > below.mtu:
            fits = below.mtu - _ADDS[tunnel.name]
            what = f"sends {tunnel.mtu} and {_ADDS[tunnel.name]} bytes of {tunnel.name} over {below.name}, which carries {below.mtu}"
            yield Flaw(what, f"links[{tunnel.name}].mtu", str(tunnel.mtu), f"at most {fits} fit", keys=(tunnel.name, below.name, str(fits)))
    if not host.links:
        yield gap(host, "links", "the document has no links")


def _below(host: NodeHost, tunnel: NodeLink, addresses: t.Container[str]) -> NodeLink | None:
    parent = tunnel.parent or (tunnel.vxlan.parent if tunnel.vxlan else "")
    return (link_of(host, parent) if parent else None) or underlay(host, addresses)


def judge_pod_mtu(host: NodeHost, wanted: int | None) -> Judged:
    """What pods that start now get on this node, against what the cluster wants, and against what Felix found out.

    The CNI plugin takes ``mtu`` of the configuration where that is a number, else what Felix wrote to /var/lib/calico/mtu.

    :param wanted: the MTU in force by the cluster's objects, None where it is not known or automatic.
    """
    files = host.calico
    why = host.why_unseen("calico")
    if why:
        yield Gap("calico", why)
        return
    if not files.conflist:
        yield Flaw("has no CNI configuration", "calico.conflist", "", "calico-node's init container install-cni writes it when calico-node starts", "warning")
        return
    if "calico" not in files.conflist_plugins:
        what = f"uses a CNI configuration that is not Calico's: {files.conflist}"
        note = "kubelet's runtime takes the first file by name"
        if set(files.conflist_plugins) & set(MULTUS):
            note = "Multus gives every pod another network than Calico's"
        yield Flaw(what, "calico.conflist_plugins", ", ".join(files.conflist_plugins), note, "error", files.conflist_plugins)
        return
    if files.conflist_mtu and files.mtu_file and files.conflist_mtu > files.mtu_file:
        what = f"gives pods {files.conflist_mtu} bytes, and Calico found room for {files.mtu_file}"
        yield Flaw(what, "calico.conflist_mtu", str(files.conflist_mtu), f"/var/lib/calico/mtu is {files.mtu_file}", "error", (files.conflist,))
    used = files.conflist_mtu or files.mtu_file
    if used is None:
        yield Gap("calico", "neither the CNI configuration nor /var/lib/calico/mtu says an MTU")
    elif wanted and used != wanted:
        field, value = ("calico.conflist_mtu", files.conflist_mtu) if files.conflist_mtu else ("calico.mtu_file", files.mtu_file)
        yield Flaw(f"gives pods {used} bytes where the cluster wants {wanted}", field, str(value), "what is in force was written before it was changed")


def judge_offload(host: NodeHost, addresses: t.Container[str]) -> Judged:
    """VXLAN devices that leave checksums to a card which miscalculates them, or to a kernel that does.

    What Submariner's own devices are set to no API tells; Felix looks after vxlan.calico alone (projectcalico/calico#9433, felix/dataplane/linux/vxlan_mgr.go).
    """
    devices = [link for link in host.links if link.name in WRAPPING]
    kernel = parse_calico_version(host.system.kernel)
    if not host.links:
        yield gap(host, "links", "the document has no links")
    for device in devices:
        card = _below(host, device, addresses)
        drivers = drivers_of(host, card) if card is not None else ()
        old = kernel is not None and kernel <= _FIXED_IN_KERNEL
        driver = next((name for name in (VMXNET3, *VIRTIO) if name in drivers), "")
        if not old and not driver:
            if card is None:
                yield gap(host, "links.parent", f"the card under {device.name} is not known")
            elif kernel is None:
                yield gap(host, "system.kernel", "the document names no kernel")
            continue
        state = offloaded(device)
        if state is None:
            yield gap(host, "links.offloads", f"the offload features of {device.name} could not be asked for")
        elif state:
            culprit = f"Linux {host.system.kernel}" if old and driver != VMXNET3 else f"a {driver} card"
            severity = "" if driver == VMXNET3 or old else "info"
            value = ", ".join(f"{name} on" for name in FEATURES if device.offloads.get(name))
            what = f"leaves checksums of {device.name} to {culprit}"
            yield Flaw(what, f"links[{device.name}].offloads", value, "known for wrong checksums of wrapped packets", severity, (device.name,))


def drivers_of(host: NodeHost, card: NodeLink) -> tuple[str, ...]:
    """The drivers of a link and of what carries it: a bond's or bridge's members, a VLAN's parent."""
    found, waiting = [card], [card]
    while waiting:
        link = waiting.pop()
        below = [entry for entry in host.links if entry.master == link.name or entry.name == link.parent]
        waiting += [entry for entry in below if entry not in found]
        found += [entry for entry in below if entry not in found]
    return tuple(dict.fromkeys(link.driver for link in found if link.driver))


def offloaded(link: NodeLink) -> bool | None:
    """Whether the link's checksums are left to the hardware; None where its features could not be asked for."""
    known = [link.offloads[name] for name in FEATURES if name in link.offloads]
    return any(known) if known else None
