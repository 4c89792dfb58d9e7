# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Path MTU to some addresses, side by side."""

from __future__ import annotations

import ipaddress
import statistics
import typing as t
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._records_wire import DEAD, UNDERLAY, UNKNOWN, Latency, PathMtu
from ansible_collections.fathom.submariner.plugins.module_utils._wire import _packets
from ansible_collections.fathom.submariner.plugins.module_utils._wire._allowance import Allowance
from ansible_collections.fathom.submariner.plugins.module_utils._wire._bounds import require_max_mtu, require_numbers, require_target
from ansible_collections.fathom.submariner.plugins.module_utils._wire._exchange import Exchange, Outcome
from ansible_collections.fathom.submariner.plugins.module_utils._wire._judgement import Heard, judge
from ansible_collections.fathom.submariner.plugins.module_utils._wire._route import NoRoute, Route, require_one_host, route_to
from ansible_collections.fathom.submariner.plugins.module_utils._wire._search import Search, most_packets
from ansible_collections.fathom.submariner.plugins.module_utils._wire._ways import ClosedPort, Icmp, NotPermitted, Udp, Way, believed_mtu

ICMP = "icmp"
UDP = "udp"
SAMPLES = 3  # packets of the smallest size from which the latency is taken


class PathTarget(t.NamedTuple):
    """
    :param address: an IP literal; a link-local IPv6 one with its zone.
    :param port: of a responder for UDP; 0 takes a port where nobody listens.
    """

    address: str
    name: str = ""
    path: str = UNDERLAY
    protocols: t.Tuple[str, ...] = (ICMP, UDP)
    port: int = 0

    @property
    def family(self) -> int:
        return ipaddress.ip_address(self.address.partition("%")[0]).version


class PathSettings(t.NamedTuple):
    """
    :param max_mtu: bytes of the largest packet to try; None takes the MTU of the device that the route leads to.
    :param timeout: seconds that the answer to one packet is waited for.
    :param retries: further packets of a size before it counts as lost.
    :param packets: bound of all packets together.
    :param workers: searches side by side.
    """

    max_mtu: t.Optional[int] = None
    timeout: float = 1.0
    retries: int = 2
    packets: int = 400
    workers: int = 8


def bound(targets: t.Sequence[PathTarget], settings: PathSettings) -> int:
    """Packets that a run sends at the most."""
    largest = settings.max_mtu or _packets.MOST
    searches = sum(len(each.protocols) for each in targets)
    tries = 1 + settings.retries
    # The smallest size is sampled, and the largest may be tried once more.
    return min(settings.packets, searches * (most_packets(_packets.LEAST[4], largest, tries) + (SAMPLES - 1) * tries + tries))


def probe_paths(targets: t.Sequence[PathTarget], settings: PathSettings) -> t.Tuple[PathMtu, ...]:
    """The path MTU to each target by each of its protocols, in their order.

    :raises InputError: a target or a setting is not usable.
    """
    require_numbers({**settings._asdict()})
    for each in targets:
        require_target(each.address, each.path, each.port)
        require_one_host(each.address)
    require_max_mtu(settings.max_mtu, (each.address for each in targets))
    allowance = Allowance(settings.packets)
    orders = [(target, protocol) for target in targets for protocol in target.protocols]
    with ThreadPoolExecutor(max_workers=max(1, min(settings.workers, len(orders) or 1))) as pool:
        found = list(pool.map(lambda order: _probe(order[0], order[1], settings, allowance), orders))
    return tuple(each for results in found for each in results)


def _probe(target: PathTarget, protocol: str, settings: PathSettings, allowance: Allowance) -> t.List[PathMtu]:
    begun = PathMtu(target.address, target.name, target.path, target.family, protocol)
    try:
        route = route_to(target.address)
    except NoRoute as error:
        return [begun._replace(answer=DEAD, why=f"this host has no route to it: {error.why}")]
    begun = begun._replace(link_mtu=route.mtu, device=route.device)
    try:
        return [_search(begun, _way(target, protocol), route, settings, allowance)]
    except NotPermitted as error:
        unknown = begun._replace(answer=UNKNOWN, why=error.why)
        if UDP in target.protocols:
            return [unknown]
        instead = _search(begun._replace(protocol=UDP), _way(target, UDP), route, settings, allowance)
        return [unknown, instead._replace(why="; ".join(filter(None, (instead.why, "tried since ICMP could not be"))))]


