# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Policies that drop traffic between pods here and remote clusters, evaluated without sending a packet."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass

from ansible_collections.fathom.submariner.plugins.module_utils._calico._policy_flow import EGRESS, INGRESS
from ansible_collections.fathom.submariner.plugins.module_utils._calico._policy_namespaces import Cut, Doubt, Namespaces, policies_of
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts, missing, shown
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Evidence, Remedy
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import NotApplicable, Problem, check
from ansible_collections.fathom.submariner.plugins.module_utils._checks._remedy_data import by_hand
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import Network, parse_cidrs
from ansible_collections.fathom.submariner.plugins.module_utils._network._evidence import POD

# Namespaces of the platform: their pods are no clients of other clusters. What Submariner's own pods need is a check of its own.
SYSTEM = re.compile(r"(kube-(system|public|node-lease)|calico-.*|tigera-.*|submariner-.*|openshift(-.*)?|ibm-.*|cattle-.*|local-path-storage)\Z")
MOST = 8  # namespaces that evidence names one by one
POLICY_DOCS = "https://docs.tigera.io/calico/latest/network-policy/policy-tiers/tiered-policy"
WORDS = {INGRESS: "comes in", EGRESS: "goes out"}


@dataclass(frozen=True)
class Remote:
    """A remote cluster: the addresses of its pods, and those of its Services."""

    cluster_id: str
    pods: tuple[Network, ...]
    services: tuple[Network, ...]

    def of(self, direction: str) -> tuple[Network, ...]:
        """What a policy sees as the peer: pods come from pod addresses; what goes out is meant for a pod, or for a Service's address there."""
        return self.pods if direction == INGRESS else tuple(dict.fromkeys((*self.pods, *self.services)))


@check(
    "policy-remote-traffic-dropped",
    title="No network policy drops traffic between pods here and remote clusters",
    severity="warning",
    needs=("calico_policies", "network_policies", "namespaces", "submariner_clusters"),
    joined=True,
    references=(POLICY_DOCS, "red-hat-storage/ocs-operator#4167"),
    tags=("policy",),
    remedy="Allow the remote cluster's CIDRs by address: selectors never match what comes from another cluster.",
)
def remote_traffic(facts: Facts) -> t.Iterator[Problem]:
    """Tiers, GlobalNetworkPolicies and NetworkPolicies (Calico's and Kubernetes') are evaluated for traffic of each namespace with each remote cluster.

    The source of what comes from another cluster is an address of its pod CIDR (with Globalnet, of its global CIDR): only ``nets``, ``ipBlock`` and
    network sets match it, never a selector. A namespace that denies by default for itself is a warning, since it may mean to; a global policy that cuts
    off every namespace is an error, and a blocker where it does so in both directions. Staged policies decide nothing.
    """
    snapshot = facts.snapshot
    remotes = remote_clusters(facts)
    if not remotes or not _uses_calico(facts):
        raise NotApplicable()
    judge = Namespaces(
        policies_of(snapshot, missing(snapshot.network_sets, "NetworkSets")),
        {item.ref.name: {**item.labels, "projectcalico.org/name": item.ref.name} for item in snapshot.namespaces.items},
        facts.truth.networks(POD),
    )
    namespaces = _namespaces(facts)
    for remote in remotes:
        directions = [direction for direction in (INGRESS, EGRESS) if remote.of(direction)]
        found = [entry for name in namespaces for direction in directions for entry in judge.judge(name, direction, remote.of(direction))]
        yield from _problems([entry for entry in found if isinstance(entry, Cut)], remote, len(namespaces), judge)
        yield from _doubts([entry for entry in found if isinstance(entry, Doubt)], remote)


def remote_clusters(facts: Facts) -> tuple[Remote, ...]:
    """The other members as their Clusters describe them, or where there is none as their Endpoints do."""
    own, namespace = facts.submariner.cluster_id, facts.submariner.ref.namespace
    found: dict[str, Remote] = {}
    for item in facts.snapshot.submariner_clusters.items:
        if item.ref.namespace == namespace and item.cluster_id != own:
            pods = parse_cidrs(item.global_cidrs or item.cluster_cidrs).networks
            found[item.cluster_id] = Remote(item.cluster_id, pods, () if item.global_cidrs else parse_cidrs(item.service_cidrs).networks)
    for endpoint in facts.remote_endpoints:
        found.setdefault(endpoint.cluster_id, Remote(endpoint.cluster_id, parse_cidrs(endpoint.subnets).networks, ()))
    return tuple(remote for _cluster_id, remote in sorted(found.items()))


def _uses_calico(facts: Facts) -> bool:
    snapshot = facts.snapshot
    return bool(snapshot.cluster_informations.items or snapshot.installations.items or snapshot.ip_pools.items or snapshot.calico_policies.items)


def _namespaces(facts: Facts) -> tuple[str, ...]:
    """Those that may hold clients or servers of other clusters. One in which no pod was seen counts where not all pods were read."""
    snapshot = facts.snapshot
    with_pods = {pod.ref.namespace for pod in snapshot.pods.items if not pod.host_network}
    everything = snapshot.pods.ok and not snapshot.pods.partial
    names = (item.ref.name for item in snapshot.namespaces.items if not item.deleted_at and not SYSTEM.match(item.ref.name))
    return tuple(name for name in names if name in with_pods or not (everything or name == "default"))


