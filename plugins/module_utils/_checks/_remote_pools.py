# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The IPPools that keep Calico from masquerading traffic to remote clusters: one for each remote subnet, with the right fields."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._api_state import MIGRATING, api_state
from ansible_collections.fathom.submariner.plugins.module_utils._calico._calico_version import calico_version
from ansible_collections.fathom.submariner.plugins.module_utils._calico._durable_yaml_write import scalar
from ansible_collections.fathom.submariner.plugins.module_utils._calico._pool_context import bgp, shown_bgp
from ansible_collections.fathom.submariner.plugins.module_utils._calico._pool_fields import WrongField, encapsulations, masquerades, wrong_fields
from ansible_collections.fathom.submariner.plugins.module_utils._checks._calico_api import CALICO_API, HANDLER, pools_matter
from ansible_collections.fathom.submariner.plugins.module_utils._checks._calico_migration import MIGRATION
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Evidence, Remedy
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import CLUSTERSET, NotApplicable, Problem, check
from ansible_collections.fathom.submariner.plugins.module_utils._checks._remedy_data import by_hand, by_role
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import IPPool
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._pool_log import pool_lines
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._remote_pool_scene import pool_owners
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._remote_pools import (
    WantedPool,
    blocking_pools,
    missing_pools,
    pool_owner,
    same_range,
    stale_pools,
)
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._version import POOLS_WITHOUT_BGP_EXPORT

MISSING = "remote-pool-missing"
STALE = "remote-pool-stale"
ORPHANED = "remote-pool-orphaned"
BLOCKED = "remote-pool-blocked"
FIELDS = "remote-pool-fields"
OVERLAP = "projectcalico/calico libcalico-go/lib/clientv3/ippool.go"
NEEDS = ("endpoints", "ip_pools")
TAGS = ("pools",)
NOT_MASQUERADED = "None now: no IPPool of this cluster's own has natOutgoing, so Calico masquerades nothing. It would with the first one that has."
RESTART = "the pod with label app=submariner-routeagent on the node of the active gateway"
ROLE = "remote_ippools"


def remote_pools(facts: Facts) -> tuple[IPPool, ...]:
    """All pools, where Submariner keeps those of remote subnets among them.

    :raises NotApplicable: it does not on this cluster.
    """
    if not pools_matter(facts):
        raise NotApplicable()
    return facts.snapshot.ip_pools.items


def _blockers(facts: Facts, wanted: WantedPool) -> tuple[IPPool, ...]:
    return blocking_pools(facts.snapshot.ip_pools.items, wanted)


def _harmless(facts: Facts) -> bool:
    """True where a missing pool does no harm to traffic, since Calico masquerades nothing here."""
    return not masquerades(facts.snapshot.ip_pools.items)


def _missing(facts: Facts) -> tuple[WantedPool, ...]:
    pools = facts.snapshot.ip_pools.items
    return tuple(wanted for wanted in missing_pools(pools, facts.wanted_pools) if not any(same_range(pool, wanted.cidr) for pool in pools))


def pool_evidence(pool: IPPool, note: str = "") -> Evidence:
    return Evidence(str(pool.ref), "spec.cidr", pool.cidr, note)


def _announced(facts: Facts, wanted: WantedPool) -> Evidence:
    endpoint = next(item for item in facts.remote_endpoints if item.cluster_id == wanted.cluster_id and wanted.cidr in item.subnets)
    return Evidence(str(endpoint.ref), "spec.subnets", wanted.cidr, f"announced by {wanted.cluster_id}")


@check(
    MISSING,
    title="Every remote subnet has its IPPool",
    severity="blocker",
    needs=NEEDS,
    joined=True,
    references=(HANDLER, "submariner-io/submariner#2576", "projectcalico/calico felix/rules/nat.go"),
    tags=TAGS,
)
def remote_pool_missing(facts: Facts) -> t.Iterator[Problem]:
    """One IPPool for each IPv4 subnet that a remote Endpoint announces, whoever made it; those that another pool keeps out are told by the checks on that
    pool. Where none of this cluster's own pools has natOutgoing, Calico masquerades nothing, and it is a warning."""
    remote_pools(facts)
    state = api_state(facts.snapshot)
    cause = CALICO_API if state.refuses else MIGRATION if state.state == MIGRATING else ""
    lacking: dict[str, list[WantedPool]] = {}
    for wanted in _missing(facts):
        if not _blockers(facts, wanted):
            lacking.setdefault(wanted.cluster_id, []).append(wanted)
    log = tuple(Evidence(str(line.pod), "log", line.text, f"{line.count} such lines") for line in pool_lines(facts.snapshot)[:3])
    for cluster_id, pools in lacking.items():
        yield Problem(
            subject=f"IPPools for {cluster_id}",
            title=f"Calico has no IPPool for {', '.join(pool.cidr for pool in pools)} of {cluster_id}",
            evidence=(*(_announced(facts, pool) for pool in pools), *log),
            impact=NOT_MASQUERADED
            if _harmless(facts)
            else f"Traffic from pods to {cluster_id} leaves masqueraded as a node: connections break, or arrive with the wrong source address.",
            remedy=None if cause == MIGRATION else _make(facts, pools),
            severity="warning" if cause or _harmless(facts) else "",
            caused_by=f"{facts.snapshot.cluster}/{cause}" if cause else "",
        )


