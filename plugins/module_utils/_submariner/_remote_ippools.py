# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What is to be done to the IPPools of a cluster so that every remote subnet has its own, told by range and not by name.

Calico's API refuses a pool that overlaps any other, disabled ones included (projectcalico/calico libcalico-go/lib/clientv3/ippool.go), but not in a dry
run, and crd.projectcalico.org/v1 and native CRDs take it without a word. So everything that it would refuse is refused here, before the first write.
"""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError
from ansible_collections.fathom.submariner.plugins.module_utils._network._cidr import Network, overlap, parse_cidrs
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import IPPool
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._remote_pool_form import correction, new_pool, pool_name, range_problem, shown
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._remote_pools import WantedPool, pool_owner, same_range

CREATE, PATCH, DELETE = "create", "patch", "delete"
OPERATOR = "the tigera operator"


class Scene(t.NamedTuple):
    """All that the decision rests on.

    :param cluster: as the user knows it, for messages.
    :param pools: every pool, as read through the API that will be written to.
    :param wanted: the subnets that must have a pool, from Endpoints or from the user.
    :param live: further subnets of remote clusters that are members: their pools are not left over. Those of a cluster between two gateways,
        which is known by its Cluster object alone, belong here.
    :param known: whether ``wanted`` and ``live`` are all that the cluster knows of; otherwise no pool can be called left over.
    :param own: this cluster's own ranges, each with what it is, such as ("the pods of this cluster", "10.42.0.0/16").
    :param owners: names of pools that somebody else looks after, each with who that is, in words.
    :param listed: ranges of the pools that the tigera operator is to make, where it owns those: the Installation's.
    :param used: addresses that pods have, by name of the enabled pool that they are from; None where that could not be read.
    :param remove: names of pools that may be removed although Submariner did not make them.
    :param api_version: that will be written to.
    :param calico: the running release as text, "" where it is not known.
    """

    cluster: str
    pools: tuple[IPPool, ...]
    wanted: tuple[WantedPool, ...]
    live: tuple[WantedPool, ...] = ()
    known: bool = True
    own: tuple[tuple[str, str], ...] = ()
    owners: t.Mapping[str, str] = {}
    listed: tuple[str, ...] = ()
    used: t.Mapping[str, int] | None = {}
    remove: frozenset[str] = frozenset()
    api_version: str = "projectcalico.org/v3"
    calico: str = ""


class Change(t.NamedTuple):
    """One write.

    :param body: for CREATE the object, for PATCH the merge patch, for DELETE nothing.
    :param uid: of the pool as it was seen, for PATCH and DELETE.
    """

    action: str
    name: str
    cidr: str
    cluster_id: str
    why: str
    body: t.Mapping[str, t.Any]
    uid: str = ""


class Left(t.NamedTuple):
    """A pool that should be changed and is not ours to change, because of who looks after it.

    :param body: what the pool should be; {} where it should not be.
    """

    name: str
    cidr: str
    owner: str
    what: str
    body: t.Mapping[str, t.Any] = {}


class Decision(t.NamedTuple):
    """``changes`` stand in the order in which they must be made: what keeps others out goes first."""

    changes: tuple[Change, ...]
    left: tuple[Left, ...] = ()
    disruptive: tuple[str, ...] = ()


def present(scene: Scene) -> Decision:
    """Give every wanted subnet its pool, and take away Submariner's pools that nobody wants.

    :raises RefusedError: ranges overlap, or a pool stands in the way that is not ours to remove.
    """
    _require_ranges(scene)
    going, left = _going(scene)
    names = {pool.ref.name for pool in going}
    patches: list[Change] = []
    creates: list[Change] = []
    disruptive: list[str] = []
    for wanted in scene.wanted:
        body = new_pool(wanted, scene.api_version, scene.calico)
        there = [pool for pool in scene.pools if same_range(pool, wanted.cidr) and pool.ref.name not in names]
        blocking = _blocking(scene, wanted)
        _require_removable(scene, wanted, [pool for pool in blocking if pool.ref.name not in names])
        for pool in there:
            patch = correction(pool, scene.calico)
            if patch and pool.ref.name in scene.owners:
                left.append(Left(pool.ref.name, pool.cidr, scene.owners[pool.ref.name], f"set {shown(patch)}", body))
            elif patch:
                patches.append(Change(PATCH, pool.ref.name, pool.cidr, wanted.cluster_id, shown(patch), patch, pool.uid))
        if not there and any(overlap(_networks(cidr), _networks(wanted.cidr)) for cidr in scene.listed):
            left.append(Left(pool_name(wanted), wanted.cidr, OPERATOR, f"take {wanted.cidr} out of the Installation's ipPools: it is {wanted.cluster_id}'s"))
        elif not there:
            creates.append(Change(CREATE, pool_name(wanted), body["spec"]["cidr"], wanted.cluster_id, f"{wanted.cluster_id} has that subnet", body))
        disruptive += [
            f"IPPool {pool.ref.name} ({pool.cidr}) is removed before {wanted.cidr} of {wanted.cluster_id} has its own pool: connections to it that begin "
            "in between leave masqueraded"
            for pool in going
            if pool in blocking or same_range(pool, wanted.cidr)
        ]
    deletes = [_delete(pool, "it is to be removed" if pool.ref.name in scene.remove else "no remote cluster has that subnet") for pool in going]
    return Decision((*deletes, *patches, *creates), tuple(left), tuple(disruptive))


def _going(scene: Scene) -> tuple[list[IPPool], list[Left]]:
    """The pools that are to be removed, and those that should be and are not ours to remove."""
    going: list[IPPool] = []
    left: list[Left] = []
    for pool in scene.pools:
        if pool.ref.name not in scene.remove and not _left_over(scene, pool):
            continue
        if pool.ref.name in scene.owners:
            left.append(Left(pool.ref.name, pool.cidr, scene.owners[pool.ref.name], "remove it"))
            continue
        _require_unused(scene, pool)
        going.append(pool)
    return going, left


def absent(scene: Scene, subnets: t.Sequence[WantedPool] = ()) -> Decision:
    """Take Submariner's pools away, and those that the user names.

    :param subnets: only the pools of these, all of Submariner's without any.
    :raises RefusedError: pods have addresses from one of them.
    """
    deletes: list[Change] = []
    left: list[Left] = []
    disruptive: list[str] = []
    for pool in scene.pools:
        ours = pool.is_submariner and (not subnets or any(same_range(pool, entry.cidr) for entry in subnets))
        if not ours and pool.ref.name not in scene.remove:
            continue
        if pool.ref.name in scene.owners:
            left.append(Left(pool.ref.name, pool.cidr, scene.owners[pool.ref.name], "remove it"))
            continue
        _require_unused(scene, pool)
        deletes.append(_delete(pool, "it is to be removed"))
        users = [entry for entry in (*scene.wanted, *scene.live) if overlap(_networks(entry.cidr), _networks(pool.cidr))]
        if users or not scene.known:
            whose = f"to {users[0].cidr} of {users[0].cluster_id}" if users else f"to {pool.cidr}, if a remote cluster has it, which could not be read,"
            disruptive.append(f"without IPPool {pool.ref.name}, traffic from pods {whose} leaves masqueraded")
    return Decision(tuple(deletes), tuple(left), tuple(disruptive))


def _delete(pool: IPPool, why: str) -> Change:
    return Change(DELETE, pool.ref.name, pool.cidr, pool_owner(pool), why, {}, pool.uid)


def _left_over(scene: Scene, pool: IPPool) -> bool:
    """True for a pool of Submariner's that no remote cluster wants. Where that is not known, for one that keeps a wanted pool out alone."""
    if not pool.is_submariner or any(same_range(pool, entry.cidr) for entry in (*scene.wanted, *scene.live)):
        return False
    return scene.known or any(pool in _blocking(scene, wanted) for wanted in scene.wanted)


