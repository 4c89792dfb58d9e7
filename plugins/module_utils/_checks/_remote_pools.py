# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The IPPools that keep Calico from masquerading traffic to remote clusters."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._checks._calico_api import CALICO_API
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Evidence
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import NotApplicable, Problem, check
from ansible_collections.fathom.submariner.plugins.module_utils._checks._remedy_data import by_hand
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import parse_cidrs, same
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import NOT_SERVED, UNAVAILABLE, IPPool
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._remote_pools import (
    WantedPool,
    blocking_pools,
    missing_pools,
    stale_pools,
)
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._version import POOLS_WITHOUT_BGP_EXPORT

MISSING = "remote-pool-missing"
STALE = "remote-pool-stale"
BLOCKED = "remote-pool-blocked"
FIELDS = "remote-pool-fields"
HANDLER = "submariner pkg/routeagent_driver/handlers/calico/ippool_handler.go"
OVERLAP = "projectcalico/calico libcalico-go/lib/clientv3/ippool.go"
NEEDS = ("endpoints", "ip_pools")


def _pools(facts: Facts) -> tuple[IPPool, ...]:
    if not facts.uses_calico_handler:
        raise NotApplicable()
    return facts.snapshot.ip_pools.items


def _blockers(facts: Facts, wanted: WantedPool) -> tuple[IPPool, ...]:
    return blocking_pools(facts.snapshot.ip_pools.items, wanted)


def _missing(facts: Facts) -> tuple[WantedPool, ...]:
    pools = facts.snapshot.ip_pools.items
    return tuple(wanted for wanted in missing_pools(pools, facts.wanted_pools) if not any(_equal(pool, wanted) for pool in pools))


def _equal(pool: IPPool, wanted: WantedPool) -> bool:
    networks = parse_cidrs(pool.cidr).networks
    return bool(networks) and same(networks, parse_cidrs(wanted.cidr).networks)


def _pool_evidence(pool: IPPool, note: str = "") -> Evidence:
    return Evidence(str(pool.ref), "spec.cidr", pool.cidr, note)


def _announced(facts: Facts, wanted: WantedPool) -> Evidence:
    endpoint = next(item for item in facts.remote_endpoints if item.cluster_id == wanted.cluster_id and wanted.cidr in item.subnets)
    return Evidence(str(endpoint.ref), "spec.subnets", wanted.cidr, f"announced by {wanted.cluster_id}")


@check(MISSING, title="Every remote subnet has its IPPool", severity="error", needs=NEEDS, joined=True, references=(HANDLER,))
def remote_pool_missing(facts: Facts) -> t.Iterator[Problem]:
    """One IPPool for each IPv4 subnet that a remote Endpoint announces; those that another pool keeps out are told by the checks on that pool."""
    _pools(facts)
    api_down = facts.snapshot.ip_pools_v3.state in (NOT_SERVED, UNAVAILABLE)
    lacking: dict[str, list[WantedPool]] = {}
    for wanted in _missing(facts):
        if not _blockers(facts, wanted):
            lacking.setdefault(wanted.cluster_id, []).append(wanted)
    for cluster_id, pools in lacking.items():
        yield Problem(
            subject=f"IPPools for {cluster_id}",
            title=f"Calico has no IPPool for {', '.join(pool.cidr for pool in pools)} of {cluster_id}",
            evidence=tuple(_announced(facts, pool) for pool in pools),
            impact=f"Traffic from pods to {cluster_id} leaves masqueraded as a node: connections break, or arrive with the wrong source address.",
            remedy=None
            if api_down
            else by_hand(
                f"Delete the pod with label app=submariner-routeagent on the node of the active gateway: the agent creates pools only at start or for "
                f"a new Endpoint, and gives up after some minutes. Expected: {', '.join(pool.name for pool in pools)}."
            ),
            caused_by=f"{facts.snapshot.cluster}/{CALICO_API}" if api_down else "",
        )


@check(
    STALE,
    title="No IPPool is left over from a subnet that no remote cluster has",
    severity="warning",
    needs=NEEDS,
    joined=True,
    references=(HANDLER, OVERLAP),
)
def remote_pool_stale(facts: Facts) -> t.Iterator[Problem]:
    """Pools that Submariner made for a subnet which no remote Endpoint announces any more.

    The route agent never removes a pool on an Endpoint's update. One that overlaps a missing pool is an error: Calico refuses any pool that overlaps
    another, so the stale /24 keeps the right /16 out for ever.
    """
    pools = _pools(facts)
    kept_out = {wanted: _blockers(facts, wanted) for wanted in _missing(facts)}
    for pool in stale_pools(pools, facts.wanted_pools):
        if any(_equal(pool, wanted) for wanted in facts.wanted_pools):
            continue
        victims = [wanted for wanted, blockers in kept_out.items() if pool in blockers]
        title = f"IPPool {pool.ref.name} is left over: no remote cluster has the subnet {pool.cidr}"
        if victims:
            title = f"The left-over IPPool {pool.cidr} keeps the pool {', '.join(wanted.cidr for wanted in victims)} of {victims[0].cluster_id} out"
        yield Problem(
            subject=str(pool.ref),
            title=title,
            evidence=(_pool_evidence(pool, "made by Submariner, belongs to no remote Endpoint"), *(_announced(facts, wanted) for wanted in victims)),
            impact=(
                f"Calico refuses the right pool as overlapping; traffic to the rest of {', '.join(wanted.cidr for wanted in victims)} leaves masqueraded."
                if victims
                else "Addresses of that range are not masqueraded although no remote cluster has them, and no other pool can be made there."
            ),
            remedy=by_hand(
                f"Delete IPPool {pool.ref.name} through projectcalico.org/v3 (or calicoctl), then the route agent's pod on the gateway node. "
                "Correcting the remote cluster's CIDRs with the role fathom.submariner.join does both."
            ),
            severity="error" if victims else "",
        )


