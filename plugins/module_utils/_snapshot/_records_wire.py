# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Records of what probes on a node found on the wire. The documents that the probing modules return have the same names in the same nesting."""

from __future__ import annotations

import typing as t

# Where a packet goes: between the nodes' own addresses, between pods or tunnel addresses of one cluster, over vx-submariner (240.0.0.0/8), between clusters.
UNDERLAY = "underlay"
CALICO = "calico"
SUBMARINER = "submariner"
CROSS_CLUSTER = "cross_cluster"
PATHS = (UNDERLAY, CALICO, SUBMARINER, CROSS_CLUSTER)

OPEN = "open"  # path MTU found, or the exchange succeeded
BLACK_HOLE = "black_hole"  # small ones arrive, large ones are lost and nobody says so
REFUSED = "refused"  # a router, or this host, answered "fragmentation needed"; or the peer reset the connection
DEAD = "dead"  # not even the smallest came back
UNKNOWN = "unknown"  # could not be tried; ``why`` says what would tell


class Latency(t.NamedTuple):
    """Milliseconds."""

    least: float
    median: float
    most: float


class PathMtu(t.NamedTuple):
    """:param mtu: bytes of the largest IP packet, header included, that came back; None when none did.
    :param lost: bytes of the smallest that did not; None when the largest tried arrived.
    :param next_hop_mtu: what a router's "fragmentation needed" (RFC 1191), "packet too big" (RFC 8201) or this host's own route said.
    :param reporter: address of the router that said it.
    """

    target: str  # address
    name: str = ""  # node of the target
    path: str = UNDERLAY
    family: int = 4
    protocol: str = "icmp"  # icmp, udp
    answer: str = UNKNOWN
    mtu: int | None = None
    lost: int | None = None
    next_hop_mtu: int | None = None
    reporter: str = ""
    link_mtu: int | None = None  # of the device that the route to the target takes
    device: str = ""
    latency: Latency | None = None
    packets: int = 0  # sent
    bytes: int = 0  # sent, IP headers included
    why: str = ""


class Contrast(t.NamedTuple):
    """One exchange of a known size with a responder, or with a DNS server."""

    target: str
    name: str = ""
    path: str = UNDERLAY
    family: int = 4
    protocol: str = "tcp"  # tcp, udp, dns
    size: str = "small"  # small, large
    port: int = 0
    answer: str = UNKNOWN  # open, black_hole (no answer), refused, unknown
    corrupt: bool = False  # an answer came whose contents were not what was sent
    milliseconds: float | None = None
    megabits_per_second: float | None = None  # only where a throughput was asked for
    packets: int = 0
    bytes: int = 0
    why: str = ""
    direction: str = ""  # "there" or "back": the way on which it failed, where that could be told


class NodeProbes(t.NamedTuple):
    """What the probes of one node found. ``origin`` tells whether they ran on the host (``host``) or in a pod (``pod``)."""

    node: str
    taken_at: str = ""
    where: str = ""
    cluster: str = ""  # inventory host of its cluster; empty: whichever cluster has a Node of this name
    origin: str = "host"
    paths: tuple[PathMtu, ...] = ()
    contrasts: tuple[Contrast, ...] = ()