def _problems(cuts: t.Sequence[Cut], remote: Remote, namespaces: int, judge: Namespaces) -> t.Iterator[Problem]:
    grouped: dict[tuple[str, ...], list[Cut]] = {}
    for cut in cuts:
        grouped.setdefault(_group(cut), []).append(cut)
    for key, members in grouped.items():
        if key[0] == "global":
            yield _by_global_policies(key[1:], members, remote, namespaces)
        else:
            yield _by_namespaces(members, remote, judge, some=key[0] == "some")


def _group(cut: Cut) -> tuple[str, ...]:
    """Global policies by name, the namespaces' own all together, and apart from them those that only some pods meet."""
    if cut.only:
        return ("some",)
    own = [policy for policy in cut.policies if policy.ref.namespace]
    decisive = tuple(sorted({str(policy.ref) for policy in cut.policies if any(str(policy.ref) in by for by in cut.by)}))
    return ("own",) if own and any(str(policy.ref) in by for policy in own for by in cut.by) else ("global", *decisive)


def _by_global_policies(names: t.Sequence[str], cuts: t.Sequence[Cut], remote: Remote, namespaces: int) -> Problem:
    directions = {cut.direction for cut in cuts}
    hit = tuple(dict.fromkeys(cut.namespace for cut in cuts))
    whole = all(cut.whole for cut in cuts) and len(hit) == namespaces
    who = ", ".join(names) or "The profiles"
    return Problem(
        subject=who,
        title=f"{who} cut{'s' if len(names) == 1 else ''} {_some(hit, namespaces)} off from {remote.cluster_id}: {_what(cuts)}",
        evidence=tuple(_evidence(cuts)),
        impact=f"Connections between those pods and {remote.cluster_id} hang until they time out; nothing is logged.",
        remedy=_allow(remote, directions, "GlobalNetworkPolicy that comes before it (a lower order, or in an earlier tier)", names[0] if names else ""),
        severity=("blocker" if len(directions) == 2 else "error") if whole else "warning",
    )


def _by_namespaces(cuts: t.Sequence[Cut], remote: Remote, judge: Namespaces, *, some: bool) -> Problem:
    directions = {cut.direction for cut in cuts}
    hit = tuple(dict.fromkeys(cut.namespace for cut in cuts))
    opened = [] if some else [name for cut in cuts[:MOST] for name in judge.opened(cut.namespace, cut.direction, remote.of(cut.direction))]
    exceptions = (Evidence("Pods that further policies open", "", ", ".join(dict.fromkeys(opened))),) if opened else ()
    pods = "some pods" if some else "the pods"
    return Problem(
        subject=f"Namespace {hit[0]}" if len(hit) == 1 else f"{len(hit)} namespaces",
        title=f"Own policies cut {pods} of {_listed(hit)} off from {remote.cluster_id}: {_what(cuts)}",
        evidence=(*_evidence(cuts), *exceptions),
        impact=f"Connections between those pods and {remote.cluster_id} hang until they time out, which is right only where that is meant.",
        remedy=_allow(remote, directions, f"NetworkPolicy in {_listed(hit)}", ""),
        severity="info" if some else "",
    )


def _evidence(cuts: t.Sequence[Cut]) -> t.Iterator[Evidence]:
    for cut in cuts[:MOST]:
        part = "" if cut.whole else f"; only {shown(cut.dropped[:3])}" + (" and more" if len(cut.dropped) > 3 else "")
        pods = f"the pods that {cut.only} selects" if cut.only else "every pod"
        yield Evidence(f"Namespace {cut.namespace}", cut.direction, "dropped", f"{pods}; by {'; '.join(cut.by[:2])}{part}")
    if len(cuts) > MOST:
        yield Evidence("Namespaces", "", f"{len(cuts) - MOST} more")


def _doubts(doubts: t.Sequence[Doubt], remote: Remote) -> t.Iterator[Problem]:
    if doubts:
        reasons = tuple(dict.fromkeys(reason for doubt in doubts for reason in doubt.reasons))
        hit = tuple(dict.fromkeys(doubt.namespace for doubt in doubts))
        yield Problem(
            subject=f"Namespace {hit[0]}" if len(hit) == 1 else f"{len(hit)} namespaces",
            title=f"Whether policies let pods of {_listed(hit)} talk with {remote.cluster_id} is not known",
            missing="; ".join(reasons[:4]) + (f" and {len(reasons) - 4} more" if len(reasons) > 4 else ""),
            severity="info",
        )


def _allow(remote: Remote, directions: t.Collection[str], where: str, target: str) -> Remedy:
    rules = []
    if INGRESS in directions:
        rules.append(f"ingress from {shown(remote.of(INGRESS))}")
    if EGRESS in directions:
        rules.append(f"egress to {shown(remote.of(EGRESS))}")
    return by_hand(
        f"Add a {where} that allows {' and '.join(rules)} by address (nets or ipBlock; for many policies a GlobalNetworkSet of these CIDRs). "
        "A pod or namespace selector cannot match them.",
        target,
    )


def _what(cuts: t.Sequence[Cut]) -> str:
    directions = {cut.direction for cut in cuts}
    much = "nothing" if all(cut.whole for cut in cuts) else "not everything"
    return ", ".join(f"{much} {WORDS[direction]}" for direction in (EGRESS, INGRESS) if direction in directions)


def _some(hit: t.Sequence[str], namespaces: int) -> str:
    return "the pods of every namespace" if len(hit) == namespaces and len(hit) > 1 else f"the pods of {_listed(hit)}"


def _listed(names: t.Sequence[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more namespaces" if len(names) > 3 else "")