@check(
    BLOCKED, title="No other IPPool keeps the pool of a remote subnet out", severity="error", needs=NEEDS, joined=True, references=(HANDLER, OVERLAP)
)
def remote_pool_blocked(facts: Facts) -> t.Iterator[Problem]:
    """Pools in use that overlap a missing remote pool: this cluster's own, one made by hand, or one of another remote cluster."""
    pools = _pools(facts)
    stale = stale_pools(pools, facts.wanted_pools)
    for wanted in _missing(facts):
        foreign = [pool for pool in _blockers(facts, wanted) if pool not in stale]
        if foreign:
            local = [pool for pool in foreign if not pool.disabled]
            why = "this cluster's own pods use it: the two clusters' CIDRs overlap" if local else "made by hand, or for another cluster"
            yield Problem(
                subject=f"IPPool {wanted.name}",
                title=f"IPPool {foreign[0].ref.name} ({foreign[0].cidr}) keeps the pool {wanted.cidr} of {wanted.cluster_id} out",
                evidence=(*(_pool_evidence(pool, why) for pool in foreign), _announced(facts, wanted)),
                impact=f"Calico refuses pools that overlap, so traffic to {wanted.cidr} of {wanted.cluster_id} leaves masqueraded or stays local.",
                remedy=by_hand(
                    "Overlapping clusters need Globalnet, or one of them another CIDR."
                    if local
                    else f"Delete IPPool {foreign[0].ref.name} if nothing needs it, then the route agent's pod on the gateway node."
                ),
            )


@check(
    FIELDS,
    title="The IPPools of remote subnets have the fields that Submariner needs",
    severity="error",
    needs=NEEDS,
    joined=True,
    references=(HANDLER, "submariner-io/submariner#3156"),
)
def remote_pool_fields(facts: Facts) -> t.Iterator[Problem]:
    """A pool that exists is never repaired by the route agent: it takes "already exists" for success."""
    bgp_off = any(installation.bgp == "Disabled" for installation in facts.snapshot.installations.items)
    for pool in _pools(facts):
        owner = next((wanted for wanted in facts.wanted_pools if _equal(pool, wanted)), None)
        if owner is None:
            continue
        wrong = list(_wrong_fields(pool, owner.cluster_id, bgp_off))
        if wrong:
            fields = ", ".join(f"{entry.field.replace('spec.', '')}: {entry.value}" for entry, _breaks, _severity in wrong)
            yield Problem(
                subject=str(pool.ref),
                title=f"The IPPool {pool.cidr} of {owner.cluster_id} has {fields}",
                evidence=tuple(entry for entry, _breaks, _severity in wrong),
                impact=" ".join(breaks for _entry, breaks, _severity in wrong),
                remedy=by_hand(
                    f"Patch IPPool {pool.ref.name} through projectcalico.org/v3 or calicoctl: disabled true, natOutgoing false, disableBGPExport true."
                ),
                severity="error" if any(severity == "error" for _entry, _breaks, severity in wrong) else "warning",
            )


def _wrong_fields(pool: IPPool, cluster_id: str, bgp_off: bool) -> t.Iterator[tuple[Evidence, str, str]]:
    where = str(pool.ref)
    if not pool.disabled:
        yield Evidence(where, "spec.disabled", "false"), f"Calico may give pods of this cluster addresses of {cluster_id}.", "error"
    if pool.nat_outgoing:
        yield Evidence(where, "spec.natOutgoing", "true"), "Traffic from this range is masqueraded.", "error"
    if pool.allowed_uses == ("LoadBalancer",):
        breaks = "Calico 3.31.6, 3.32.1 and newer masquerade traffic to it, since pools for load balancers alone do not count."
        yield Evidence(where, "spec.allowedUses", "LoadBalancer"), breaks, "error"
    if not pool.disable_bgp_export and not bgp_off:
        note = f"route agents before {', '.join(POOLS_WITHOUT_BGP_EXPORT.first)} leave it out, and no later one adds it"
        breaks = "With BGP, other nodes may learn the remote range through the default interface instead of vx-submariner, often only after a reboot."
        yield Evidence(where, "spec.disableBGPExport", "false", note), breaks, "warning"
