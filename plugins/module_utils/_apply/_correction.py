# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Carrying out a correction of a cluster's CIDRs: look, do the next thing, wait for its effect, look again."""

from __future__ import annotations

import contextlib
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._apply import _awaiting as awaiting
from ansible_collections.fathom.submariner.plugins.module_utils._apply import _restart as restart
from ansible_collections.fathom.submariner.plugins.module_utils._apply._members import Member, Outcome, read_members
from ansible_collections.fathom.submariner.plugins.module_utils._errors import SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import ConflictError, TimedOutError
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
_ROLLS_OUT = (correction.PATCH_SUBMARINER, correction.AWAIT_OPERATOR)  # the operator then replaces the pods of its DaemonSets
_RESTARTS = (correction.RESTART_GATEWAY, correction.RESTART_ROUTE_AGENT)
_CONFLICTS = 5  # times that somebody else may write the same object at the same moment before we give up


def preview(members: t.Sequence[Member], snapshots: t.Sequence[Snapshot], wanted: correction.Wanted) -> None:
    """Let the writers, which are in check mode, show what :func:`correct` would write.

    Pods that the operator replaces, since it rolls its DaemonSets out after the patch, are not written by us.

    :param members: the local one, then the peers.
    :param snapshots: theirs, in their order.
    """
    todo = correction.steps(snapshots[0], snapshots[1:], wanted)
    rolled = {step.cluster for step in todo if step.action in _ROLLS_OUT}
    for step in todo:
        member, snapshot = next((member, snapshot) for member, snapshot in zip(members, snapshots) if member.name == step.cluster)
        if step.action == correction.PATCH_SUBMARINER:
            _patch_submariner(member, snapshot, wanted)
        elif step.action == correction.DELETE_POOL:
            _delete_pool(member, _pool_of(snapshot, step))
        elif step.action in _RESTARTS and step.cluster not in rolled:
            restart_pod(member, _pod_of(snapshot, step), member.writer.deadline)


def correct(
    local: Member,
    peers: t.Sequence[Member],
    wanted: correction.Wanted,
    outcome: Outcome,
    deadline: Deadline,
    require: t.Callable[[correction.Step], None] = lambda step: None,
) -> list[Snapshot]:
    """Do what is left to do until nothing is, and return the clusters as they are then.

    :param outcome: is told each step after its effect was seen.
    :param require: is asked before each step, and raises where it must not be taken.
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
        require(step)
        index = [member.name for member in members].index(step.cluster)
        shown = len(outcome.diff)
        try:
            _perform(step, members[index], snapshots[index], wanted, deadline)
        except ConflictError:
            del outcome.diff[shown:]  # of what was not written
            conflicts += 1
            if conflicts > _CONFLICTS:
                raise
            continue
        taken.add(key)
        outcome.done(step)
        if step.action in _ROLLS_OUT:
            # The operator's rollout has replaced these pods; the ones that it has not are found again above.
            for replaced in todo:
                if replaced.cluster == step.cluster and replaced.action in _RESTARTS:
                    outcome.done(replaced)


def delete_stale_pools(peers: t.Sequence[Member], snapshots: t.Sequence[Snapshot], wanted: correction.Wanted, outcome: Outcome) -> None:
    """Delete on every peer the pools that would keep the wanted ones out.

    To be called as soon as subctl has ended, and not before it has: it refuses much before it deploys anything. Whatever announces the wanted CIDRs is only
    starting then, and a route agent tries for minutes (admiral pkg/workqueue: 30 s apart at the most, submariner pkg/event/controller: 20 times).

    :param snapshots: the peers', in their order.
    """
    for peer, snapshot in zip(peers, snapshots):
        for step in correction.peer_steps(snapshot, wanted):
            if step.action == correction.DELETE_POOL:
                with contextlib.suppress(ConflictError):  # the correction that follows reads it again
                    _delete_pool(peer, _pool_of(snapshot, step))
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


def _perform(step: correction.Step, member: Member, snapshot: Snapshot, wanted: correction.Wanted, deadline: Deadline) -> None:
    is_peer = snapshot.submariner.cluster_id != wanted.cluster_id
    if is_peer:
        # Before the broker has brought the new Endpoint here, whatever restarts would take up the old one again, pools included.
        awaiting.await_endpoint(member, snapshot.submariner.ref.namespace, wanted, deadline)
    if step.action == correction.PATCH_SUBMARINER:
        _patch_submariner(member, snapshot, wanted)
        _await_rolled_out(member, snapshot, wanted, deadline)
    elif step.action == correction.AWAIT_OPERATOR:
        _await_rolled_out(member, snapshot, wanted, deadline)
    elif step.action == correction.DELETE_POOL:
        _delete_pool(member, _pool_of(snapshot, step))
    else:
        pod = _pod_of(snapshot, step)
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


def _patch_submariner(member: Member, snapshot: Snapshot, wanted: correction.Wanted) -> None:
    submariner = snapshot.submariner
    path = f"/apis/submariner.io/v1alpha1/namespaces/{submariner.ref.namespace}/submariners/{submariner.ref.name}"
    found = member.writer.read(path)
    if found is None or found["metadata"].get("resourceVersion") != submariner.resource_version:
        raise ConflictError(f"{member.name}: {submariner.ref} has changed since it was judged. It was not written.", reason="Conflict")
    member.writer.patch(path, found, {"spec": {"clusterCIDR": wanted.cluster_cidr, "serviceCIDR": wanted.service_cidr}})


def _pool_of(snapshot: Snapshot, step: correction.Step) -> IPPool:
    return next(pool for pool in snapshot.ip_pools.items if str(pool.ref) == step.object)


def _pod_of(snapshot: Snapshot, step: correction.Step) -> Pod:
    return next(pod for pod in snapshot.pods.items if str(pod.ref) == step.object)


def _delete_pool(member: Member, pool: IPPool) -> None:
    path = f"/apis/{pool.api_version}/ippools/{pool.ref.name}"
    found = member.writer.read(path)
    if found is not None and found["metadata"].get("uid") == pool.uid:
        member.writer.delete(path, found)


def restart_pod(member: Member, pod: Pod, deadline: Deadline) -> None:
    restart.restart_pod(member.writer, pod, deadline)
