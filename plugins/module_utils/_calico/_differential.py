# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What breaks a path between nodes, told apart from what looks like it.

Packets that do not arrive look alike from a distance: an MTU that is too large, a card that miscalculates checksums, kube-proxy in IPVS mode, a blocked UDP
port, a missing route, a policy, strict reverse path filtering. Each cause has a *signature*, what must have been observed for it; of two causes every two
signatures ask for different values of some observation, the one that separates them. A cause is claimed when all of its signature has been observed, which has
what would refute it: an MTU takes more than lost pings, a blocked port a tunnel that has one. An observation that is missing keeps every cause possible that it
could separate, and says what would tell.
"""

from __future__ import annotations

import typing as t

# Causes.
MTU = "mtu"
OFFLOAD = "checksum-offload"
IPVS = "ipvs"
BLOCKED = "udp-blocked"
ROUTE = "route"
POLICY = "policy"
RP_FILTER = "rp-filter"
CAUSES = (MTU, OFFLOAD, IPVS, BLOCKED, ROUTE, POLICY, RP_FILTER)

# Observations. Values are True and False, of WHAT a text; None is unknown.
WHAT = "what"  # what was addressed: PATH, SERVICE or PORT
ALIVE = "alive"  # the target answers on another way: its own address, or another node
SMALL = "small"  # small packets pass on this path: ping, TCP or UDP
FULL = "full"  # a ping as large as the device that the path takes promises passes
DATAGRAM = "datagram"  # so does such a UDP datagram that must not be fragmented
EXCHANGE = "exchange"  # a short exchange over TCP or UDP succeeds
LARGE = "large"  # a large one over TCP succeeds
REFUSAL = "refusal"  # somebody answered a large ping that fragmentation is needed
BESIDE = "beside"  # the same short exchange succeeds between the nodes' own addresses
UDP_BESIDE = "udp_beside"  # UDP passes between the nodes' own addresses, on another port
LARGE_BESIDE = "large_beside"  # the same large exchange succeeds between the nodes' own addresses
OFFLOADED = "offloaded"  # checksums of the tunnel's device are left to the hardware on one of the nodes
WIRED = "wired"  # both nodes have a route to each other that leads into the path's device, and the devices fit each other
STRICT = "strict"  # strict reverse path filtering acts where packets come in, and the route back leads elsewhere
CARRIER = "carrier"  # packets leave the node inside those of a tunnel, which have a port or protocol of their own
RULE = "rule"  # a firewall rule of one of the nodes drops the protocol or port that the path needs
DROPPED = "dropped"  # Calico's policies drop it, as evaluated
DIRECT = "direct"  # all pods behind the Service answer on their own addresses
IS_IPVS = "is_ipvs"  # kube-proxy runs in IPVS mode
PORT_PASSES = "port_passes"  # a datagram to this port of the node is answered
PORT_SERVED = "port_served"  # the responder on this port answers others, or says over TCP what it heard

PATH, SERVICE, PORT = "path", "service", "port"

Value = t.Union[bool, str]
Observed = t.Mapping[str, t.Optional[Value]]

# What an observation means, in words for evidence, and what would make it known.
WORDS: t.Mapping[str, tuple[str, str, str]] = {
    WHAT: ("", "", ""),
    ALIVE: ("the target answers on another way", "", "path_mtu to the target's own address (path underlay), or from another node"),
    SMALL: ("small packets pass", "not even small packets pass", "path_mtu by ICMP, and path_probe with TCP and UDP, to the same address"),
    FULL: ("a full-sized ping passes", "a full-sized ping is lost", "path_mtu by ICMP to the same address"),
    DATAGRAM: ("a full-sized UDP datagram passes", "a full-sized UDP datagram is lost", "path_mtu by UDP to the same address"),
    EXCHANGE: ("a short exchange succeeds", "a short exchange fails, over TCP and UDP", "path_probe with TCP and UDP, size small, to the same address"),
    LARGE: ("a large exchange succeeds", "a large exchange over TCP fails", "path_probe with TCP, size large, to the same address"),
    REFUSAL: ("somebody says that large pings must be fragmented", "nobody says why large pings are lost", "path_mtu by ICMP to the same address"),
    BESIDE: ("the same exchange succeeds between the nodes' own addresses", "", "path_probe to the target's own address (path underlay)"),
    UDP_BESIDE: ("UDP passes between the nodes' own addresses on another port", "", "path_probe with UDP to the target's own address (path underlay)"),
    LARGE_BESIDE: (
        "the same large exchange succeeds between the nodes' own addresses",
        "a large exchange between the nodes' own addresses fails as well",
        "path_probe with TCP, size large, to the target's own address (path underlay)",
    ),
    OFFLOADED: ("checksums are left to the hardware", "checksums are made by the kernel", "node_info of both nodes: links and their offloads (ethtool -k)"),
    WIRED: ("both nodes have their route into the device", "a route into the device is missing", "node_info of both nodes: routes and links"),
    STRICT: (
        "strict rp_filter acts and the route back leads elsewhere",
        "rp_filter lets it pass",
        "node_info of both nodes: rp_filter, links and routes",
    ),
    CARRIER: ("the packets travel in a tunnel", "the packets travel without a tunnel", "node_info of the node: routes and links"),
    RULE: ("a firewall rule of a node drops it", "no firewall rule of the nodes drops it", "node_info as root of both nodes: firewall"),
    DROPPED: ("a policy drops it", "no policy drops it", "reading HostEndpoints, policies and Tiers of Calico"),
    DIRECT: ("the pods behind it answer on their own addresses", "", "path_probe with DNS to the addresses of the DNS pods"),
    IS_IPVS: ("kube-proxy runs in IPVS mode", "kube-proxy does not run in IPVS mode", "reading kube-proxy's pods or its ConfigMap"),
    PORT_PASSES: ("a datagram to the port is answered", "a datagram to the port is not answered", "path_probe with UDP to this port while a responder listens"),
    PORT_SERVED: ("the responder on the port answers others", "", "path_probe with UDP to this port from another node, while the responder listens"),
}

# A cause has one or more signatures. Of WHAT, ALIVE and the like only what tells causes apart, or keeps a healthy path from being called broken, is asked for.
_DEAD = {WHAT: PATH, ALIVE: True, SMALL: False}
_REACHES = {**_DEAD, WIRED: True}
_LETS = {**_REACHES, STRICT: False}
SIGNATURES: tuple[tuple[str, t.Mapping[str, Value]], ...] = (
    # A filter may drop large pings, and those alone.
    (MTU, {WHAT: PATH, SMALL: True, FULL: False, DATAGRAM: False}),
    (MTU, {WHAT: PATH, SMALL: True, FULL: False, LARGE: False}),
    (MTU, {WHAT: PATH, SMALL: True, FULL: False, REFUSAL: True}),
    (MTU, {WHAT: PATH, SMALL: True, EXCHANGE: True, DATAGRAM: False, LARGE: False}),
    (OFFLOAD, {WHAT: PATH, SMALL: True, FULL: True, EXCHANGE: False, BESIDE: True, OFFLOADED: True, DROPPED: False}),
    (OFFLOAD, {WHAT: PATH, SMALL: True, FULL: True, EXCHANGE: True, DATAGRAM: True, LARGE: False, LARGE_BESIDE: True, OFFLOADED: True}),
    (ROUTE, {**_DEAD, WIRED: False}),
    (RP_FILTER, {**_REACHES, STRICT: True}),
    (POLICY, {**_LETS, DROPPED: True}),
    (POLICY, {WHAT: PATH, SMALL: True, FULL: True, EXCHANGE: False, DROPPED: True}),
    (POLICY, {WHAT: PORT, ALIVE: True, PORT_PASSES: False, PORT_SERVED: True, DROPPED: True}),
    (BLOCKED, {**_LETS, CARRIER: True, DROPPED: False, UDP_BESIDE: True}),
    (BLOCKED, {**_LETS, CARRIER: True, DROPPED: False, RULE: True}),
    (BLOCKED, {WHAT: PORT, ALIVE: True, PORT_PASSES: False, PORT_SERVED: True, DROPPED: False}),
    (IPVS, {WHAT: SERVICE, EXCHANGE: False, DIRECT: True, IS_IPVS: True}),
)

# Observations whose False is a symptom: something that must pass does not.
SYMPTOMS = (SMALL, FULL, DATAGRAM, EXCHANGE, LARGE, PORT_PASSES)


class Verdict(t.NamedTuple):
    """:param cause: what it is, "" where that is not known or nothing is wrong.
    :param because: the observations that say so, with their values: the whole signature.
    :param possible: the causes that what was observed does not rule out; empty where nothing is wrong, and where none of the known causes fits.
    :param wanted: the observations that are missing and would tell, most telling first.
    """

    cause: str = ""
    because: t.Mapping[str, Value] = {}
    possible: tuple[str, ...] = ()
    wanted: tuple[str, ...] = ()


def symptoms(observed: Observed) -> tuple[str, ...]:
    """What does not pass and should."""
    return tuple(name for name in SYMPTOMS if observed.get(name) is False and not (name == FULL and pings_filtered(observed)))


def pings_filtered(observed: Observed) -> bool:
    """Large pings alone are lost: what else is as large passes, and nobody says that it must be fragmented."""
    return observed.get(FULL) is False and (observed.get(DATAGRAM), observed.get(LARGE), observed.get(REFUSAL)) == (True, True, False)


def decide(observed: Observed) -> Verdict:
    """Tell the cause of what was observed on one path.

    More observations never turn one claimed cause into another one, and fewer never make a claim: a claim needs every value of a signature, and the
    signatures of different causes exclude each other.
    """
    if not symptoms(observed):
        return Verdict()
    for cause, signature in SIGNATURES:
        if all(observed.get(name) == value for name, value in signature.items()):
            return Verdict(cause, signature, (cause,))
    open_ones = [(cause, signature) for cause, signature in SIGNATURES if not _contradicted(observed, signature)]
    possible = {cause for cause, _signature in open_ones}
    missing: dict[str, int] = {}
    for _cause, signature in open_ones:
        for name in signature:
            if observed.get(name) is None:
                missing[name] = missing.get(name, 0) + 1
    wanted = sorted(missing, key=lambda name: -missing[name])
    return Verdict("", {}, tuple(cause for cause in CAUSES if cause in possible), tuple(wanted))


def separating(one: str, other: str) -> tuple[str, ...]:
    """The observations by which two causes are told apart, for the guide: of each two of their signatures the first on whose value they differ."""
    found: dict[str, None] = {}
    for cause, signature in SIGNATURES:
        for another, against in SIGNATURES:
            if (cause, another) == (one, other):
                found.update(dict.fromkeys(_differences(signature, against)[:1]))
    return tuple(found)


def in_words(name: str, value: t.Optional[Value]) -> str:
    """An observation and its value, for evidence; "" for one that needs no words."""
    passes, fails, _telling = WORDS[name]
    return passes if value is True else fails if value is False else ""


def telling(names: t.Iterable[str]) -> str:
    """What would make observations known."""
    return "; ".join(dict.fromkeys(WORDS[name][2] for name in names if WORDS[name][2]))


def _contradicted(observed: Observed, signature: t.Mapping[str, Value]) -> bool:
    return any(observed.get(name) is not None and observed.get(name) != value for name, value in signature.items())


def _differences(one: t.Mapping[str, Value], other: t.Mapping[str, Value]) -> list[str]:
    return [name for name in WORDS if name in one and name in other and one[name] != other[name]]


def any_of(*values: bool | None) -> bool | None:
    """Kleene's or: unknown gives way to True alone, so that knowing less never changes an answer into its opposite."""
    if True in values:
        return True
    return None if None in values else False


def all_of(*values: bool | None) -> bool | None:
    """Kleene's and."""
    if False in values:
        return False
    return None if None in values else True
