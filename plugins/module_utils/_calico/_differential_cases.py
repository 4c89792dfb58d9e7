# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""From what probes found, and hosts and the cluster say, to the observations of each path.

Every observation stands on results of fixed kinds, each of which is there once or unknown, joined by a logic of three values. What is dropped from the input so
makes observations unknown and turns none into its opposite.
"""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._differential import (
    ALIVE,
    BESIDE,
    CARRIER,
    DATAGRAM,
    DIRECT,
    DROPPED,
    EXCHANGE,
    FULL,
    IS_IPVS,
    LARGE,
    LARGE_BESIDE,
    OFFLOADED,
    PATH,
    PORT,
    PORT_PASSES,
    PORT_SERVED,
    REFUSAL,
    RULE,
    SERVICE,
    SMALL,
    STRICT,
    UDP_BESIDE,
    WHAT,
    WIRED,
    Value,
    Verdict,
    all_of,
    any_of,
    decide,
    pings_filtered,
)
from ansible_collections.fathom.submariner.plugins.module_utils._calico._differential_hosts import (
    Ends,
    Said,
    View,
    carried,
    carrier,
    in_words,
    offloaded,
    ruled_out,
    strict,
    wired,
)
from ansible_collections.fathom.submariner.plugins.module_utils._calico._differential_results import (
    DNS,
    ICMP,
    TCP,
    UDP,
    full,
    large,
    of_ports,
    passes,
    refusal,
    small,
)
from ansible_collections.fathom.submariner.plugins.module_utils._calico._dns_pods import dns_pods
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import NodeProbes, Snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_wire import (
    CROSS_CLUSTER,
    OPEN,
    REFUSED,
    UNDERLAY,
    UNKNOWN,
    Contrast,
    PathMtu,
)
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._gateway_places import active_nodes, why_unplaced

NO_REASON = "no reason was given"
FILTERED = (
    "ping passes and the responder on port {port} does not answer: a firewall filters it, so that exchanges tell nothing; let it through for the run, or take "
    "another port"
)
LARGE_PINGS = "large pings are filtered: UDP and TCP as large pass, and nobody says that they must be fragmented, so that pings tell nothing of the path's MTU"
NOBODY = (
    "nobody answers on UDP {port} there: it is filtered on the way, or nobody listens, or a socket of the kernel's own takes what comes; role nodes with "
    "nodes_ports starts a responder there and says where it cannot"
)


class Flow(t.NamedTuple):
    """What a policy is asked about: whether it drops this. ``port`` 0 stands for the path's own tunnel."""

    source: str
    target: str
    path: str
    protocol: str = ""
    port: int = 0


class Scene(t.NamedTuple):
    """What is not in the probes' documents.

    :param is_ipvs: whether kube-proxy runs in IPVS mode, None where that is not known.
    :param dropped: whether Calico's policies drop a flow, None where that is not known.
    """

    snapshot: Snapshot
    is_ipvs: bool | None = None
    dropped: t.Callable[[Flow], bool | None] = lambda flow: None


class Case(t.NamedTuple):
    """One thing that was probed from one node, and what is known of it.

    :param name: node of the target, or for another cluster what its targets are called.
    :param mtu: the results of the searches for the path's MTU, by protocol.
    :param carrier: in words what the path's packets travel in, such as ``UDP 4789``; "" where there is nothing, or it is not known.
    :param words: for evidence, what an observation of the hosts rests on; ``at`` the nodes and their devices that it is of.
    """

    source: str
    name: str
    path: str
    address: str
    observed: t.Mapping[str, Value | None]
    verdict: Verdict
    mtu: t.Mapping[str, PathMtu]
    words: t.Mapping[str, str]
    port: int = 0
    at: t.Mapping[str, tuple[tuple[str, str], ...]] = {}
    carrier: str = ""

    def __str__(self) -> str:
        return f"{self.source} to {self.name or self.address}"


class Untried(t.NamedTuple):
    """A probe that could not run."""

    source: str
    target: str
    path: str
    why: str


def cases(scene: Scene) -> tuple[Case, ...]:
    """Every path, Service and port that was probed, in the order of the documents."""
    book = _Book(scene.snapshot)
    found = [_of_path(scene, book, *key) for key in book.paths()]
    found += [_of_service(scene, book, *key) for key in book.of_services]
    found += [_of_port(scene, book, *key) for key in book.of_ports]
    return tuple(found)


