# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What policies do to traffic between the pods of a namespace and a remote cluster.

The source of what comes from a remote cluster is an address of its pod CIDR, which no selector of this cluster matches. Namespaces are judged, not pods:
the policies that select every pod of a namespace decide for it, and each one that selects some of them is tried on top.
"""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._policy_evaluation import (
    Outcome,
    Policies,
    evaluate,
    selection,
    together,
)
from ansible_collections.fathom.submariner.plugins.module_utils._calico._policy_flow import (
    EGRESS,
    INGRESS,
    TCP,
    UDP,
    Entity,
    Flow,
    nets,
    parts,
    pod_entity,
)
from ansible_collections.fathom.submariner.plugins.module_utils._calico._policy_kubernetes import as_calico, without_copies
from ansible_collections.fathom.submariner.plugins.module_utils._calico._policy_rules import NetworkSets
from ansible_collections.fathom.submariner.plugins.module_utils._calico._policy_selector import Labels
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import Network, collapse
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import CalicoPolicy, Snapshot

PEER_SIDE = {INGRESS: "source", EGRESS: "destination"}
OWN_SIDE = {INGRESS: "destination", EGRESS: "source"}
ADDRESSES_AND_PORTS = frozenset(("ports", "notPorts", "nets", "notNets"))


class Cut(t.NamedTuple):
    """Pods of a namespace that cannot talk with some addresses of a remote cluster, over TCP or UDP.

    ``dropped`` are the addresses, ``whole`` tells that they are all of them. ``only`` names the policy that selects some pods of the namespace, "" where
    it is all of its pods.
    """

    namespace: str
    direction: str
    dropped: tuple[Network, ...]
    whole: bool
    policies: tuple[CalicoPolicy, ...]  # those that select the pods in this direction
    by: tuple[str, ...]
    only: str = ""


class Doubt(t.NamedTuple):
    """Pods of a namespace of which that cannot be told."""

    namespace: str
    direction: str
    reasons: tuple[str, ...]


def policies_of(snapshot: Snapshot, unread_sets: str) -> Policies:
    """Everything that decides on this cluster: Calico's own policies and Kubernetes', staged ones left out.

    :param unread_sets: why NetworkSets could not be read, "" when they were.
    """
    calico = [policy for policy in snapshot.calico_policies.items if not policy.staged]
    if snapshot.network_policies.known:
        calico = [*without_copies(calico), *(as_calico(policy) for policy in snapshot.network_policies.items)]
    return Policies(tuple(calico), snapshot.tiers.items, NetworkSets(snapshot.network_sets.items, unread_sets))


class _Found(t.NamedTuple):
    """``dropped`` for certain over both TCP and UDP; ``doubts`` where nothing gets through for certain and something perhaps does."""

    dropped: tuple[Network, ...]
    whole: bool
    by: tuple[str, ...]
    doubts: tuple[str, ...]


class Namespaces:
    """Evaluates one namespace after the other, and what is the same for many only once."""

    def __init__(self, policies: Policies, labels: t.Mapping[str, t.Mapping[str, str]], local: t.Sequence[Network]) -> None:
        """:param labels: of each namespace. :param local: this cluster's pod CIDRs, () when not known."""
        self.policies, self.labels, self.local = policies, labels, tuple(local)
        self.everywhere = [policy for policy in policies.policies if not policy.ref.namespace]
        self.by_namespace: dict[str, list[CalicoPolicy]] = {}
        for policy in policies.policies:
            if policy.ref.namespace:
                self.by_namespace.setdefault(policy.ref.namespace, []).append(policy)
        self.seen: dict[t.Any, _Found] = {}

    def judge(self, namespace: str, direction: str, remote: t.Sequence[Network]) -> t.Iterator[Cut | Doubt]:
        """What is cut between the namespace's pods and ``remote``, and what cannot be told."""
        pod = pod_entity(namespace, self.local, Labels(self.labels.get(namespace, {}), open=namespace not in self.labels))
        chosen = selection([*self.everywhere, *self.by_namespace.get(namespace, ())], pod, direction)
        base = self._cut(pod, direction, chosen.certain, remote)
        yield from self._verdict(namespace, direction, chosen.certain, base, "")
        for policy in chosen.perhaps:
            applied = (*chosen.certain, policy)
            found = self._cut(pod, direction, applied, remote)
            if set(found.dropped) - set(base.dropped):
                yield from self._verdict(namespace, direction, applied, found, str(policy.ref))

    def opened(self, namespace: str, direction: str, remote: t.Sequence[Network]) -> tuple[str, ...]:
        """Policies that open to ``remote`` some pods of a namespace whose others are cut off."""
        pod = pod_entity(namespace, self.local, Labels(self.labels.get(namespace, {}), open=namespace not in self.labels))
        chosen = selection([*self.everywhere, *self.by_namespace.get(namespace, ())], pod, direction)
        return tuple(str(policy.ref) for policy in chosen.perhaps if not self._cut(pod, direction, (*chosen.certain, policy), remote).dropped)

    @staticmethod
    def _verdict(namespace: str, direction: str, applied: tuple[CalicoPolicy, ...], found: _Found, only: str) -> t.Iterator[Cut | Doubt]:
        if found.dropped:
            yield Cut(namespace, direction, found.dropped, found.whole, applied, found.by, only)
        elif found.doubts:
            yield Doubt(namespace, direction, found.doubts)

    def _cut(self, pod: Entity, direction: str, applied: tuple[CalicoPolicy, ...], remote: t.Sequence[Network]) -> _Found:
        alone = any(self._looks_at_the_pod(policy, direction) for policy in applied)
        key = (direction, tuple(id(policy) for policy in applied), tuple(remote), pod.namespace if alone else "")
        if key not in self.seen:
            self.seen[key] = self._evaluated(pod, direction, applied, remote)
        return self.seen[key]

    def _evaluated(self, pod: Entity, direction: str, applied: tuple[CalicoPolicy, ...], remote: t.Sequence[Network]) -> _Found:
        cuts = tuple(self._nets(applied, direction))
        dropped: list[Network] = []
        outcomes: list[Outcome] = []
        whole = True
        for network in remote:
            pieces, cut_short = parts(network, cuts)
            whole = whole and not cut_short
            for piece in pieces:
                peer = Entity((piece,))
                ends = (peer, pod) if direction == INGRESS else (pod, peer)
                found = [evaluate(applied, Flow(direction, *ends, protocol), self.policies) for protocol in (TCP, UDP)]
                if all(outcome.is_dropped for outcome in found):
                    dropped.append(piece)
                else:
                    whole = False
                    outcomes += found
        by = evaluate(applied, Flow(direction, *self._ends(pod, direction, dropped), TCP), self.policies).dropped_by if dropped else ()
        open_for_certain = any(not outcome.is_dropped and not outcome.is_unknown for outcome in outcomes)
        return _Found(collapse(dropped), whole, by, () if open_for_certain else together(outcomes).unknown if outcomes else ())

    @staticmethod
    def _ends(pod: Entity, direction: str, dropped: t.Sequence[Network]) -> tuple[Entity, Entity]:
        peer = Entity(tuple(dropped[:1]))
        return (peer, pod) if direction == INGRESS else (pod, peer)

    def _nets(self, applied: t.Iterable[CalicoPolicy], direction: str) -> t.Iterator[Network]:
        for policy in applied:
            for rule in policy.ingress if direction == INGRESS else policy.egress:
                peer = rule.get(PEER_SIDE[direction])
                if isinstance(peer, dict):
                    yield from nets(peer.get("nets"))
                    yield from nets(peer.get("notNets"))
        for item in self.policies.sets.items:
            yield from nets(item.nets)

    @staticmethod
    def _looks_at_the_pod(policy: CalicoPolicy, direction: str) -> bool:
        """Whether a rule asks more of the selected pod itself than its address and ports."""
        own = OWN_SIDE[direction]
        rules = policy.ingress if direction == INGRESS else policy.egress
        return bool(policy.ref.namespace) or any(isinstance(rule.get(own), dict) and set(rule[own]) - ADDRESSES_AND_PORTS for rule in rules)
