# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What must come before what, as data: the order of remedies over a whole clusterset, and which failure keeps which from being tried.

Two things are told apart. *Rank* is the order in which remedies are begun, over all clusters. *Needs* are the remedies whose failure makes a later one
pointless or dangerous. Why, each with what Submariner and Calico do:

* A node whose address Calico detects on Submariner's own interface has every tunnel wrong; whatever follows is judged on sand.
* tigera-operator installs no Calico API server before its first rollout of calico-node is done (pkg/controller/apiserver waits for the Calico
  status), so that a node which cannot run calico-node comes first there, and last everywhere else.
* Submariner's route agent writes IPPools through projectcalico.org/v3 only (pkg/routeagent_driver/handlers/calico), so no pool lasts without the API server.
  It gives up after 20 tries (pkg/event/controller), so that an API server which comes later brings no pool.
* A correction of CIDRs makes the agents of *every* member create pools anew, so it needs the API server and the cleared pools of all of them.
* Autodetection, MTU and placement each roll calico-node out. One that does not heal must not be followed by another.
"""

from __future__ import annotations

import typing as t

COLLECTION = "fathom.submariner."

AUTODETECTION = "calico_autodetection"
API_SERVER = "calico_api_server"
POOLS = "remote_ippools"
JOIN = "join"
BROKER = "broker_records"
AGENTS = "route_agent"
MTU = "calico_mtu"
PLACEMENT = "calico_node_placement"

FIRST_ROLLOUT = "calico_node_placement before the first rollout"
GATES = ("kube-proxy-mode", "version-skew", "clusterset-version-skew", "known-bug", "discovery-fails", "discovery-before-join", "cidr-truth", "not-joined")


class Kind(t.NamedTuple):
    """One kind of step.

    :param role: its short name.
    :param needs: kinds that must not have failed on the same cluster.
    :param needs_of_set: kinds that must not have failed on any cluster of the clusterset.
    :param outlives: kinds whose remedy ends the cause of this one's finding and not the finding.
    :param rolls_out: it makes calico-node start anew, node by node; such steps of one cluster need one another.
    :param disruptive: it interrupts traffic whatever it is told to do.
    """

    role: str
    needs: tuple[str, ...] = ()
    needs_of_set: tuple[str, ...] = ()
    outlives: tuple[str, ...] = ()
    rolls_out: bool = False
    disruptive: bool = False


# In order of their rank.
KINDS: t.Mapping[str, Kind] = {
    AUTODETECTION: Kind(AUTODETECTION, rolls_out=True, disruptive=True),
    FIRST_ROLLOUT: Kind(PLACEMENT, rolls_out=True, disruptive=True),
    API_SERVER: Kind(API_SERVER, needs=(AUTODETECTION, FIRST_ROLLOUT)),
    POOLS: Kind(POOLS, needs=(AUTODETECTION, API_SERVER), outlives=(API_SERVER,)),
    JOIN: Kind(JOIN, needs=(AUTODETECTION,), needs_of_set=(API_SERVER, POOLS), disruptive=True),
    BROKER: Kind(BROKER, needs_of_set=(JOIN,)),
    AGENTS: Kind(AGENTS, needs=(AUTODETECTION, API_SERVER, POOLS, JOIN), disruptive=True),
    MTU: Kind(MTU, rolls_out=True, disruptive=True),
    PLACEMENT: Kind(PLACEMENT, rolls_out=True, disruptive=True),
}
RANKS = {kind: rank for rank, kind in enumerate(KINDS)}
ROLES = tuple(dict.fromkeys(kind.role for kind in KINDS.values()))


class Place(t.NamedTuple):
    """Where a step stands: of which kind, on which cluster, in which clusterset. ``clusterset`` is "" for a cluster that is in none.

    A cluster that is yet to be joined will be in a clusterset: a plan does not know in which, so its join stands in all of them.
    """

    kind: str
    cluster: str
    clusterset: str = ""


def kind_of(role: str, *, first_rollout: bool = False) -> str:
    """The kind of a remedy, "" for a role that is none of ours.

    :param role: with or without the collection's name.
    :param first_rollout: the finding keeps a first rollout of calico-node from ending.
    """
    short = role[len(COLLECTION):] if role.startswith(COLLECTION) else role
    if short == PLACEMENT and first_rollout:
        return FIRST_ROLLOUT
    return short if short in KINDS else ""


def in_order(places: t.Iterable[Place], clusters: t.Sequence[str]) -> list[Place]:
    """Sort by rank over all clusters; those of one rank in the order of ``clusters``, then by name."""
    position = {name: index for index, name in enumerate(clusters)}
    return sorted(places, key=lambda place: (RANKS[place.kind], position.get(place.cluster, len(position)), place.cluster))


def needed(place: Place, earlier: t.Sequence[Place]) -> list[int]:
    """Indices of those among ``earlier`` whose failure keeps ``place`` from being tried."""
    return [index for index, other in enumerate(earlier) if _needs(place, other)]


def _needs(place: Place, other: Place) -> bool:
    kind = KINDS[place.kind]
    if other.cluster == place.cluster:
        earlier_rollout = KINDS[other.kind].rolls_out and RANKS[other.kind] < RANKS[place.kind]
        return other.kind in (*kind.needs, *kind.needs_of_set) or (kind.rolls_out and earlier_rollout)
    return other.kind in kind.needs_of_set and _same_set(place, other)


def _same_set(place: Place, other: Place) -> bool:
    if joins_any(place.kind, place.clusterset) or joins_any(other.kind, other.clusterset):
        return True
    return bool(place.clusterset) and place.clusterset == other.clusterset


def joins_any(kind: str, clusterset: str) -> bool:
    """Whether a step makes a member of its cluster, of a clusterset that the plan does not know."""
    return kind == JOIN and not clusterset