def untried(snapshot: Snapshot, known: t.Sequence[Case] = ()) -> tuple[Untried, ...]:
    """The probes that could not run, or tell nothing, each with the reason; those aside that nobody tried since a smaller one had failed.

    :param known: of :func:`cases`.
    """
    found = [Untried(case.source, case.name or case.address, case.path, LARGE_PINGS) for case in known if pings_filtered(case.observed)]
    served = _Book(snapshot).served
    for probes in snapshot.node_probes.items:
        begun = [each for each in probes.contrasts if each.size == "small"]
        failed = {(each.target, each.path, each.protocol, each.port) for each in begun if each.answer not in (OPEN, UNKNOWN)}
        pinged = {path.target for path in probes.paths if path.protocol == ICMP and small(path)}
        for path in probes.paths:
            if path.answer == UNKNOWN:
                found.append(Untried(probes.node, path.name or path.target, path.path, path.why or NO_REASON))
        ports = of_ports(probes)
        own = [each for each in begun if each.path in (UNDERLAY, CROSS_CLUSTER) and each.protocol != DNS and each not in ports and each.target in pinged]
        for target, port in dict.fromkeys((each.target, each.port) for each in own if passes(each) is False):
            if not any(passes(each) for each in own if (each.target, each.port) == (target, port)):
                lost = next(each for each in own if each.target == target)
                found.append(Untried(probes.node, lost.name or target, lost.path, FILTERED.format(port=port)))
        for each in (each for each in begun if each in ports):
            if passes(each) is False and not each.direction and not served.get((each.target, each.port), set()) - {probes.node}:
                found.append(Untried(probes.node, each.name or each.target, each.path, NOBODY.format(port=each.port)))
        for each in probes.contrasts:
            if each.answer == UNKNOWN and (each.target, each.path, each.protocol, each.port) not in failed:
                found.append(Untried(probes.node, each.name or each.target, each.path, each.why or NO_REASON))
    return tuple(found)


Key = t.Tuple[str, str, str]  # node, path, address


class _Book:
    """The probes' results by what they are results of, and who has which address."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.mtu: dict[tuple[Key, str], PathMtu] = {}
        self.contrasts: dict[tuple[Key, str, str], Contrast] = {}
        self.of_services: dict[tuple[str, str, str, int], Contrast] = {}
        self.of_ports: dict[tuple[str, str, int], Contrast] = {}
        self.names: dict[Key, str] = {}
        self.answering: dict[str, set[str]] = {}  # addresses to the nodes that they answered
        self.served: dict[tuple[str, int], set[str]] = {}
        self.own: dict[tuple[str, str], list[Key]] = {}  # paths between the nodes' own addresses, by node and target's node
        self.direct: dict[tuple[str, str], bool] = {}  # whether a DNS pod answered on its own address, by node and address
        self.beside: dict[tuple[str, str], bool | None] = {}  # whether a DNS pod on the same node answered, by node and size
        self.hosts = {host.node: View(host) for host in snapshot.node_hosts.items}
        self.gateways = _gateways(snapshot)
        hubs = [name for name, active in self.gateways.items() if active]
        self.hub = self.hosts.get(hubs[0]) if len(hubs) == 1 else None
        self.dns_pods = [address for pod in dns_pods(snapshot) for address in pod.ips[:1]]
        self._services = {address for service in snapshot.services.items for address in service.cluster_ips}
        self._pod_nodes = {address: pod.node for pod in snapshot.pods.items if not pod.host_network for address in pod.ips}
        self.pods = {address for pod in snapshot.pods.items for address in pod.ips if not pod.host_network}
        self._nodes = {address: node.ref.name for node in snapshot.nodes.items for address in node.internal_ips}
        for probes in snapshot.node_probes.items:
            self._enter(probes)
        for key, name in self.names.items():
            if name and key[1] == UNDERLAY:
                self.own.setdefault((key[0], name), []).append(key)

    def _enter(self, probes: NodeProbes) -> None:
        for path in probes.paths:
            key = (probes.node, path.path, path.target)
            self.mtu[key, path.protocol] = path
            self.names.setdefault(key, path.name or self._nodes.get(path.target, ""))
            if path.mtu is not None:
                self.answering.setdefault(path.target, set()).add(probes.node)
        ports = of_ports(probes)
        for contrast in probes.contrasts:
            self._exchange(probes.node, contrast, contrast in ports)

    def _exchange(self, node: str, contrast: Contrast, of_port: bool) -> None:
        key = (node, contrast.path, contrast.target)
        if contrast.answer in (OPEN, REFUSED):
            self.answering.setdefault(contrast.target, set()).add(node)
        if contrast.target in self.pods and contrast.protocol == DNS and contrast.size == "small" and passes(contrast):
            self.direct[node, contrast.target] = True
        across = contrast.path == CROSS_CLUSTER
        if contrast.target in self._services and not across:
            if contrast.size == "small":
                self.of_services[node, contrast.target, contrast.protocol, contrast.port] = contrast
        elif of_port:
            self.names.setdefault(key, contrast.name or self._nodes.get(contrast.target, ""))
            if contrast.answer == OPEN:
                self.served.setdefault((contrast.target, contrast.port), set()).add(node)
            if contrast.size == "small":
                self.of_ports[node, contrast.target, contrast.port] = contrast
        elif contrast.protocol == DNS and self._pod_nodes.get(contrast.target) == node and not across:
            self.beside[node, contrast.size] = any_of(self.beside.get((node, contrast.size), False), passes(contrast))  # no path between nodes
        elif contrast.protocol != DNS or contrast.target in self.pods or across:
            self.contrasts[key, contrast.protocol, contrast.size] = contrast
            self.names.setdefault(key, contrast.name or self._nodes.get(contrast.target, ""))

    def paths(self) -> t.Iterator[Key]:
        yield from dict.fromkeys([key for key, _protocol in self.mtu] + [key for key, _protocol, _size in self.contrasts])

    def exchange(self, key: Key, protocol: str, size: str) -> bool | None:
        return passes(self.contrasts.get((key, protocol, size)))

    def why(self, key: Key, size: str) -> str:
        """What exchanges that failed say of it, such as packets that came with wrong checksums."""
        found = (self.contrasts.get((key, protocol, size)) for protocol in (TCP, UDP, DNS))
        return next((each.why for each in found if each is not None and each.why and passes(each) is False), "")

    def between(self, source: str, name: str) -> t.Iterator[tuple[PathMtu | None, Contrast | None]]:
        """What was found between the two nodes' own addresses."""
        for key in self.own.get((source, name), ()):
            for protocol in (ICMP, UDP):
                yield self.mtu.get((key, protocol)), None
            for protocol in (TCP, UDP):
                yield None, self.contrasts.get((key, protocol, "small"))