def _make(facts: Facts, pools: t.Sequence[WantedPool]) -> Remedy:
    names = ", ".join(pool.name for pool in pools)
    target = ", ".join(f"IPPool {pool.name}" for pool in pools)
    restart = f"Delete {RESTART}: the agent creates pools only at start or for a new Endpoint, and gives up after 20 tries. Expected: {names}."
    return by_role(ROLE, f"Create {names} as the route agent would, which takes them for its own. {restart}", target=target)


@check(
    STALE,
    title="No IPPool is left over from a subnet that a remote cluster no longer has",
    severity="warning",
    needs=NEEDS,
    joined=True,
    references=(HANDLER, OVERLAP),
    tags=TAGS,
)
def remote_pool_stale(facts: Facts) -> t.Iterator[Problem]:
    """Pools that Submariner made for a subnet which a remote cluster, still a member, does not announce any more.

    The route agent never removes a pool on an Endpoint's update. One that overlaps a missing pool keeps that one out for ever: Calico refuses any pool
    that overlaps another, so the stale /24 has the right /16 refused, and traffic to the rest of it is dead.
    """
    yield from _left_over(facts, orphans=False)


@check(
    ORPHANED,
    title="No IPPool is left over from a cluster that is no longer a member",
    severity="warning",
    needs=(*NEEDS, "submariner_clusters"),
    joined=True,
    references=(HANDLER, OVERLAP),
    tags=TAGS,
)
def remote_pool_orphaned(facts: Facts) -> t.Iterator[Problem]:
    """Pools that Submariner made for a cluster of which there is neither an Endpoint nor a Cluster object: it left while the Calico API or the route agent
    was away."""
    yield from _left_over(facts, orphans=True)


def _left_over(facts: Facts, *, orphans: bool) -> t.Iterator[Problem]:
    kept_out = {wanted: _blockers(facts, wanted) for wanted in _missing(facts)}
    for pool in _unwanted(facts):
        owner = pool_owner(pool)
        if (bool(owner) and owner not in _members(facts)) is not orphans:
            continue
        victims = [wanted for wanted, blockers in kept_out.items() if pool in blockers]
        out = ", ".join(wanted.cidr for wanted in victims)
        title = f"IPPool {pool.ref.name} is left over: no remote cluster has the subnet {pool.cidr}"
        if orphans:
            title = f"IPPool {pool.ref.name} is left over from {owner}, which is no longer a member"
        if victims:
            title = f"The left-over IPPool {pool.cidr} keeps the pool {out} of {victims[0].cluster_id} out"
        yield Problem(
            subject=str(pool.ref),
            title=title,
            evidence=(pool_evidence(pool, "made by Submariner, belongs to no remote Endpoint"), *(_announced(facts, wanted) for wanted in victims)),
            impact=(
                f"Calico refuses the right pool as overlapping; traffic to the rest of {out} leaves masqueraded."
                if victims
                else "Addresses of that range are not masqueraded although no remote cluster has them, and no other pool can be made there."
            ),
            remedy=_remove(facts, pool, disruptive=bool(victims)),
            severity="blocker" if victims and not _harmless(facts) else "",
        )


def _remove(facts: Facts, pool: IPPool, *, disruptive: bool) -> Remedy:
    """Also makes the pool that it keeps out. One that gives addresses is not removed before a person has disabled it."""
    by_itself = f"Delete IPPool {pool.ref.name} through projectcalico.org/v3 (or calicoctl), then {RESTART}."
    correct = "Correcting the remote cluster's CIDRs with the role fathom.submariner.join does both."
    if not pool.disabled or not api_state(facts.snapshot).answers or _looked_after(facts, pool):
        return by_hand(f"{by_itself} {correct}", str(pool.ref))
    return by_role(ROLE, f"Remove IPPool {pool.ref.name} and make the one that it keeps out. {correct}", target=str(pool.ref), disruptive=disruptive)


def _looked_after(facts: Facts, pool: IPPool) -> bool:
    """Whether somebody else keeps the pool as it is, so that the role leaves it to them."""
    return pool.ref.name in pool_owners(facts.snapshot, (pool,), calico_version(facts.snapshot))


def _unwanted(facts: Facts) -> tuple[IPPool, ...]:
    """Pools of Submariner that no remote Endpoint wants. One whose cluster is between two gateways, known by its Cluster object alone, is wanted."""
    waiting = [
        cidr
        for cluster in facts.snapshot.submariner_clusters.items
        if cluster.cluster_id not in {endpoint.cluster_id for endpoint in facts.endpoints}
        for cidr in (*cluster.cluster_cidrs, *cluster.service_cidrs, *cluster.global_cidrs)
    ]
    live = [wanted.cidr for wanted in facts.wanted_pools] + waiting
    return tuple(pool for pool in stale_pools(remote_pools(facts), facts.wanted_pools) if not any(same_range(pool, cidr) for cidr in live))


