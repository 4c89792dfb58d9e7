# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What a cluster's snapshot says of the IPPools of remote subnets: which API takes them, which are wanted, whose each of them is."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico import _owners as owning
from ansible_collections.fathom.submariner.plugins.module_utils._calico._api_state import api_state
from ansible_collections.fathom.submariner.plugins.module_utils._calico._calico_version import at_least, calico_version
from ansible_collections.fathom.submariner.plugins.module_utils._calico._durable import why_not
from ansible_collections.fathom.submariner.plugins.module_utils._calico._pool_context import policy_only
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, RefusedError
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import covers, parse_cidrs
from ansible_collections.fathom.submariner.plugins.module_utils._network._evidence import POD, SERVICE
from ansible_collections.fathom.submariner.plugins.module_utils._network._verdict import CidrTruth
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Answer, Endpoint, IPPool, Snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._remote_ippools import OPERATOR, Scene
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._remote_pool_form import V1, V3, range_problem
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._remote_pools import WantedPool
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._version import parse_submariner_version

CRD = "crd"  # the option fallback's word for crd.projectcalico.org/v1

_OWNERS = {
    owning.TIGERA: OPERATOR,
    owning.ARGO_CD: "Argo CD",
    owning.FLUX: "Flux",
    owning.FLEET: "Fleet",
    owning.ACM: "Advanced Cluster Management",
    owning.HELM: "a Helm release",
    owning.HELM_CONTROLLER: "RKE2's Helm controller",
    owning.MANIFEST_FILE: "a manifest file on the servers",
}


def require_writable(snapshot: Snapshot, fallback: str) -> tuple[str, Answer[IPPool]]:
    """Return the API to write pools to, and the pools as it answered.

    :param fallback: CRD to go to crd.projectcalico.org/v1 where projectcalico.org/v3 does not answer.
    :raises RefusedError: no pool may or can be written.
    """
    where = f"{snapshot.cluster}: no IPPool is written"
    reason = why_not(snapshot)
    cni = policy_only(snapshot)
    if cni:
        reason = f"Calico does policy alone here, and {cni} routes the pods: IPPools decide nothing."
    if reason:
        raise RefusedError(f"{where}. {reason}")
    state = api_state(snapshot)
    if state.answers:
        return V3, _required(snapshot, snapshot.ip_pools_v3, "projectcalico.org/v3")
    if state.missing:
        raise RefusedError(f"{where}. {state.missing}. Give these credentials the right to list ippools.projectcalico.org.")
    if fallback == CRD:
        return V1, _required(snapshot, snapshot.ip_pools_v1, "crd.projectcalico.org/v1")
    detail = f" ({state.message})" if state.message else ""
    raise RefusedError(
        f"{where}: projectcalico.org/v3 is {state.state}{detail}. Enable the Calico API server first (role calico_api_server); fallback=crd writes to "
        "crd.projectcalico.org/v1 instead, which nobody validates and in which Submariner does not find its pools."
    )


def _required(snapshot: Snapshot, pools: Answer[IPPool], api_version: str) -> Answer[IPPool]:
    if not pools.ok:
        raise RefusedError(
            f"{snapshot.cluster}: the IPPools of {api_version} could not be read ({pools.where}: {pools.state.replace('_', ' ')}. {pools.detail}), so it is "
            "unknown what must be done. Nothing was written."
        )
    return pools


def subnets_given(subnets: t.Mapping[str, t.Any], own_id: str, submariner_version: str) -> tuple[WantedPool, ...]:
    """The user's subnets: ranges by cluster id, each a list or a text with commas.

    :param submariner_version: IPv6 is taken from 0.20 on: what is older forwards IPv4 alone.
    :raises InputError: something in it cannot be.
    """
    found: list[WantedPool] = []
    for cluster_id, cidrs in subnets.items():
        if not cluster_id or cluster_id == own_id:
            raise InputError(f"The option subnets names {cluster_id!r}, which must be the id of another cluster than this one. Nothing was written.")
        pieces = [piece.strip() for entry in ([cidrs] if isinstance(cidrs, str) else cidrs or ()) for piece in str(entry).split(",") if piece.strip()]
        for piece in pieces:
            problem = range_problem(piece)
            if problem:
                raise InputError(f"The option subnets is wrong for {cluster_id}: {problem}. Nothing was written.")
            version = parse_submariner_version(submariner_version)
            if parse_cidrs(piece).networks[0].version == 6 and (version is None or version.point[:2] < (0, 20)):
                told = f"Submariner {submariner_version}" if submariner_version else "this Submariner, whose version is not known,"
                raise InputError(f"The option subnets has {piece} for {cluster_id}: {told} forwards IPv4 alone; IPv6 needs 0.20. Nothing was written.")
            found.append(WantedPool(str(cluster_id), str(parse_cidrs(piece).networks[0])))
    return tuple(dict.fromkeys(found))


