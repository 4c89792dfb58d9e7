# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Removing what dead clusters left on one cluster: on the broker, on a member, or on both where they are one."""

from __future__ import annotations

import re
import typing as t
from functools import partial

from ansible_collections.fathom.submariner.plugins.module_utils._apply._members import Member, read_members
from ansible_collections.fathom.submariner.plugins.module_utils._apply._patches import content, differing
from ansible_collections.fathom.submariner.plugins.module_utils._apply._task import Person, Task
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, RefusedError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import KubeError, TimedOutError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._read import ListRequest, get_object, read_list
from ansible_collections.fathom.submariner.plugins.module_utils._kube._wait import wait_for
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._projection_submariner import service_import
from ansible_collections.fathom.submariner.plugins.module_utils._submariner import _dead_clusters as dead
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._dead_clusters import Record, Trace

API = "/apis/submariner.io/v1"
PLURALS = {"Endpoint": "endpoints", "Cluster": "clusters"}
SLICES = "/apis/discovery.k8s.io/v1"
IMPORTS = "/apis/multicluster.x-k8s.io/v1alpha1"
# Labels of EndpointSlices that Lighthouse copies (lighthouse pkg/agent/controller/cleanup.go, pkg/constants).
SOURCE_CLUSTER = "multicluster.kubernetes.io/source-cluster"
MANAGED_BY = "endpointslice.kubernetes.io/managed-by=lighthouse-agent.submariner.io"
# Label and annotation of a ServiceAccount's token: kube-apiserver 1.27 and newer notes the day of its use (kubernetes pkg/serviceaccount/legacy.go).
TOKEN_USED = "kubernetes.io/legacy-token-last-used"
TOKEN_OWNER = "kubernetes.io/service-account.name"
_ID = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")  # RFC 1123 label, as subctl asks for (subctl pkg/cluster)
_NEEDED = ("submariners", "endpoints", "submariner_clusters", "gateways", "service_imports")


class _Leftover(t.NamedTuple):
    """One object to delete.

    :param stands: whether the object, as it is just before that, is still what was judged.
    :param traces: what it tells of the life of the clusters that wrote it.
    """

    path: str
    what: str
    why: str
    stands: t.Callable[[dict[str, t.Any]], bool]
    traces: tuple[Trace, ...] = ()


def perform(task: Task) -> None:
    """Remove every record of the given ids that is on this cluster.

    :raises InputError: an id cannot be one.
    :raises RefusedError: one of them lives, or that could not be told. Nothing was written.
    :raises SubmarinerError: a record came back; names the cluster that still publishes it.
    """
    ids = _ids(task.params["cluster_id"])
    snapshots = _read(task)
    local, broker = snapshots[0], dead.broker_namespace(snapshots[0], task.params["broker"])
    task.facts.update(records=[], broker_namespace=broker)
    found = _records(task, local, ids, broker)
    leftovers = [*_of_records(found), *_slices(task, ids), *_imports(task, local, ids, broker)]
    if not leftovers:
        return
    traces = [*(trace for leftover in leftovers for trace in leftover.traces), *_token_uses(task, ids, local, broker)]
    _require_dead(task, ids, snapshots, [record for record, _obj in found], traces, broker)
    publishers = _publishers(task.peers, snapshots[1:], ids, broker, task.deadline)
    task.warnings += [f"{name} still publishes {record}: remove it there, too, or it comes back." for name, record in publishers]
    task.require_consent([f"{local.cluster}: {line}" for line in (*dead.interrupts(ids, local, broker), *dead.only_silent(ids, snapshots, broker))])
    for leftover in leftovers:
        _delete(task, leftover)
    if task.params["wait"] and not task.check_mode:
        _prove(task, ids, snapshots[1:], broker)


def _ids(given: t.Sequence[str]) -> tuple[str, ...]:
    ids = tuple(dict.fromkeys(entry.strip() for entry in given if entry and entry.strip()))
    wrong = [entry for entry in ids if not _ID.fullmatch(entry)]
    if wrong or not ids:
        what = f"{wrong[0]!r} is no cluster id: 1 to 63 lower-case letters, digits and dashes" if wrong else "the option cluster_id names none"
        raise InputError(f"Nothing was written: {what}. Ids are never guessed: name those of clusters that are gone.")
    return ids


def _read(task: Task) -> list[Snapshot]:
    members = (task.member, *task.peers)
    try:
        snapshots = read_members(members, task.deadline)
    except KubeError as error:
        raise RefusedError(
            f"{error.message} A member that cannot be asked may be the very cluster, or be connected to it. Nothing was written. "
            "If that member is gone for good, take it out of the peers."
        ) from error
    for snapshot in snapshots:
        for name in _NEEDED:
            answer = getattr(snapshot, name)
            if not answer.known:
                raise RefusedError(
                    f"{snapshot.cluster}: whether the clusters live cannot be told, since {name} could not be read "
                    f"({answer.where}: {answer.state.replace('_', ' ')}. {answer.detail}). Nothing was written."
                )
    return snapshots


