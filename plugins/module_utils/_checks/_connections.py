# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Connections between gateways: what each side says of them, and how much that is worth."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._checks._broker import BROKER_STALE
from ansible_collections.fathom.submariner.plugins.module_utils._checks._card import Card, CardConnection
from ansible_collections.fathom.submariner.plugins.module_utils._checks._clusterset_members import not_compared
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Evidence
from ansible_collections.fathom.submariner.plugins.module_utils._checks._gateways import silence
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import CLUSTERSET, CannotJudge, NotApplicable, Problem, check
from ansible_collections.fathom.submariner.plugins.module_utils._checks._remedy_data import by_hand
from ansible_collections.fathom.submariner.plugins.module_utils._checks._submariner_cidrs import WRONG
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import overlap, parse_cidrs
from ansible_collections.fathom.submariner.plugins.module_utils._network._evidence import POD
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Connection, Gateway
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._signatures import plain_line

CONNECTION = "connection-not-connected"
PINGER = "submariner pkg/pinger/pinger.go"
CONNECTED = "connected"
# Above this many milliseconds for a round trip, one TCP stream with the usual 64 KiB to 4 MiB windows no longer fills a fast line.
SLOW = 250.0
_PING = "Failed to successfully ping"
_GO_DURATION = re.compile(r"(\d+(?:\.\d+)?)(h|ms|m|s|us|µs|μs|ns)")
_MILLISECONDS = {"h": 3_600_000.0, "m": 60_000.0, "s": 1000.0, "ms": 1.0, "us": 0.001, "µs": 0.001, "μs": 0.001, "ns": 0.000001}


def milliseconds(duration: str) -> float | None:
    """A duration as Go writes it (``1.05ms``, ``250µs``, ``1m2.5s``) in milliseconds; None when it is none."""
    text = duration.strip()
    parts = _GO_DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    return sum(float(number) * _MILLISECONDS[unit] for number, unit in parts)


@check(
    CONNECTION,
    title="The active gateway is connected to every remote cluster",
    severity="error",
    needs=("gateways", "endpoints"),
    joined=True,
    references=("submariner pkg/cableengine/healthchecker/healthchecker.go", PINGER),
    tags=("health", "connections"),
    remedy="Compare the CIDRs of both clusters, then the ports between the gateways, then the MTU.",
)
def connections(facts: Facts) -> t.Iterator[Problem]:
    """Each remote Endpoint must have a connection of status connected on the active gateway.

    A tunnel that stands while its pings are lost is told apart from one that does not come up, and from a remote cluster that the gateway ignores
    since its subnets overlap this one's.
    """
    if not facts.active_gateways:
        raise CannotJudge("no gateway is active, so nobody reports connections")
    reporting = _reporting(facts)
    problems = list(_of_gateways(facts, reporting or facts.active_gateways))
    if not (problems or reporting):
        raise CannotJudge(_outdated(facts))
    yield from problems


def _reporting(facts: Facts) -> list[Gateway]:
    """The active gateways whose records are of now."""
    return [gateway for gateway in facts.active_gateways if not silence(facts, gateway)]


def _outdated(facts: Facts) -> str:
    last = max(gateway.updated_at for gateway in facts.active_gateways)
    return f"the active gateway has not reported since {last}: the connections that its Gateway object shows are of that time"


def _of_gateways(facts: Facts, gateways: t.Sequence[Gateway]) -> t.Iterator[Problem]:
    remote = {endpoint.cluster_id for endpoint in facts.remote_endpoints}
    for gateway in gateways:
        up = {connection.cluster_id for connection in gateway.connections if connection.status == CONNECTED}
        for connection in gateway.connections:
            if connection.status != CONNECTED and connection.cluster_id not in up:
                yield _down(facts, gateway, connection)
        for cluster_id in sorted(remote - {connection.cluster_id for connection in gateway.connections}):
            yield _absent(facts, gateway, cluster_id, up)