def _gateways(snapshot: Snapshot) -> dict[str, bool | None]:
    """Whether nodes carry the active gateway; where no Gateway was read the label tells, of a single node that has it."""
    names = [node.ref.name for node in snapshot.nodes.items]
    if snapshot.gateways.items:
        active = active_nodes(snapshot)
        return dict.fromkeys(names) if why_unplaced(snapshot) else {name: name in active for name in names}
    labelled = {node.ref.name for node in snapshot.nodes.items if node.is_gateway}
    return {name: False if name not in labelled else True if len(labelled) == 1 else None for name in names}


def _of_path(scene: Scene, book: _Book, source: str, path: str, address: str) -> Case:
    key = (source, path, address)
    name = book.names.get(key, "")
    icmp, udp = book.mtu.get((key, ICMP)), book.mtu.get((key, UDP))
    beside = _beside(book, source, name) if path != UNDERLAY else None
    exchange = _exchange(book, key, beside, small(icmp))
    across = path == CROSS_CLUSTER  # the cable takes its share of packets, and TCP is clamped to what is left: that alone is no fault
    ends = Ends(book.hosts.get(source), book.hosts.get(name), path, address, book.gateways.get(source), book.hub)
    of_hosts = {
        WIRED: wired(ends),
        STRICT: strict(ends),
        CARRIER: carried(ends),
        RULE: ruled_out(ends),
        OFFLOADED: offloaded(ends) if path != UNDERLAY else Said(),
    }
    observed: dict[str, Value | None] = {
        WHAT: PATH,
        ALIVE: _alive(book, key, name),
        # Across clusters it is Submariner's own measure: what answers its health checks answers pings, and hardly anything else.
        SMALL: small(icmp) if across else any_of(small(icmp), exchange),
        FULL: any_of(full(icmp), _of_large(book, key, (TCP,))) if across else full(icmp),
        DATAGRAM: None if across else full(udp),
        EXCHANGE: exchange,
        LARGE: _of_large(book, key),
        REFUSAL: refusal(icmp),
        BESIDE: beside if path != UNDERLAY else False,
        LARGE_BESIDE: any_of(*[_of_large(book, own, (TCP,)) for own in book.own.get((source, name), ())] or [None]) if path != UNDERLAY else False,
        UDP_BESIDE: _udp_beside(book, source, name) if path != UNDERLAY else None,
        DROPPED: scene.dropped(_probe(book, key, name)),
        **{each: said.value for each, said in of_hosts.items()},
    }
    found = {protocol: result for protocol, result in ((ICMP, icmp), (UDP, udp)) if result is not None}
    words = {each: said.text for each, said in of_hosts.items()}
    words[EXCHANGE] = book.why(key, "small")
    words[LARGE] = book.why(key, "large")
    at = {each: said.at for each, said in of_hosts.items() if said.at}
    return Case(source, name, path, address, observed, decide(observed), found, words, at=at, carrier=in_words(carrier(ends)))