def _records(task: Task, local: Snapshot, ids: t.Collection[str], broker: str) -> list[tuple[Record, dict[str, t.Any]]]:
    """The records of this cluster with their whole objects, in the order in which they go."""
    whole: dict[Record, dict[str, t.Any]] = {}
    for record in dead.records_of(ids, local, broker):
        obj = task.writer.read(_path(record))
        if obj is not None:
            whole[dead.with_origin(record, obj, local, broker)] = obj
    return [(record, whole[record]) for record in dead.in_order(whole, broker)]


def _path(record: Record) -> str:
    return f"{API}/namespaces/{record.namespace}/{PLURALS[record.kind]}/{record.name}"


def _of_records(found: t.Iterable[tuple[Record, t.Any]]) -> t.Iterator[_Leftover]:
    for record, obj in found:
        told = "this cluster publishes it" if record.source else f"published by {record.publisher}" if record.publisher else "nobody's copy"
        yield _Leftover(_path(record), str(record), f"of {record.cluster_id}, {told}", partial(_unwritten, obj))


def _unwritten(judged: dict[str, t.Any], now: dict[str, t.Any]) -> bool:
    """Nobody but its cluster writes a record, so that one which was written anew is a sign of life, whatever is in it."""
    return all(judged["metadata"].get(name) == now["metadata"].get(name) for name in ("uid", "resourceVersion"))


def _unchanged(judged: dict[str, t.Any], now: dict[str, t.Any]) -> bool:
    return not differing({"content": content(judged), "uid": judged["metadata"].get("uid")}, now)


def _slices(task: Task, ids: t.Sequence[str]) -> list[_Leftover]:
    """EndpointSlices of services that a dead cluster exported."""

    def project(obj: dict[str, t.Any]) -> _Leftover:
        metadata = obj["metadata"]
        where = f"{metadata['namespace']}/{metadata['name']}"
        path = f"{SLICES}/namespaces/{metadata['namespace']}/endpointslices/{metadata['name']}"
        why = f"of a service that {metadata['labels'][SOURCE_CLUSTER]} exported"
        trace = Trace(metadata["labels"][SOURCE_CLUSTER], f"EndpointSlice {where} was written", dead.last_write(metadata))
        return _Leftover(path, f"EndpointSlice {where}", why, partial(_unchanged, obj), (trace,))

    selector = f"{MANAGED_BY},{SOURCE_CLUSTER} in ({','.join(ids)})"
    answer = read_list(task.member.connection, ListRequest("", f"{SLICES}/endpointslices", project, selector), task.deadline)
    if not answer.ok:
        raise RefusedError(f"{task.member.name}: EndpointSlices of the dead clusters could not be looked for, so nothing was written. {answer.detail}")
    return sorted(answer.items, key=lambda leftover: leftover.path)


def _imports(task: Task, local: Snapshot, ids: t.Collection[str], broker: str) -> t.Iterator[_Leftover]:
    """ServiceImports that dead clusters alone export. One that others export, too, is theirs: a person takes the dead one out of its status."""

    def stands(now: dict[str, t.Any]) -> bool:
        return set(service_import(now).clusters) <= set(ids)

    for item in local.service_imports.items:
        gone = [cluster for cluster in item.clusters if cluster in ids]
        if gone and len(gone) == len(item.clusters):
            path = f"{IMPORTS}/namespaces/{item.ref.namespace}/serviceimports/{item.ref.name}"
            metadata = (get_object(task.member.connection, path, task.deadline) or {}).get("metadata") or {}
            traces = tuple(Trace(cluster, f"{item.ref} was written", dead.last_write(metadata)) for cluster in gone)
            yield _Leftover(path, str(item.ref), f"of a service that {', '.join(gone)} alone exported", stands, traces)
        elif gone and item.ref.namespace == broker:
            kept = ",".join(f'{{"cluster":"{cluster}"}}' for cluster in item.clusters if cluster not in ids)
            patch = f'{{"status":{{"clusters":[{kept}]}}}}'
            command = f"kubectl -n {broker} patch serviceimports.multicluster.x-k8s.io {item.ref.name} --subresource=status --type=merge -p '{patch}'"
            task.people.append(Person(f"{local.cluster}: {item.ref} names {', '.join(gone)} beside clusters that live. Take it out.", str(item.ref), command))


