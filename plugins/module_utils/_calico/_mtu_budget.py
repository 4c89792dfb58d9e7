# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What MTU is left for pods, reckoned line by line so that a person can check it.

The overheads and the hops are those of :mod:`_mtu_arithmetic` and :mod:`_mtu`; a packet is in one tunnel at a time, so that the smallest line counts
and not their sum.
"""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu import MtuPicture, Step, hops
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_arithmetic import (
    OVERHEAD,
    TCP_HEADERS,
    VXLAN,
    VXLAN_V6,
    across_clusters,
    cable_overhead,
    left_for_pods,
)
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_link import TELLING, Refusal
from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError

IPV6_SMALLEST = 1280  # bytes; RFC 8200 section 5: a link of IPv6 carries at least this
IPV6_HEADER_MORE = 20  # bytes by which a header of IPv6 is larger than one of IPv4 (RFC 8200 section 3, RFC 791 section 3.1)


class Known(t.NamedTuple):
    """A size and how it is known."""

    mtu: int
    why: str


class Term(t.NamedTuple):
    """A line of the sum: ``what`` takes ``takes`` bytes and ``leaves`` so many for a pod's packet."""

    what: str
    takes: int
    leaves: int
    why: str

    def __str__(self) -> str:
        taken = f"{self.leaves + self.takes} - {self.takes} = " if self.takes else ""
        return f"{self.what}: {taken}{self.leaves} ({self.why})"


class Budget(t.NamedTuple):
    """:param within: the largest packet of a pod that reaches every node of its own cluster.
    :param across: the largest that reaches a remote cluster whole, None where no cable is known.
    :param terms: the lines of the sum.
    """

    within: int
    across: int | None
    terms: tuple[Term, ...]


def link_of(picture: MtuPicture, given: int | None, refused: t.Sequence[Refusal], promised: int | None) -> Known:
    """The MTU of the links between the nodes.

    :param given: by the user, who knows best.
    :param refused: what the kernel refused: the MTU that a device keeps, and its overhead, do fit the link under it.
    :param promised: what the nodes' cloud documents as the smallest; it only helps a person, since a node's real link may be larger, or a VPN.
    :raises RefusedError: nothing tells it. Calico's own assumption where it found no interface (1460) is no knowledge either.
    """
    if given:
        return Known(given, "option link_mtu")
    if picture.link.mtu is not None and (picture.link.proved or not picture.link.guessed):
        return Known(picture.link.mtu, f"{picture.link.where} {picture.link.field}: {picture.link.source}")
    if refused:
        first = min(refused, key=lambda entry: entry.kept + OVERHEAD[entry.tunnel])
        kept = f"the kernel refused {first.wanted} and keeps {first.kept}, and {OVERHEAD[first.tunnel]} for {first.tunnel}"
        return Known(first.kept + OVERHEAD[first.tunnel], f"{first.log.ref} log of container calico-node: {kept}")
    why = "calico-node found no interface to ask and assumed a value" if picture.link.guessed else picture.link.source
    cloud = f" The cloud of these nodes documents at least {promised}." if promised else ""
    raise RefusedError(
        f"The MTU of the links between the nodes is not known ({why}), and it is not guessed.{cloud} Give it as link_mtu (the smallest that `ip link` shows "
        f"for the interface between the nodes, on any node), or give mtu itself. {TELLING[0].upper()}{TELLING[1:]}."
    )


def budget(picture: MtuPicture, link: Known, *, cable: str = "", path: Known | None = None, ebpf: bool = False) -> Budget:
    """Reckon.

    :param picture: its tunnels must be known.
    :param cable: driver of the cable, "" takes the one that the cluster has.
    :param path: of the way between the sites where that carries less than the nodes' links.
    :param ebpf: Calico's eBPF data plane wraps packets for node ports in VXLAN, whatever the pools say.
    """
    cable = cable or picture.cable
    tunnels = tuple(picture.settings.tunnels or ())
    between = min(link.mtu, path.mtu) if path is not None else link.mtu
    terms = [Term("link between the nodes", 0, link.mtu, link.why)]
    if path is not None and cable:
        terms.append(Term("path between the clusters", 0, path.mtu, path.why))
    of_ebpf = tuple(_of_ebpf(picture, tunnels)) if ebpf else ()
    for step in (*of_ebpf, *hops(picture.settings, cable)):
        base = between if step.what == f"{cable} cable" else link.mtu
        terms.append(Term(step.what, step.bytes, base - step.bytes, step.why))
    aks = picture.settings.aks
    within = min(left_for_pods(link.mtu, tunnels, aks=aks), *(link.mtu - step.bytes for step in of_ebpf), link.mtu)
    across = min(within, across_clusters(link.mtu, tunnels, cable, aks=aks), between - cable_overhead(cable)) if cable else None
    return Budget(within, across, tuple(terms))


def _of_ebpf(picture: MtuPicture, tunnels: t.Sequence[str]) -> t.Iterator[Step]:
    wrapping = VXLAN_V6 if "IPv6" in picture.family else VXLAN
    if wrapping not in tunnels:
        yield Step("VXLAN of the eBPF data plane", OVERHEAD[wrapping], "it forwards node ports to other nodes in VXLAN")


def segment(across: int, family: str) -> Term:
    """The largest TCP segment for a packet of ``across`` bytes: without the headers of IP and TCP."""
    headers = TCP_HEADERS + (IPV6_HEADER_MORE if "IPv6" in family else 0)
    return Term("headers of IP and TCP", headers, across - headers, f"{family}; a segment size counts neither")
