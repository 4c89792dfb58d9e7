# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""MTU arithmetic: what each encapsulation takes from a packet, and what is left for pods.

All sizes are bytes. Nothing here reads an object: the numbers come from :mod:`_mtu_knobs`, the judgement is made in the checks.

Sources: the overheads of Calico's tunnels are the constants of projectcalico/calico felix/dataplane/linux/int_dataplane.go (``ipipMTUOverhead``,
``vxlanMTUOverhead``, ``wireguardMTUOverhead`` and their IPv6 twins); those of Submariner's cables are submariner pkg/cable/libreswan
(``MaxIPSecOverhead``) and pkg/routeagent_driver/handlers/mtu/mtuhandler.go. Those count IPv4 between nodes and between
gateways, as in every release up to 0.21.0: the vxlan cable got a device for each family with submariner-io/submariner#3586, after that one. Libreswan's
120 are more than IPsec needs, with IPv6 as well.
"""

from __future__ import annotations

import typing as t

IPIP = "IPIP"
VXLAN = "VXLAN"
VXLAN_V6 = "VXLAN over IPv6"
WIREGUARD = "WireGuard"
WIREGUARD_V6 = "WireGuard over IPv6"
TUNNELS = (IPIP, VXLAN, VXLAN_V6, WIREGUARD, WIREGUARD_V6)
OVERHEAD: t.Mapping[str, int] = {IPIP: 20, VXLAN: 50, VXLAN_V6: 70, WIREGUARD: 60, WIREGUARD_V6: 80}
# Azure's network breaks packets beyond 1400 on links that say 1500, and WireGuard's must not be broken (``aksMTUOverhead`` of the same file).
AKS_OVERHEAD = 100

LIBRESWAN = "libreswan"
CABLE_OVERHEAD: t.Mapping[str, int] = {LIBRESWAN: 120, "wireguard": 120, "vxlan": 50}
VX_SUBMARINER_OVERHEAD = 50  # submariner pkg/routeagent_driver/handlers/kubeproxy: vx-submariner is a VXLAN device
TCP_HEADERS = 40  # IPv4 20 and TCP 20 without options: an MSS counts neither

USUAL_LINK = 1500


def overhead_of(tunnel: str, *, aks: bool = False) -> int:
    """What a tunnel takes from the link.

    :param aks: the cluster is one of AKS whose WireGuard encrypts the nodes' own traffic, too (Felix ``ConfigureDefaultMTUs``).
    """
    return OVERHEAD[tunnel] + (AKS_OVERHEAD if aks and tunnel in (WIREGUARD, WIREGUARD_V6) else 0)


def left_for_pods(link: int, tunnels: t.Iterable[str], *, aks: bool = False) -> int:
    """The largest packet of a pod that passes every one of ``tunnels`` on a link of ``link`` bytes."""
    return link - max((overhead_of(tunnel, aks=aks) for tunnel in tunnels), default=0)


def across_clusters(link: int, tunnels: t.Iterable[str], cable: str, *, aks: bool = False) -> int:
    """The largest packet of a pod that reaches a remote cluster in one piece, the path between the sites being as large as the link.

    It passes three tunnels one after another, never one inside another: Calico's inside the cluster, vx-submariner to the gateway, the cable.

    :param cable: a cable driver; an unknown one counts as libreswan, the largest.
    """
    return min(left_for_pods(link, tunnels, aks=aks), link - VX_SUBMARINER_OVERHEAD, link - cable_overhead(cable))


def cable_overhead(cable: str) -> int:
    return CABLE_OVERHEAD.get(cable, CABLE_OVERHEAD[LIBRESWAN])


def largest_mss(link: int, cable: str) -> int:
    """The largest TCP segment for which a whole packet fits through the cable."""
    return link - cable_overhead(cable) - TCP_HEADERS


def tunnel_mtu(configured: int, link: int | None, tunnel: str, *, aks: bool = False) -> int | None:
    """A tunnel device's MTU: as configured, 0 meaning that Felix derives it from the link; None where the link is not known then."""
    if configured:
        return configured
    return None if link is None else link - overhead_of(tunnel, aks=aks)


def pod_mtu(configured: int, tunnels: t.Mapping[str, int | None], link: int | None) -> int | None:
    """The MTU of the interface of a pod that starts now.

    :param configured: ``mtu`` of the CNI configuration; 0 means that the plugin takes what Felix wrote to /var/lib/calico/mtu, which is the smallest
        MTU of the enabled tunnels, or the link's where none is (felix/dataplane/linux/int_dataplane.go ``determinePodMTU``).
    :param tunnels: the enabled tunnels and the MTU of each, None where that is not known.
    """
    if configured:
        return configured
    if not tunnels:
        return link
    known = [mtu for mtu in tunnels.values() if mtu is not None]
    return min(known) if len(known) == len(tunnels) else None


class Excess(t.NamedTuple):
    """An MTU that is larger than what can carry it. ``tunnel`` is "" where no encapsulation is concerned."""

    mtu: int
    limit: int
    tunnel: str


def beyond_tunnels(pod: int | None, tunnels: t.Mapping[str, int | None]) -> tuple[Excess, ...]:
    """The tunnels that pods' packets do not fit into. Needs no link: a contradiction is one at any link."""
    return tuple(Excess(pod, mtu, tunnel) for tunnel, mtu in tunnels.items() if pod is not None and mtu is not None and pod > mtu)


def beyond_link(tunnels: t.Mapping[str, int | None], pod: int | None, link: int, *, aks: bool = False) -> tuple[Excess, ...]:
    """The tunnels whose packets, once wrapped, do not fit the link; without a tunnel the pods' own packets."""
    fits = {tunnel: link - overhead_of(tunnel, aks=aks) for tunnel in tunnels}
    found = tuple(Excess(mtu, fits[tunnel], tunnel) for tunnel, mtu in tunnels.items() if mtu is not None and mtu > fits[tunnel])
    if not tunnels and pod is not None and pod > link:
        return (Excess(pod, link, ""),)
    return found