def waiting(snapshot: Snapshot, endpoints: t.Iterable[Endpoint]) -> tuple[WantedPool, ...]:
    """The subnets of remote clusters that are between two gateways: known by their Cluster object alone."""
    submariner = snapshot.submariner
    if submariner is None:
        return ()
    announced = {endpoint.cluster_id for endpoint in endpoints} | {submariner.cluster_id}
    return tuple(
        WantedPool(cluster.cluster_id, cidr)
        for cluster in snapshot.submariner_clusters.items
        if cluster.ref.namespace == submariner.ref.namespace and cluster.cluster_id not in announced
        for cidr in (*cluster.cluster_cidrs, *cluster.service_cidrs, *cluster.global_cidrs)
    )


def scene_of(
    snapshot: Snapshot,
    truth: CidrTruth,
    endpoints: t.Sequence[Endpoint],
    announced: t.Sequence[WantedPool],
    given: t.Sequence[WantedPool],
    remove: t.Iterable[str],
    api_version: str,
    pools: Answer[IPPool],
) -> Scene:
    """Everything that decides.

    :param endpoints: those of Submariner's own namespace.
    :param announced: the subnets of remote Endpoints that are no dead records.
    :param given: the user's; they replace what the Endpoints of the same clusters announce.
    """
    replaced = {wanted.cluster_id for wanted in given}
    kept = tuple(wanted for wanted in announced if wanted.cluster_id not in replaced)
    held = tuple(wanted for wanted in waiting(snapshot, endpoints) if wanted.cluster_id not in replaced)
    calico = calico_version(snapshot)
    own_id = snapshot.submariner.cluster_id if snapshot.submariner else ""
    return Scene(
        cluster=snapshot.cluster,
        pools=pools.items,
        wanted=tuple(given) or kept,
        live=(*kept, *held) if given else held,
        known=snapshot.submariner is not None and snapshot.endpoints.ok and snapshot.submariner_clusters.ok,
        own=tuple(_own(truth, endpoints, own_id)),
        owners=pool_owners(snapshot, pools.items, calico),
        listed=_listed(snapshot, calico),
        used=_used(snapshot, pools.items),
        remove=frozenset(remove),
        api_version=api_version,
        calico=calico,
    )


def _own(truth: CidrTruth, endpoints: t.Iterable[Endpoint], own_id: str) -> t.Iterator[tuple[str, str]]:
    for subject in (POD, SERVICE):
        for network in truth.networks(subject):
            yield f"the range of this cluster's {subject}s", str(network)
    for endpoint in endpoints:
        if endpoint.cluster_id == own_id:
            for subnet in endpoint.subnets:
                yield f"which this cluster announces itself ({endpoint.ref})", subnet


def _listed(snapshot: Snapshot, calico: str) -> tuple[str, ...]:
    """The ranges that the operator owns: of Calico 3.28 and newer alone (tigera/operator pkg/controller/ippool)."""
    if at_least(calico, 3, 28) is False:
        return ()
    return tuple(dict.fromkeys(cidr for entry in snapshot.installations.items for cidr in (*entry.computed_pools, *entry.spec_pools)))


def pool_owners(snapshot: Snapshot, pools: t.Iterable[IPPool], calico: str) -> dict[str, str]:
    """Of the pools those that somebody looks after who would put a change back, each with who that is, in words."""
    found: dict[str, str] = {}
    listed = parse_cidrs(_listed(snapshot, calico)).networks
    for pool in pools:
        named = [_OWNERS[entry.owner] for entry in owning.owners_of(pool.ref, pool.origin) if entry.owner in _OWNERS]
        if not named and any(network in listed for network in parse_cidrs(pool.cidr).networks):
            named = [OPERATOR]
        if named:
            found[pool.ref.name] = " and ".join(dict.fromkeys(named))
    return found


def _used(snapshot: Snapshot, pools: t.Iterable[IPPool]) -> dict[str, int] | None:
    """Addresses in use, by name of the enabled pool whose blocks they are in."""
    if not snapshot.ipam_blocks.ok:
        return None
    found: dict[str, int] = {}
    for pool in pools:
        if not pool.disabled:
            ranges = parse_cidrs(pool.cidr).networks
            found[pool.ref.name] = sum(block.used for block in snapshot.ipam_blocks.items if covers(ranges, parse_cidrs(block.cidr).networks))
    return found
