# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Repairing the IPPools of remote subnets on one cluster: read, decide, write, and look whether it stays."""

from __future__ import annotations

import datetime
import json
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._apply._task import Person, Task
from ansible_collections.fathom.submariner.plugins.module_utils._checks._calico_api import pools_matter
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts
from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import ConflictError, TimedOutError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._wait import wait_for
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._live import read_snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import IPPool, Snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._projection_calico import ip_pool_v1, ip_pool_v3
from ansible_collections.fathom.submariner.plugins.module_utils._submariner import _remote_ippools as decision
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._cidr_correction import active_route_agents
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._remote_pool_form import V1, V3, correction, shown
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._remote_pool_scene import require_writable, scene_of, subnets_given

PRESENT, ABSENT = "present", "absent"
_ATTEMPTS = 3  # of all of it, where somebody else writes the same pools meanwhile
_PROOF = 30.0  # seconds in which what was written must be seen
_PROJECT = {V3: ip_pool_v3, V1: ip_pool_v1}


def perform(task: Task) -> None:
    """Bring the pools to the state that the module's options describe.

    :raises SubmarinerError: it cannot be, may not be, or did not take effect.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            _perform(task)
            return
        except ConflictError:
            if attempt == _ATTEMPTS:
                raise


def _perform(task: Task) -> None:
    task.people.clear()  # told anew by every attempt
    task.disruptive.clear()
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    snapshot = read_snapshot(task.member.connection, task.member.name, timeout=task.deadline.left(), taken_at=now)
    facts = Facts.of(snapshot)
    params = task.params
    submariner = snapshot.submariner
    given = subnets_given(params["subnets"] or {}, submariner.cluster_id if submariner else "", submariner.version if submariner else "")
    task.facts.update(api_version="", pools=[], skipped=[], agent="")
    skip = _nothing_here(facts, given, params["state"])
    if skip:
        task.facts["skipped"] = [f"{snapshot.cluster}: {skip}"]
        return
    api_version, pools = require_writable(snapshot, params["fallback"])
    endpoints = facts.endpoints if submariner else ()
    announced = facts.wanted_pools if submariner else ()
    scene = scene_of(snapshot, facts.truth, endpoints, announced, given, params["remove"], api_version, pools)
    if params["state"] == PRESENT:
        task.facts["skipped"] = [f"{endpoint.cluster_id}: {subnet} (IPv6: Submariner makes pools for IPv4 alone)" for endpoint, subnet in _ipv6(facts, given)]
        decided = decision.present(scene)
    else:
        decided = decision.absent(scene._replace(wanted=announced), given)
    task.facts["api_version"] = api_version
    if api_version == V1 and decided.changes:
        task.warnings.append(
            f"{snapshot.cluster}: IPPools are written to crd.projectcalico.org/v1, which Calico does not validate. Submariner's route agent does not find them "
            "there: it goes on complaining, and its uninstall leaves them behind."
        )
    task.people += [_person(snapshot, left) for left in decided.left]
    task.require_consent([f"{snapshot.cluster}: {line}" for line in decided.disruptive])
    for change in decided.changes:
        _write(task, scene, change)
    created = [change.name for change in decided.changes if change.action == decision.CREATE]
    task.facts["agent"] = _agent(snapshot, created) if api_version == V3 else ""
    if decided.changes and not task.check_mode:
        _prove(task, scene, decided.changes)


def _nothing_here(facts: Facts, given: t.Sequence[t.Any], state: str) -> str:
    """Why this cluster wants no pools for remote subnets, "" where it does.

    :raises RefusedError: it could not be read, or nothing tells which subnets there are.
    """
    snapshot = facts.snapshot
    for answer, what in ((snapshot.submariners, "Submariner objects"), (snapshot.endpoints, "Endpoints"), (snapshot.submariner_clusters, "Cluster objects")):
        if not answer.known:
            raise RefusedError(
                f"{snapshot.cluster}: the {what} could not be read ({answer.where}: {answer.state.replace('_', ' ')}. {answer.detail}), so it is unknown which "
                "remote subnets there are. Nothing was written."
            )
    if state == ABSENT:
        return ""
    if not facts.joined:
        if not given:
            raise RefusedError(
                f"{snapshot.cluster}: this cluster is not joined, so nothing tells which remote subnets there are. Give them in the option subnets."
            )
        return ""
    if not pools_matter(facts):
        return f"Submariner's network plugin here is {facts.submariner.network_plugin or 'not known yet'}: it wants no IPPools of Calico's."
    return ""


def _ipv6(facts: Facts, given: t.Collection[t.Any]) -> t.Iterator[tuple[t.Any, str]]:
    if facts.joined and not given:
        for endpoint in facts.remote_endpoints:
            for subnet in endpoint.subnets:
                if ":" in subnet:
                    yield endpoint, subnet


def _person(snapshot: Snapshot, left: decision.Left) -> Person:
    text = f"{snapshot.cluster}: {left.owner} looks after IPPool {left.name} ({left.cidr}) and would put a change back. There: {left.what}."
    installation = next(iter(snapshot.installations.items), None)
    if left.owner == decision.OPERATOR and installation is not None:
        listed = (installation.spec.get("calicoNetwork") or {}).get("ipPools") or []
        kept = [entry for entry in listed if entry.get("cidr") != left.cidr]
        # JSON is YAML, and this room has no YAML of its own.
        return Person(text, f"{installation.ref} spec.calicoNetwork.ipPools", json.dumps({"spec": {"calicoNetwork": {"ipPools": kept}}}, indent=2))
    return Person(text, f"IPPool {left.name}, where {left.owner} has it", json.dumps(left.body, indent=2) if left.body else "")


def _write(task: Task, scene: decision.Scene, change: decision.Change) -> None:
    collection = _collection(scene)
    path = f"{collection}/{change.name}"
    if change.action == decision.CREATE:
        _create(task, scene, change)
    else:
        found = task.writer.read(path)
        if found is None or (change.uid and found["metadata"].get("uid") != change.uid):
            raise ConflictError(f"{task.member.name}: IPPool {change.name} is not any more what it was a moment ago. Run again.", reason="Conflict")
        if change.action == decision.PATCH:
            task.writer.patch(path, found, dict(change.body))
        else:
            task.writer.delete(path, found)
    verb = {decision.CREATE: "create", decision.PATCH: "repair", decision.DELETE: "remove"}[change.action]
    task.lines.append(f"{task.member.name}: {verb} IPPool {change.name} ({change.cidr}): {change.why}")
    task.facts["pools"].append({"action": change.action, "name": change.name, "cidr": change.cidr, "cluster_id": change.cluster_id})


def _create(task: Task, scene: decision.Scene, change: decision.Change) -> None:
    """The route agent may have been faster: what it made is what was wanted."""
    try:
        task.writer.create(_collection(scene), dict(change.body))
    except ConflictError:
        found = task.writer.read(f"{_collection(scene)}/{change.name}")
        if found is None or _PROJECT[scene.api_version](found).cidr != change.cidr:
            raise


def _agent(snapshot: Snapshot, created: t.Sequence[str]) -> str:
    agents = [pod for pod in active_route_agents(snapshot) if pod.ready]
    if not created or not agents:
        return ""
    return (
        f"{snapshot.cluster}: after a restart, {agents[0].ref} on {agents[0].node} would make {', '.join(created)} by itself: it tries at start and for a new "
        "Endpoint alone. It takes those that are there for its own."
    )


def _prove(task: Task, scene: decision.Scene, changes: t.Sequence[decision.Change]) -> None:
    """Look until every change is seen; without ``wait`` once.

    :raises SubmarinerError: something puts a pool back, or Calico does not take it.
    """
    project = _PROJECT[scene.api_version]

    def seen(objects: list[dict[str, t.Any]]) -> bool | str:
        wrong = _undone([project(obj) for obj in objects], changes, scene.calico)
        return wrong or True

    left = min(_PROOF, task.deadline.left()) if task.params["wait"] else min(1.0, task.deadline.left())
    try:
        wait_for(task.member.connection, _collection(scene), seen, deadline=Deadline(left), what="the IPPools to be as they were written")
    except TimedOutError as error:
        last = str(error.details.get("last_seen") or error.message)
        raise SubmarinerError(
            f"{task.member.name}: the IPPools were written, and are not so: {last}. Something puts them back, or Calico does not take them. "
            "kubectl get ippools.projectcalico.org -o yaml --show-managed-fields tells who wrote last."
        ) from error


def _undone(pools: t.Sequence[IPPool], changes: t.Sequence[decision.Change], calico: str) -> str:
    """The first change that does not hold, in words; "" where all do."""
    by_name = {pool.ref.name: pool for pool in pools}
    for change in changes:
        pool = by_name.get(change.name)
        if change.action == decision.DELETE:
            if pool is not None and pool.uid == change.uid:
                return f"IPPool {change.name} is still there"
            if pool is not None and not any(other.name == change.name for other in changes if other.action == decision.CREATE):
                return f"IPPool {change.name} has come back"
            continue
        if pool is None:
            return f"there is no IPPool {change.name}"
        wrong = correction(pool, calico)
        if wrong:
            return f"IPPool {change.name} still needs {shown(wrong)}"
        refused = next((entry for entry in pool.conditions if entry.status == "False" and entry.reason == "CIDROverlap"), None)
        if refused is not None:
            return f"IPPool {change.name} has condition {refused.type} False: {refused.message or refused.reason}"
    return ""


def _collection(scene: decision.Scene) -> str:
    return f"/apis/{scene.api_version}/ippools"