def _down(facts: Facts, gateway: Gateway, connection: Connection) -> Problem:
    message = plain_line(connection.message)
    pings_lost = _PING in connection.message
    cause = BROKER_STALE if _stale(facts, connection.cluster_id) else WRONG if pings_lost and POD in facts.wrong_subjects() else ""
    return Problem(
        subject=f"connection to {connection.cluster_id}",
        title=f"The gateway {gateway.ref.name} is {connection.status or 'not connected'} to {connection.cluster_id}" + (f": {message}" if message else ""),
        evidence=(
            Evidence(str(gateway.ref), f"status.connections[{connection.cluster_id}].status", connection.status, message),
            Evidence(str(gateway.ref), f"status.connections[{connection.cluster_id}].usingIP", connection.using_ip, f"of {connection.hostname}"),
        ),
        impact=f"No traffic reaches {connection.cluster_id}.",
        remedy=by_hand(
            "The tunnel stands and pings through it are lost: compare the CIDRs of both clusters (the address that is pinged comes from them), then check "
            "rp_filter and the MTU on both gateway nodes, and that no policy drops the pings."
            if pings_lost
            else "Check UDP 4500 (or the NAT-T port) and 4490, and ESP where private addresses are used, between the two gateways."
        ),
        severity="warning" if cause else "",
        caused_by=f"{facts.snapshot.cluster}/{cause}" if cause else "",
    )


def _stale(facts: Facts, cluster_id: str) -> bool:
    """Whether a cluster may be another one's former id."""
    return any(found.stale.cluster_id == cluster_id != found.alive.cluster_id for found in facts.stale_endpoints)


def _absent(facts: Facts, gateway: Gateway, cluster_id: str, up: t.Iterable[str]) -> Problem:
    own = parse_cidrs(subnet for endpoint in facts.own_endpoints for subnet in endpoint.subnets).networks
    theirs = parse_cidrs(subnet for endpoint in facts.remote_endpoints if endpoint.cluster_id == cluster_id for subnet in endpoint.subnets).networks
    overlapping = sorted({f"{one} and {other}" for one, other in overlap(own, theirs)})
    evidence = [Evidence(str(gateway.ref), "status.connections", ", ".join(sorted(up)) or "none", f"an Endpoint of {cluster_id} exists")]
    if overlapping:
        evidence.append(Evidence(f"Endpoints of {cluster_id} and of this cluster", "spec.subnets", "; ".join(overlapping), "they overlap"))
    cause = BROKER_STALE if _stale(facts, cluster_id) else WRONG if overlapping and facts.wrong_subjects() else ""
    return Problem(
        subject=f"connection to {cluster_id}",
        title=f"The gateway {gateway.ref.name} has no connection to {cluster_id}" + (": their subnets overlap" if overlapping else ""),
        evidence=tuple(evidence),
        impact=f"No traffic reaches {cluster_id}.",
        remedy=by_hand(
            "The gateway skips a remote Endpoint whose subnets overlap the local ones: correct the CIDRs, or join both with Globalnet."
            if overlapping
            else "Read the gateway's log for that cluster: it skips a remote Endpoint whose subnets overlap the local ones."
        ),
        severity="warning" if cause else "",
        caused_by=f"{facts.snapshot.cluster}/{cause}" if cause else "",
    )


@check(
    "connection-slow",
    title="Round trips to the remote gateways are short",
    severity="info",
    needs=("gateways",),
    joined=True,
    references=(PINGER,),
    tags=("health", "connections"),
    remedy="Look at the path between the gateways.",
)
def connection_slow(facts: Facts) -> t.Iterator[Problem]:
    """The latency that the active gateway's health check measures (average of its pings); without the health check there is none."""
    reporting = _reporting(facts)
    if facts.active_gateways and not reporting:
        raise CannotJudge(_outdated(facts))
    for gateway in reporting:
        for connection in gateway.connections:
            average = milliseconds(connection.latency_average)
            if average is not None and average > SLOW:
                yield Problem(
                    subject=f"connection to {connection.cluster_id}",
                    title=f"A round trip from {gateway.ref.name} to {connection.cluster_id} takes {average:.0f} ms",
                    evidence=(
                        Evidence(
                            str(gateway.ref),
                            f"status.connections[{connection.cluster_id}].latencyRTT.average",
                            connection.latency_average,
                            f"last {connection.latency_last or '?'}, longest {connection.latency_max or '?'}",
                        ),
                    ),
                    impact="One TCP stream reaches only a part of the line's speed, and chatty protocols crawl.",
                    remedy=by_hand("Look at the path between the gateways: distance, a relay, or a gateway node that is overloaded."),
                )