def _of_large(book: _Book, key: Key, protocols: t.Sequence[str] = (TCP, DNS)) -> bool | None:
    """Whether a large exchange succeeds where the small one does. A large answer that the DNS pod on the same node does not give either tells nothing of a
    path."""
    found: bool | None = None
    for protocol in protocols:
        if book.exchange(key, protocol, "small"):
            found = large(book.contrasts.get((key, protocol, "large")))
            if protocol == DNS and found is False and book.beside.get((key[0], "large")) is False:
                found = None
    return found


def _exchange(book: _Book, key: Key, beside: bool | None, ping: bool | None) -> bool | None:
    """Whether a short exchange succeeds. One that fails tells something of the path only where it does not fail beside it as well, or with everything else.

    Otherwise it is the responder's port that is filtered, which nothing but these probes needs.
    """
    if (key, DNS, "small") in book.contrasts:
        return book.exchange(key, DNS, "small")
    found = any_of(book.exchange(key, TCP, "small"), book.exchange(key, UDP, "small"))
    if found is False:
        telling = ping is False if key[1] == UNDERLAY else beside
        return False if telling else None
    return found


def _of_service(scene: Scene, book: _Book, source: str, address: str, protocol: str, port: int) -> Case:
    contrast = book.of_services[source, address, protocol, port]
    observed: dict[str, Value | None] = {
        WHAT: SERVICE,
        EXCHANGE: passes(contrast),
        # A Service that leads to several pods fails with one of them: only where all answer is it the Service that does not.
        DIRECT: all_of(*(book.direct.get((source, address)) for address in book.dns_pods)) if book.dns_pods else None,
        IS_IPVS: scene.is_ipvs,
    }
    return Case(source, contrast.name or address, contrast.path, address, observed, decide(observed), {}, {}, port)


def _of_port(scene: Scene, book: _Book, source: str, address: str, port: int) -> Case:
    contrast = book.of_ports[source, address, port]
    key = (source, contrast.path, address)
    name = book.names.get(key, "")
    ends = Ends(book.hosts.get(source), book.hosts.get(name), contrast.path, address)
    rule = ruled_out(ends, (UDP, port))
    observed: dict[str, Value | None] = {
        WHAT: PORT,
        ALIVE: source in book.answering.get(address, ()) or None,
        # Where nobody answers on the port at all, a socket of the kernel may hold it, which takes what is meant for it and says nothing.
        PORT_PASSES: passes(contrast),
        # It answers others, or has said over TCP what it heard.
        PORT_SERVED: bool(contrast.direction or book.served.get((address, port), set()) - {source}) or None,
        RULE: rule.value,
        DROPPED: scene.dropped(Flow(source, name, contrast.path, UDP, port)),
    }
    if observed[PORT_SERVED] is None and observed[PORT_PASSES] is False:
        observed[PORT_PASSES] = None
    return Case(source, name, contrast.path, address, observed, decide(observed), {}, {RULE: rule.text}, port, carrier=in_words((UDP, port)))


def _probe(book: _Book, key: Key, name: str) -> Flow:
    """What was sent over a path, as a policy sees it."""
    for protocol in (TCP, UDP):
        contrast = book.contrasts.get((key, protocol, "small"))
        if contrast is not None:
            return Flow(key[0], name, key[1], protocol, contrast.port)
    return Flow(key[0], name, key[1])


def _alive(book: _Book, key: Key, name: str) -> bool | None:
    source, path, address = key
    if any(node != source for node in book.answering.get(address, ())):
        return True
    if path == UNDERLAY:
        return None
    return any(small(mtu) or passes(contrast) for mtu, contrast in book.between(source, name)) or None


def _beside(book: _Book, source: str, name: str) -> bool | None:
    return any(passes(contrast) for _mtu, contrast in book.between(source, name)) or None


def _udp_beside(book: _Book, source: str, name: str) -> bool | None:
    for mtu, contrast in book.between(source, name):
        if (contrast is not None and contrast.protocol == UDP and passes(contrast)) or (mtu is not None and mtu.protocol == UDP and small(mtu)):
            return True
    return None