def _token_uses(task: Task, ids: t.Collection[str], local: Snapshot, broker: str) -> t.Iterator[Trace]:
    """When the clusters' tokens were used at the broker, wherever it is: a cluster that lives asks it all the time, also while its tunnel is down."""
    owners = {f"cluster-{cluster_id}": cluster_id for cluster_id in ids}  # submariner-operator pkg/names, ForClusterSA
    for member in (task.member, *task.peers):
        try:
            found = member.connection.list_metadata(f"/api/v1/namespaces/{broker}/secrets", {"labelSelector": TOKEN_USED}, task.deadline)
        except KubeError as error:
            task.warnings.append(f"Whether the tokens of {', '.join(ids)} are still used at the broker could not be asked. {error.message}")
            continue
        for metadata in found:
            owner = owners.get(str((metadata.get("annotations") or {}).get(TOKEN_OWNER) or ""))
            if owner:
                yield dead.token_use(owner, metadata["labels"][TOKEN_USED], local.taken_at)


def _require_dead(
    task: Task, ids: t.Sequence[str], snapshots: t.Sequence[Snapshot], records: t.Sequence[Record], traces: t.Sequence[Trace], broker: str
) -> None:
    for cluster_id in ids:
        life = dead.signs_of_life(cluster_id, snapshots)
        if life:
            raise RefusedError(f"{task.member.name}: {cluster_id} lives: {'; '.join(life[:5])}. Its records stay, and nothing was written.")
        mine = [record for record in records if record.cluster_id == cluster_id]
        reason = dead.why_not_dead(cluster_id, snapshots, mine, broker, task.params["min_age"], traces)
        if reason:
            raise RefusedError(f"{task.member.name}: {cluster_id} may live: {reason}. Its records stay, and nothing was written.")


def _publishers(
    peers: t.Sequence[Member], snapshots: t.Sequence[Snapshot], ids: t.Collection[str], broker: str, deadline: Deadline
) -> list[tuple[str, Record]]:
    """The members among the peers that publish a record of a dead id as their own, each with the record."""
    found: list[tuple[str, Record]] = []
    for peer, snapshot in zip(peers, snapshots):
        for record in dead.records_of(ids, snapshot, broker):
            obj = get_object(peer.connection, _path(record), deadline)
            if obj is not None and dead.with_origin(record, obj, snapshot, broker).source:
                found.append((peer.name, record))
    return found


def _delete(task: Task, leftover: _Leftover) -> None:
    obj = task.writer.read(leftover.path)
    if obj is None or obj["metadata"].get("deletionTimestamp"):
        return  # it followed what went before it
    if not leftover.stands(obj):
        raise RefusedError(
            f"{task.member.name}: {leftover.what} was written after it had been judged: its cluster may live. It stays. {task.writer.extent} "
            "Run this again, which judges anew."
        )
    task.writer.delete(leftover.path, obj)
    task.lines.append(f"{task.member.name}: delete {leftover.what}, {leftover.why}")
    task.facts["records"].append(leftover.what)


def _prove(task: Task, ids: t.Sequence[str], peers: t.Sequence[Snapshot], broker: str) -> None:
    """Watch for a while whether a record returns, then whether a peer still publishes one.

    :raises SubmarinerError: it did, or does; names the cluster.
    """
    back: list[dict[str, t.Any]] = []

    def returned(objects: list[dict[str, t.Any]]) -> bool:
        back[:] = [obj for obj in objects if _is_of(obj, ids)]
        return bool(back)

    try:
        watched = min(float(task.params["observe"]), task.deadline.left())
        wait_for(task.member.connection, f"{API}/endpoints", returned, deadline=Deadline(watched), what="a record that returns")
    except TimedOutError:
        clusters = read_list(task.member.connection, ListRequest("", f"{API}/clusters", dict), task.deadline)
        if clusters.error is not None:
            raise clusters.error from None
        returned(list(clusters.items))
    if back:
        metadata = back[0]["metadata"]
        publisher = (metadata.get("labels") or {}).get(dead.ORIGIN) or f"{task.member.name} itself"
        raise SubmarinerError(
            f"{task.member.name}: {back[0].get('kind', 'record')} {metadata.get('namespace')}/{metadata['name']} was deleted and is there again: {publisher} "
            "still publishes it. Run the role there, too; a gateway that publishes under this id is a cluster that lives."
        )
    still = _publishers(task.peers, peers, ids, broker, task.deadline)
    if still:
        name, record = still[0]
        raise SubmarinerError(f"{task.member.name}: the records were deleted, and {name} still publishes {record}: it comes back. Run the role there, too.")


def _is_of(obj: t.Mapping[str, t.Any], ids: t.Collection[str]) -> bool:
    return (obj.get("spec") or {}).get("cluster_id") in ids and not obj["metadata"].get("deletionTimestamp")