@check(
    "health-check-off",
    title="The gateways ping each other through the tunnels",
    severity="info",
    joined=True,
    references=(PINGER, "submariner-operator api/v1alpha1/submariner_types.go"),
    tags=("health", "connections"),
    remedy="Set spec.connectionHealthCheck.enabled: true.",
)
def health_check_off(facts: Facts) -> t.Iterator[Problem]:
    """Without pings a connection is called connected as soon as the cable driver has a tunnel, whether or not a packet comes through it.

    Together with a wrong CIDR it hides that, which is a finding of its own.
    """
    if facts.wrong_subjects():
        raise NotApplicable()
    health = facts.submariner.spec.get("connectionHealthCheck")
    if not (isinstance(health, dict) and health.get("enabled") is True):
        yield Problem(
            subject=str(facts.submariner.ref),
            title='The health check is off: "connected" says nothing about whether packets come through',
            evidence=(Evidence(str(facts.submariner.ref), "spec.connectionHealthCheck.enabled", "false", "omitted counts as false"),),
            impact="A tunnel that drops everything stays green, there is no latency, and route agents report nothing of remote clusters.",
            remedy=by_hand("Set spec.connectionHealthCheck.enabled: true (subctl join --health-check=true)."),
        )


@check(
    "clusterset-connection-one-sided",
    title="Both sides of each connection say the same of it",
    severity="warning",
    scope=CLUSTERSET,
    references=("submariner pkg/cableengine/syncer/syncer.go",),
    tags=("health", "connections"),
    remedy="Look at what the cluster that is not connected reports.",
)
def one_sided(cards: tuple[Card, ...]) -> t.Iterator[Problem]:
    """One cluster says connected, the other says error, connecting, or has no connection: the green one only cannot see it."""
    yield from not_compared(cards, "gateways")
    for position, one in enumerate(cards):
        for other in cards[position + 1 :]:
            if one.joined and other.joined and not {"gateways", "endpoints"} & {*one.unread, *other.unread}:
                there, back = _status(one, other), _status(other, one)
                if there is not None and back is not None and (there == CONNECTED) != (back == CONNECTED):
                    yield _one_sided((one, there), (other, back)) if there == CONNECTED else _one_sided((other, back), (one, there))


def _one_sided(green: tuple[Card, str], red: tuple[Card, str]) -> Problem:
    (sees, _connected), (suffers, status) = green, red
    said: CardConnection | None = _connection(suffers, sees)
    return Problem(
        cluster=suffers.cluster,
        subject=f"connection between {sees.cluster} and {suffers.cluster}",
        title=f"{sees.cluster} says that it is connected to {suffers.cluster}, which says {status}",
        evidence=(
            Evidence(f"cluster {sees.cluster}", f"Gateway status.connections[{suffers.cluster_id}].status", CONNECTED, _latency(_connection(sees, suffers))),
            Evidence(f"cluster {suffers.cluster}", f"Gateway status.connections[{sees.cluster_id}].status", status, said.message if said else ""),
        ),
        impact=f"Believe {suffers.cluster}: traffic fails in at least one direction.",
        remedy=by_hand(
            f"Look at what {suffers.cluster} reports, and at the health check of {sees.cluster}: without it, a tunnel that drops everything stays green."
        ),
        caused_by=f"{suffers.cluster}/{CONNECTION if suffers.active_gateways else 'gateway-not-ready'}",
    )


def _connection(card: Card, peer: Card) -> CardConnection | None:
    """The best that a cluster's active gateways say of their connections to a peer."""
    found = [entry for entry in card.connections if entry.cluster_id == peer.cluster_id]
    return next((entry for entry in found if entry.status == CONNECTED), found[0] if found else None)


def _status(card: Card, peer: Card) -> str | None:
    """None where nobody expects a connection: the peer's Endpoint is not known here."""
    if not any(endpoint.cluster_id == peer.cluster_id for endpoint in card.remote):
        return None
    found = _connection(card, peer)
    return "that there is none" if found is None else found.status or "nothing"


def _latency(connection: CardConnection | None) -> str:
    return f"latency {connection.latency}" if connection is not None and connection.latency else "no latency: it does not ping"
