# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Carrying out a correction of a cluster's CIDRs: look, do the next thing, wait for its effect, look again."""

from __future__ import annotations

import contextlib
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._apply import _awaiting as awaiting
from ansible_collections.fathom.submariner.plugins.module_utils._apply._members import Member, Outcome, read_members
from ansible_collections.fathom.submariner.plugins.module_utils._errors import SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._kube._diff import before_after
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import ConflictError, TimedOutError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._read import get_object
from ansible_collections.fathom.submariner.plugins.module_utils._kube._wait import wait_for
from ansible_collections.fathom.submariner.plugins.module_utils._kube._write import delete, merge_patch
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import IPPool, Pod, Snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._submariner import _cidr_correction as correction

NAMESPACE = "submariner-operator"  # fixed in subctl (pkg/constants)
_GRACE = 60.0  # seconds in which a gateway that rolled announces anew, and a route agent creates the pools of a new Endpoint, by themselves
_REVERTED = {
    correction.PATCH_SUBMARINER: "Something reverts the write: metadata.managedFields of the object names who (a GitOps tool, the ACM addon).",
    correction.AWAIT_OPERATOR: "The operator's log says why: kubectl logs of Deployment submariner-operator.",
    correction.DELETE_POOL: "Something creates the pool again: a GitOps tool, or a route agent that still follows the old Endpoint.",
    correction.RESTART_GATEWAY: "The pod's log says why: kubectl logs, label app=submariner-gateway.",
    correction.RESTART_ROUTE_AGENT: "The pod's log says why: kubectl logs, label app=submariner-routeagent.",
}
_CONFLICTS = 5  # times that somebody else may write the same object at the same moment before we give up


def preview(local: Member, snapshots: t.Sequence[Snapshot], peers: t.Sequence[Member], wanted: correction.Wanted, deadline: Deadline) -> Outcome:
    """What :func:`correct` would do, the Submariner's diff answered by the API server's own dry run.

    :param snapshots: the local one, then the peers' in their order.
    """
    outcome = Outcome(steps=list(correction.steps(snapshots[0], snapshots[1:], wanted)))
    members = {member.name: (member, snapshot) for member, snapshot in zip((local, *peers), snapshots)}
    for step in outcome.steps:
        member, snapshot = members[step.cluster]
        if step.action == correction.PATCH_SUBMARINER:
            outcome.diff.append(_patch_submariner(member, snapshot, wanted, deadline, dry_run=True))
        elif step.action == correction.DELETE_POOL:
            outcome.diff.append(_delete_pool(member, _pool_of(snapshot, step), deadline, dry_run=True))
    return outcome


def correct(local: Member, peers: t.Sequence[Member], wanted: correction.Wanted, outcome: Outcome, deadline: Deadline) -> list[Snapshot]:
    """Do what is left to do until nothing is, and return the clusters as they are then.

    :param outcome: is told each step after its effect was seen.
    :raises SubmarinerError: when a step has no effect in time, or the same object changes under us again and again.
    """
    members = (local, *peers)
    conflicts = 0
    taken: set[tuple[str, str, str]] = set()
    while True:
        snapshots = read_members(members, deadline)
        todo = correction.steps(snapshots[0], snapshots[1:], wanted)
        if not todo:
            return snapshots
        step = todo[0]
        key = (step.action, step.cluster, step.object)
        if key in taken:
            raise SubmarinerError(f"{step.cluster}: {step.action} of {step.object} was done and is needed again: {step.why}. {_REVERTED[step.action]}")
        index = [member.name for member in members].index(step.cluster)
        try:
            _perform(step, members[index], snapshots[index], wanted, outcome, deadline)
        except ConflictError:
            conflicts += 1
            if conflicts > _CONFLICTS:
                raise
            continue
        taken.add(key)
        outcome.done(step)
        if step.action in (correction.PATCH_SUBMARINER, correction.AWAIT_OPERATOR):
            # The operator's rollout has replaced these pods; the ones that it has not are found again above.
            for replaced in todo:
                if replaced.cluster == step.cluster and replaced.action in (correction.RESTART_GATEWAY, correction.RESTART_ROUTE_AGENT):
                    outcome.done(replaced)


def delete_stale_pools(peers: t.Sequence[Member], snapshots: t.Sequence[Snapshot], wanted: correction.Wanted, outcome: Outcome, deadline: Deadline) -> None:
    """Delete on every peer the pools that would keep the wanted ones out, before anything announces the wanted CIDRs.

    :param snapshots: the peers', in their order.
    """
    for peer, snapshot in zip(peers, snapshots):
        for step in correction.peer_steps(snapshot, wanted):
            if step.action == correction.DELETE_POOL:
                outcome.diff.append(_delete_pool(peer, _pool_of(snapshot, step), deadline, dry_run=False))
                outcome.done(step)


def await_joined(local: Member, peers: t.Sequence[Member], snapshots: t.Sequence[Snapshot], wanted: correction.Wanted, deadline: Deadline) -> None:
    """Wait until a join has had its effect here and on the peers. ``subctl join`` ends before anything has reconciled.

    :param snapshots: the peers', in their order, as they were before the join.
    """
    submariner = awaiting.await_status(local, NAMESPACE, wanted, deadline)
    awaiting.await_daemon_sets(local, NAMESPACE, wanted, deadline)
    if submariner.global_cidr:
        return
    awaiting.await_endpoint(local, NAMESPACE, wanted, deadline)
    for peer, before in zip(peers, snapshots):
        if before.submariner is None:
            continue
        awaiting.await_endpoint(peer, before.submariner.ref.namespace, wanted, deadline)
        if before.submariner.network_plugin == "calico":
            with contextlib.suppress(TimedOutError):  # an agent that had given up is restarted by the correction that follows
                awaiting.await_pools(peer, wanted, Deadline(min(_GRACE, deadline.left())))


