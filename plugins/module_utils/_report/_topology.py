# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The clusterset as members and tunnels: what the picture and its table of text are both made from."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._report._report import ClusterResult, Report, worst

# States of a tunnel, worst last. The first four are Submariner's own words (submariner pkg/apis/submariner.io/v1 ConnectionStatus, "none" left out).
CONNECTED = "connected"
CONNECTING = "connecting"
ERROR = "error"
ABSENT = "no connection"  # an active gateway lists its connections, and this cluster is not among them
UNREAD = "not known"  # neither side's gateways were read

_RANK = {CONNECTED: 0, UNREAD: 1, CONNECTING: 2, ABSENT: 3, ERROR: 4}


class Member(t.NamedTuple):
    """A cluster in the picture. ``diagnosed`` is False for one that others know and that this run did not look at."""

    name: str
    verdict: str  # as worst() says; "" where it was not diagnosed
    diagnosed: bool = True
    joined: bool = True
    pods: str = ""
    services: str = ""
    announced: str = ""  # what it tells the others, where that is not the true ranges
    gateways: tuple[tuple[str, str], ...] = ()  # node and HA status
    versions: str = ""
    nodes: str = ""


class View(t.NamedTuple):
    """What one side's active gateway says of the tunnel."""

    by: str  # name of the member
    gateway: str  # node
    state: str
    latency_ms: float | None = None
    message: str = ""
    using_ip: str = ""


class Tunnel(t.NamedTuple):
    one: str
    other: str
    state: str  # the worse of both views
    views: tuple[View, ...] = ()
    blocked_by: tuple[str, ...] = ()  # members with a blocker, although the tunnel is connected

    @property
    def latency_ms(self) -> float | None:
        known = [view.latency_ms for view in self.views if view.latency_ms is not None]
        return max(known) if known else None

    @property
    def healthy(self) -> bool:
        return self.state == CONNECTED and not self.blocked_by

    @property
    def message(self) -> str:
        return next((view.message for view in self.views if view.message and view.state != CONNECTED), "")


class Topology(t.NamedTuple):
    members: tuple[Member, ...]
    tunnels: tuple[Tunnel, ...]


def topology(report: Report) -> Topology:
    """Members in the order of the report, those not diagnosed last; a tunnel for every two members that are joined, or that know each other."""
    # A cluster that could not be read is taken for the member that others know by its name.
    names = {_cluster_id(cluster) or cluster.name: cluster.name for cluster in report.clusters}
    known = {other for cluster in report.clusters for other in _known_ids(cluster)}
    members = [_member(report, cluster, known) for cluster in report.clusters]
    ghosts = sorted(known - set(names))
    members += [Member(name, "", diagnosed=False) for name in ghosts]
    views = {(cluster.name, names.get(other, other)): view for cluster in report.clusters for other, view in _views(cluster).items()}
    readable = {cluster.name for cluster in report.clusters if any(entry.get("ha_status") == "active" for entry in _gateways(cluster))}
    joined = [member for member in members if member.joined]
    tunnels: list[Tunnel] = []
    for position, one in enumerate(joined):
        for other in joined[position + 1 :]:
            pair = [view for view in (views.get((one.name, other.name)), views.get((other.name, one.name))) if view is not None]
            if pair or (one.diagnosed and other.diagnosed):
                silent = [member.name for member in (one, other) if member.name in readable and not any(view.by == member.name for view in pair)]
                tunnels.append(_tunnel(one, other, pair, silent))
    return Topology(tuple(members), tuple(_blocked(members, tunnels)))


def _blocked(members: t.Sequence[Member], tunnels: t.Sequence[Tunnel]) -> t.Iterator[Tunnel]:
    """Marks the connected tunnels of members with a blocker: no traffic passes all the same.

    Where another tunnel of such a member is down, the blocker is taken to be about that one.
    """
    down = {name for tunnel in tunnels if tunnel.state not in (CONNECTED, UNREAD) for name in (tunnel.one, tunnel.other)}
    blockers = {member.name for member in members if member.verdict == "blocker"} - down
    for tunnel in tunnels:
        blocked = tuple(name for name in (tunnel.one, tunnel.other) if name in blockers)
        yield tunnel._replace(blocked_by=blocked) if tunnel.state == CONNECTED else tunnel


def _tunnel(one: Member, other: Member, views: t.Sequence[View], silent: t.Sequence[str]) -> Tunnel:
    every = [*views, *(View(name, "", ABSENT) for name in silent)]
    state = max((view.state for view in every), key=_RANK.__getitem__, default=UNREAD)
    return Tunnel(one.name, other.name, state, tuple(every))


def _member(report: Report, cluster: ClusterResult, known: t.Container[str]) -> Member:
    card = cluster.card
    verdict = worst(report, cluster.name)
    if card is None or card.error:
        return Member(cluster.name, verdict, joined=cluster.name in known)
    announced = sorted({subnet for endpoint in card.announced for subnet in endpoint.subnets})
    wrong = bool(card.true_subnets and announced and not card.globalnet and set(announced) != set(card.true_subnets))
    nodes = cluster.details.get("nodes") or {}
    ready = "" if not nodes else f"{nodes.get('ready', 0):,} of {nodes.get('total', 0):,} nodes ready"
    versions = [f"{name} {value}" for name, value in (("Submariner", card.submariner_version), ("Calico", card.calico_version)) if value]
    return Member(
        cluster.name,
        verdict,
        joined=card.joined,
        pods=", ".join(card.pods.cidrs),
        services=", ".join(card.services.cidrs),
        announced=", ".join(announced) if wrong else "",
        gateways=tuple((str(entry.get("node", "")), str(entry.get("ha_status", ""))) for entry in _gateways(cluster)),
        versions=" · ".join(versions) or ("" if card.joined else "not joined"),
        nodes=ready,
    )


def _gateways(cluster: ClusterResult) -> list[t.Mapping[str, t.Any]]:
    return [entry for entry in cluster.details.get("gateways") or () if isinstance(entry, dict)]


def _cluster_id(cluster: ClusterResult) -> str:
    return cluster.card.cluster_id if cluster.card else ""


def _known_ids(cluster: ClusterResult) -> set[str]:
    if cluster.card is None:
        return set()
    return {endpoint.cluster_id for endpoint in cluster.card.remote} | set(_views(cluster))


def _views(cluster: ClusterResult) -> dict[str, View]:
    """By cluster id what the active gateways say; of several the one that is connected, since one tunnel suffices."""
    found: dict[str, View] = {}
    for gateway in _gateways(cluster):
        if gateway.get("ha_status") != "active":
            continue
        for entry in gateway.get("connections") or ():
            state = entry.get("status") if entry.get("status") in (CONNECTED, CONNECTING, ERROR) else ABSENT
            latency = entry.get("latency_ms")
            view = View(
                cluster.name,
                str(gateway.get("node", "")),
                str(state),
                float(latency) if isinstance(latency, (int, float)) else None,
                str(entry.get("message") or ""),
                str(entry.get("using_ip") or ""),
            )
            known = found.get(str(entry.get("cluster_id")))
            if known is None or _RANK[view.state] < _RANK[known.state]:
                found[str(entry.get("cluster_id"))] = view
    return found
