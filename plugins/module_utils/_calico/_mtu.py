# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The MTU of a cluster in one picture: the link, what each hop takes from it, what is configured and what has effect."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_arithmetic import (
    LIBRESWAN,
    OVERHEAD,
    VX_SUBMARINER_OVERHEAD,
    across_clusters,
    cable_overhead,
    left_for_pods,
    overhead_of,
    pod_mtu,
    tunnel_mtu,
)
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_link import Link, read_link
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_settings import MtuSettings, calico_node, pools_in_use, read_settings
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Snapshot

MOST_KNOBS = 12


class Step(t.NamedTuple):
    """A hop that wraps packets: ``bytes`` is what it takes from the link."""

    what: str
    bytes: int
    why: str


class MtuPicture(t.NamedTuple):
    """:param link: MTU of the nodes' links, None where nothing tells it.
    :param tunnels: of each of Calico's tunnels in use the MTU in force, None where it follows from an unknown link; None where they are not known.
    :param pod: MTU of the interface of a pod that starts now, None where it is not known or another CNI gives it.
    :param steps: the hops one after another; a packet is in one of them at a time, so that the largest counts and not their sum.
    """

    link: Link
    settings: MtuSettings
    tunnels: t.Mapping[str, int | None] | None
    pod: int | None
    steps: tuple[Step, ...]
    family: str
    cable: str

    @property
    def largest_pod_mtu(self) -> int | None:
        """The largest that pods may use within the cluster; beyond it packets are lost between its nodes."""
        if self.link.mtu is None or self.tunnels is None:
            return None
        return left_for_pods(self.link.mtu, self.tunnels, aks=self.settings.aks)

    @property
    def largest_across(self) -> int | None:
        """The largest packet that reaches a remote cluster whole; TCP is clamped to it, UDP is not."""
        if self.link.mtu is None or self.tunnels is None or not self.cable:
            return None
        return across_clusters(self.link.mtu, self.tunnels, self.cable, aks=self.settings.aks)

    def to_dict(self) -> dict[str, t.Any]:
        """Plain JSON types, for the report."""
        return {
            "link": self.link.mtu,
            "link_source": f"{self.link.where} {self.link.field}: {self.link.source}".strip(": ") if self.link.mtu else self.link.source,
            "steps": [step._asdict() for step in self.steps],
            "largest_pod_mtu": self.largest_pod_mtu,
            "largest_across_clusters": self.largest_across,
            "pod": self.pod,
            "configured": [
                {
                    "knob": f"{knob.consumer}: {knob.field}",
                    "value": knob.value if knob.value not in ("", "0") else f"{knob.value} (automatic)".strip(),
                    "where": knob.where,
                    "effective": knob.effective,
                    "note": knob.note,
                }
                for knob in self.settings.knobs[:MOST_KNOBS]
            ],
            "family": self.family,
            "cable": self.cable,
        }


def mtu_picture(snapshot: Snapshot) -> MtuPicture | None:
    """None where this cluster has no Calico whose MTU could be judged."""
    if calico_node(snapshot) is None and not snapshot.installations.items:
        return None
    settings = read_settings(snapshot)
    link = read_link(snapshot, settings)
    tunnels = None
    if settings.tunnels is not None:
        tunnels = {name: tunnel_mtu(value, link.mtu, name, aks=settings.aks) for name, value in settings.tunnels.items()}
    pod = None if settings.cni else settings.pod or None
    if settings.pod == 0 and tunnels is not None and not settings.cni:
        pod = pod_mtu(0, tunnels, link.mtu)
    cable = _cable(snapshot)
    return MtuPicture(link, settings, tunnels, pod, tuple(hops(settings, cable)), _family(snapshot), cable)


def hops(settings: MtuSettings, cable: str) -> t.Iterator[Step]:
    """The hops of a pod's packet to another node, and with a cable to another cluster."""
    for tunnel in settings.tunnels or ():
        yield Step(tunnel, overhead_of(tunnel, aks=settings.aks), _why(settings, tunnel))
    if cable:
        yield Step("vx-submariner", VX_SUBMARINER_OVERHEAD, "from a node to the gateway (VXLAN, UDP 4800)")
        yield Step(f"{cable} cable", cable_overhead(cable), "from gateway to gateway; TCP is clamped to what fits, other packets are fragmented or lost")


def _why(settings: MtuSettings, tunnel: str) -> str:
    who = "an enabled IPPool or Felix asks for it"
    if tunnel in settings.emptying:
        who = f"IPPool {settings.emptying[tunnel]} asks for it, which is disabled: pods with addresses of it keep it"
    more = overhead_of(tunnel, aks=settings.aks) - OVERHEAD[tunnel]
    azure = f"; {more} of them as Felix does on AKS with wireguardHostEncryptionEnabled: Azure's network would break larger packets" if more else ""
    return f"between this cluster's nodes: {who}{azure}"


def _cable(snapshot: Snapshot) -> str:
    """The driver of this cluster's cable, "" where it is not joined."""
    submariner = snapshot.submariner
    if submariner is None:
        return ""
    own = (entry.backend for entry in snapshot.endpoints.items if entry.cluster_id == submariner.cluster_id and entry.backend)
    return next(own, str(submariner.spec.get("cableDriver") or LIBRESWAN))


def _family(snapshot: Snapshot) -> str:
    families = {"IPv6" if ":" in pool.cidr else "IPv4" for pool in pools_in_use(snapshot)}
    return " and ".join(sorted(families)) or "IPv4"