def _perform(step: correction.Step, member: Member, snapshot: Snapshot, wanted: correction.Wanted, outcome: Outcome, deadline: Deadline) -> None:
    is_peer = snapshot.submariner.cluster_id != wanted.cluster_id
    if is_peer:
        # Before the broker has brought the new Endpoint here, whatever restarts would take up the old one again, pools included.
        awaiting.await_endpoint(member, snapshot.submariner.ref.namespace, wanted, deadline)
    if step.action == correction.PATCH_SUBMARINER:
        outcome.diff.append(_patch_submariner(member, snapshot, wanted, deadline, dry_run=False))
        _await_rolled_out(member, snapshot, wanted, deadline)
    elif step.action == correction.AWAIT_OPERATOR:
        _await_rolled_out(member, snapshot, wanted, deadline)
    elif step.action == correction.DELETE_POOL:
        outcome.diff.append(_delete_pool(member, _pool_of(snapshot, step), deadline, dry_run=False))
    else:
        pod = next(pod for pod in snapshot.pods.items if str(pod.ref) == step.object)
        restart_pod(member, pod, deadline)
        if step.action == correction.RESTART_GATEWAY:
            awaiting.await_gateway(member, snapshot, pod, wanted, deadline)
        elif is_peer:
            awaiting.await_pools(member, wanted, deadline)


def _await_rolled_out(member: Member, snapshot: Snapshot, wanted: correction.Wanted, deadline: Deadline) -> None:
    """Wait until operator, DaemonSets and pods follow the CIDRs, and give the new gateway time to announce them before anything restarts it."""
    namespace = snapshot.submariner.ref.namespace
    awaiting.await_status(member, namespace, wanted, deadline)
    awaiting.await_daemon_sets(member, namespace, wanted, deadline)
    if not snapshot.submariner.global_cidr:
        with contextlib.suppress(TimedOutError):
            awaiting.await_endpoint(member, namespace, wanted, Deadline(min(_GRACE, deadline.left())))


def _patch_submariner(member: Member, snapshot: Snapshot, wanted: correction.Wanted, deadline: Deadline, dry_run: bool) -> dict[str, t.Any]:
    submariner = snapshot.submariner
    path = f"/apis/submariner.io/v1alpha1/namespaces/{submariner.ref.namespace}/submariners/{submariner.ref.name}"
    patch = {"spec": {"clusterCIDR": wanted.cluster_cidr, "serviceCIDR": wanted.service_cidr}}
    before = get_object(member.connection, path, deadline)
    after = merge_patch(member.connection, path, patch, resource_version=submariner.resource_version, dry_run=True, deadline=deadline)
    if not dry_run:
        merge_patch(member.connection, path, patch, resource_version=submariner.resource_version, dry_run=False, deadline=deadline)
    return before_after(_without_status(before), _without_status(after), f"{member.name}: {submariner.ref}")


def _without_status(obj: t.Mapping[str, t.Any] | None) -> dict[str, t.Any]:
    return {key: value for key, value in (obj or {}).items() if key != "status"}


def _pool_of(snapshot: Snapshot, step: correction.Step) -> IPPool:
    return next(pool for pool in snapshot.ip_pools.items if str(pool.ref) == step.object)


def _delete_pool(member: Member, pool: IPPool, deadline: Deadline, dry_run: bool) -> dict[str, t.Any]:
    path = f"/apis/{pool.api_version}/ippools/{pool.ref.name}"
    before = get_object(member.connection, path, deadline)
    delete(member.connection, path, uid=pool.uid, dry_run=dry_run, deadline=deadline)
    return before_after(before, None, f"{member.name}: {pool.ref}")


def restart_pod(member: Member, pod: Pod, deadline: Deadline) -> None:
    """Delete one pod of a DaemonSet and wait until another one in its place is Ready.

    Restarting the DaemonSet itself would be undone: the operator wipes the annotation that ``kubectl rollout restart`` sets.
    """
    path = f"/api/v1/namespaces/{pod.ref.namespace}/pods"
    delete(member.connection, f"{path}/{pod.ref.name}", uid=pod.uid, deadline=deadline)

    def replaced(pods: list[dict[str, t.Any]]) -> bool | str:
        if any(obj["metadata"]["uid"] == pod.uid for obj in pods):
            return f"pod {pod.ref.name} is still being removed"
        here = [obj for obj in pods if obj.get("spec", {}).get("nodeName") == pod.node and not obj["metadata"].get("deletionTimestamp")]
        if not here:
            return f"no pod has taken the place of {pod.ref.name} on node {pod.node}"
        return True if any(_is_ready(obj) for obj in here) else f"pod {here[0]['metadata']['name']} is not Ready yet"

    wait_for(
        member.connection,
        path,
        replaced,
        deadline=deadline,
        what=f"{member.name}: the pod that takes the place of {pod.ref}",
        label_selector=f"app={pod.labels['app']}",
    )


def _is_ready(pod: t.Mapping[str, t.Any]) -> bool:
    return any(entry.get("type") == "Ready" and entry.get("status") == "True" for entry in pod.get("status", {}).get("conditions") or [])