def _blocking(scene: Scene, wanted: WantedPool) -> list[IPPool]:
    """Pools that have addresses of a wanted range, and others beside or less."""
    return [pool for pool in scene.pools if not same_range(pool, wanted.cidr) and overlap(_networks(pool.cidr), _networks(wanted.cidr))]


def _require_ranges(scene: Scene) -> None:
    """The wanted ranges must be ranges, and share nothing with each other or with this cluster."""
    for position, wanted in enumerate(scene.wanted):
        problem = range_problem(wanted.cidr)
        if problem:
            raise RefusedError(f"{scene.cluster}: the subnet {wanted.cidr} of {wanted.cluster_id} can have no IPPool: {problem}. Nothing was written.")
        for other in (*scene.wanted[position + 1 :], *scene.live):
            if other != wanted and overlap(_networks(wanted.cidr), _networks(other.cidr)):
                raise RefusedError(
                    f"{scene.cluster}: {wanted.cidr} of {wanted.cluster_id} overlaps {other.cidr} of {other.cluster_id}, and Calico keeps one pool for an "
                    "address. Nothing was written. If one of the two is no more, remove its records with the role broker_records; otherwise they need "
                    "Globalnet, or one of them another range."
                )
        for what, cidr in (*scene.own, *((f"IPPool {pool.ref.name}", pool.cidr) for pool in scene.pools if _is_own(scene, pool))):
            if overlap(_networks(wanted.cidr), _networks(cidr)):
                raise RefusedError(
                    f"{scene.cluster}: {wanted.cidr} of {wanted.cluster_id} overlaps {cidr}, {what}: the two clusters' addresses are the same. "
                    "Nothing was written. They need Globalnet, or one of them another range."
                )
        if pool_name(wanted) in scene.remove:
            raise RefusedError(
                f"{scene.cluster}: IPPool {pool_name(wanted)} is named in the option remove, and it is the one that Submariner wants for {wanted.cidr}. "
                "Nothing was written."
            )


def _is_own(scene: Scene, pool: IPPool) -> bool:
    """True for an enabled pool that gives this cluster's pods addresses.

    One made by hand for a remote subnet and left enabled is told from it by IPAM: others have given addresses, and it has given none.
    """
    if pool.disabled or pool.is_submariner:
        return False
    used = scene.used or {}
    return pool.ref.name in scene.owners or used.get(pool.ref.name, 0) > 0 or not any(used.values())


def _require_removable(scene: Scene, wanted: WantedPool, blocking: t.Sequence[IPPool]) -> None:
    for pool in blocking:
        looked_after = scene.owners.get(pool.ref.name, "")
        raise RefusedError(
            f"{scene.cluster}: {pool.ref} ({pool.cidr}) keeps the pool {wanted.cidr} of {wanted.cluster_id} out, and "
            + (f"{looked_after} looks after it. " if looked_after else "Submariner did not make it. ")
            + f"Nothing was written. If nothing needs it, name it in the option remove: remove=[{pool.ref.name}]."
        )


def _require_unused(scene: Scene, pool: IPPool) -> None:
    if pool.disabled:
        return
    used = None if scene.used is None else scene.used.get(pool.ref.name, 0)
    if used != 0:
        count = "whether pods have addresses from it could not be read" if used is None else f"{used} addresses of it are in use"
        raise RefusedError(f"{scene.cluster}: {pool.ref} ({pool.cidr}) is enabled, and {count}. Nothing was written. Disable it and move its pods first.")


def _networks(cidr: str) -> tuple[Network, ...]:
    return parse_cidrs(cidr).networks