def _members(facts: Facts) -> frozenset[str]:
    namespace = facts.submariner.ref.namespace
    clusters = (cluster.cluster_id for cluster in facts.snapshot.submariner_clusters.items if cluster.ref.namespace == namespace)
    return frozenset((*clusters, *(endpoint.cluster_id for endpoint in facts.endpoints)))


@check(
    BLOCKED,
    title="No other IPPool keeps the pool of a remote subnet out",
    severity="blocker",
    needs=NEEDS,
    joined=True,
    references=(HANDLER, OVERLAP),
    tags=TAGS,
)
def remote_pool_blocked(facts: Facts) -> t.Iterator[Problem]:
    """Pools in use that overlap a missing remote pool: this cluster's own, one made by hand, or one of another remote cluster."""
    pools = remote_pools(facts)
    stale = stale_pools(pools, facts.wanted_pools)
    for wanted in _missing(facts):
        foreign = [pool for pool in _blockers(facts, wanted) if pool not in stale]
        if foreign:
            local = [pool for pool in foreign if not pool.disabled]
            why = "this cluster's own pods use it: the two clusters' CIDRs overlap" if local else "made by hand, or for another cluster"
            yield Problem(
                subject=f"IPPool {wanted.name}",
                title=f"IPPool {foreign[0].ref.name} ({foreign[0].cidr}) keeps the pool {wanted.cidr} of {wanted.cluster_id} out",
                evidence=(*(pool_evidence(pool, why) for pool in foreign), _announced(facts, wanted)),
                impact=f"Calico refuses pools that overlap, so traffic to {wanted.cidr} of {wanted.cluster_id} leaves masqueraded or stays local.",
                remedy=by_hand(
                    "Overlapping clusters need Globalnet, or one of them another CIDR."
                    if local
                    else f"If nothing needs IPPool {foreign[0].ref.name}, run the role fathom.submariner.{ROLE} with "
                    f"remote_ippools_remove: [{scalar(foreign[0].ref.name)}]; or delete it, then {RESTART}.",
                    "" if local else str(foreign[0].ref),
                ),
                severity="warning" if local or _harmless(facts) else "",
                caused_by=f"{CLUSTERSET}/clusterset-cidr-overlap" if local else "",
            )


@check(
    FIELDS,
    title="The IPPools of remote subnets have the fields that Submariner needs",
    severity="error",
    needs=NEEDS,
    joined=True,
    references=(HANDLER, "submariner-io/submariner#3156", "projectcalico/calico#12769"),
    tags=TAGS,
)
def remote_pool_fields(facts: Facts) -> t.Iterator[Problem]:
    """A pool that exists is never repaired by the route agent: it takes "already exists" for success. One made by hand is fine with the right fields."""
    pools = remote_pools(facts)
    runs_bgp, seen = bgp(facts.snapshot)
    calico = calico_version(facts.snapshot)
    bgp_note = f"route agents before {', '.join(POOLS_WITHOUT_BGP_EXPORT.first)} leave it out, and no later one adds it"
    in_use = encapsulations(pool for pool in pools if not pool.disabled)
    for pool in pools:
        owner = next((wanted for wanted in facts.wanted_pools if same_range(pool, wanted.cidr)), None)
        wrong = wrong_fields(pool, owner.cluster_id, bgp=runs_bgp, calico=calico, in_use=in_use, bgp_note=bgp_note) if owner else ()
        if owner is None or not wrong:
            continue
        exported = any(entry.seen.field == "spec.disableBGPExport" for entry in wrong)
        yield Problem(
            subject=str(pool.ref),
            title=f"The IPPool {pool.cidr} of {owner.cluster_id} has {', '.join(f'{e.seen.field[5:]}: {e.seen.value}' for e in wrong)}",
            evidence=(*(Evidence(*entry.seen) for entry in wrong), *(Evidence(*entry) for entry in shown_bgp(seen if exported else None))),
            impact=" ".join(entry.breaks for entry in wrong),
            remedy=_patch(facts, pool, wrong),
            severity="error" if any(entry.severity == "error" for entry in wrong) else "warning",
        )


def _patch(facts: Facts, pool: IPPool, wrong: t.Sequence[WrongField]) -> Remedy:
    right = ", ".join(entry.right for entry in wrong)
    if not api_state(facts.snapshot).answers or _looked_after(facts, pool):
        return by_hand(f"Patch IPPool {pool.ref.name} through projectcalico.org/v3 or calicoctl: {right}.", str(pool.ref))
    return by_role(ROLE, f"Patch IPPool {pool.ref.name}: {right}.", target=str(pool.ref))