def _way(target: PathTarget, protocol: str) -> Way:
    """
    :raises NotPermitted: by NotPermitted of ``Icmp``.
    """
    if protocol == ICMP:
        return Icmp(target.family, target.address)
    return Udp(target.family, target.address, target.port) if target.port else ClosedPort(target.family, target.address)


def _search(begun: PathMtu, way: Way, route: Route, settings: PathSettings, allowance: Allowance) -> PathMtu:
    least = _packets.LEAST[begun.family]
    most = max(least, min(settings.max_mtu or route.mtu, _packets.MOST))
    # Before the search: routers' answers to it are remembered by the host, too.
    believed = believed_mtu(begun.family, begun.target)
    exchange = Exchange(way, settings.timeout, 1 + settings.retries, allowance)
    search = Search(least, most)
    outcomes: t.List[Outcome] = []
    samples: t.List[Outcome] = []
    size = search.following()
    while size is not None:
        outcomes.append(exchange.run(size))
        if not outcomes[-1].complete:
            break
        search.tell(size, outcomes[-1].arrived, outcomes[-1].refusal.mtu if outcomes[-1].refusal else None)
        if len(outcomes) == 1 and search.arrived and way.echoes:
            samples = [exchange.run(least) for _sample in range(SAMPLES - 1)]
        size = search.following()
    complete = all(each.complete for each in outcomes)
    largest_silent = False
    # The second one tried was the largest. Routers ration what they say, so it gets another chance before it counts as lost without a word.
    if complete and search.lost is not None and len(outcomes) > 2 and outcomes[1].refusal is None and any(each.refusal for each in outcomes):
        outcomes.append(exchange.run(most))
        largest_silent = outcomes[-1].complete and not outcomes[-1].arrived and outcomes[-1].refusal is None
    heard = Heard(
        begun.target,
        least,
        most,
        search.arrived,
        search.lost,
        tuple((each.refusal.mtu, each.refusal.reporter) for each in outcomes if each.refusal),
        next((each.said for each in reversed(outcomes) if each.said), ""),
        believed,
        complete,
        way.echoes,
        sum(each.packets for each in outcomes),
        largest_silent,
    )
    judged = judge(heard)
    changed = any(each.changed for each in outcomes + samples)
    return begun._replace(
        answer=judged.answer,
        mtu=search.arrived,
        lost=search.lost,
        next_hop_mtu=judged.next_hop_mtu,
        reporter=judged.reporter,
        latency=_latency([outcomes[0], *samples]),
        packets=sum(each.packets for each in outcomes + samples),
        bytes=sum(each.bytes for each in outcomes + samples),
        why="; ".join(filter(None, (judged.why, "contents came back changed" if changed else ""))),
    )


def _latency(outcomes: t.Sequence[Outcome]) -> t.Optional[Latency]:
    """Of the packets of the smallest size."""
    times = [each.milliseconds for each in outcomes if each.milliseconds is not None]
    if not times:
        return None
    return Latency(round(min(times), 3), round(statistics.median(times), 3), round(max(times), 3))


def path_line(result: PathMtu) -> str:
    """One result for a person."""
    where = f"{result.name} ({result.target})" if result.name else result.target
    said = {
        "open": f"open up to {result.mtu} bytes",
        "black_hole": f"black hole: {result.mtu} bytes arrive, {result.lost} vanish",
        "refused": f"refused beyond {result.mtu} bytes",
        "dead": "dead",
    }.get(result.answer, "unknown")
    named = f", {result.reporter or 'this host'} named {result.next_hop_mtu}" if result.next_hop_mtu is not None else ""
    latency = f", {result.latency.median:g} ms" if result.latency else ""
    device = f" by {result.device} of {result.link_mtu}" if result.device else ""
    why = f" ({result.why})" if result.why else ""
    return f"{result.path} {result.protocol} to {where}{device}: {said}{named}{latency}{why}"
