# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Remedy ``calico_mtu``: read, decide, write where it lasts, watch the rollout, restart what still has the former MTU, read again."""

from __future__ import annotations

import datetime
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._apply import _calico_mtu_workloads as old
from ansible_collections.fathom.submariner.plugins.module_utils._apply._calico_mtu_clamp import clamp, gateways
from ansible_collections.fathom.submariner.plugins.module_utils._apply._calico_mtu_knob import Knob, plan_knob, take_out_overrides, write_knob
from ansible_collections.fathom.submariner.plugins.module_utils._apply._calico_mtu_rollout import await_rollout
from ansible_collections.fathom.submariner.plugins.module_utils._apply._durable import refuse_unknown
from ansible_collections.fathom.submariner.plugins.module_utils._apply._task import Person, Task
from ansible_collections.fathom.submariner.plugins.module_utils._calico._durable import WITH_INSTALLATION
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu import mtu_picture
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_arithmetic import beyond_tunnels
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_decision import Basis, Decision, decide, refuse_policy_only
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_history import Cutoffs
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_settings import POD, calico_node
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_wish import read_mtu, read_segment, read_size
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_workloads import PERSON, Workload
from ansible_collections.fathom.submariner.plugins.module_utils._checks._version_conditions import ebpf
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError, RefusedError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import KubeError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._live import read_snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Snapshot

MOST_SHOWN = 50  # workloads in the result
MOST_NAMED = 10  # in a sentence


class _Wish(t.NamedTuple):
    mtu: t.Any
    segment: t.Any
    link: int | None
    path: int | None
    restart: str
    names: tuple[str, ...]


class _Old(t.NamedTuple):
    """What has the former MTU; ``limits`` None where nothing has, or ``unknown`` says why it cannot be told."""

    limits: Cutoffs | None
    workloads: tuple[Workload, ...]
    unknown: str = ""


def perform(task: Task) -> None:
    """
    :raises InputError: an option cannot be right.
    :raises RefusedError: it would have to be guessed, cannot work, or interrupts traffic without consent.
    :raises SubmarinerError: it did not take effect; says where.
    """
    wish = _read(task.params)
    snapshot = _snapshot(task, logs=True)
    if wish.mtu is not None or wish.restart != "none":
        refuse_unknown(snapshot)
    if wish.restart != "none":
        refuse_policy_only(snapshot)
    decision = decide(snapshot, wish.mtu, wish.segment, _basis(task, wish, snapshot))
    nodes = gateways(task, snapshot) if decision.segment is not None else []
    knob = plan_knob(task, snapshot, decision.mtu) if decision.mtu is not None else None
    before = _outdated(task, snapshot, wish, rolls=knob is not None and knob.rolls)
    chosen = old.chosen(before.workloads, wish.restart, wish.names)
    if chosen and knob is None and not _is_rolled_out(snapshot):
        raise RefusedError(
            f"{task.member.name}: calico-node is still being rolled out, so that a workload could start with the former MTU again. Nothing was written."
        )
    task.warnings += decision.warnings
    task.facts.update(_facts(decision, knob))
    task.require_consent(_disruptive(snapshot, knob, chosen))
    rolled = knob is not None and knob.changes and write_knob(task, snapshot, knob)
    waits = bool(task.params["wait"]) and not task.check_mode
    if knob is not None:
        _settle(task, snapshot, knob, rolled, waits)
    if knob is not None and waits:
        if rolled or wish.restart != "none":
            before = _outdated(task, _snapshot(task), wish, rolls=False)
            chosen = old.chosen(before.workloads, wish.restart, wish.names)
    task.facts["restart_route_agents"] = clamp(task, snapshot, nodes, decision.segment) if decision.segment is not None else []
    for workload in chosen:
        old.restart(task, workload, _mark(decision, snapshot))
    if chosen and waits:
        before = _outdated(task, _snapshot(task), wish, rolls=False)
    _tell_old(task, wish, before)


def _read(params: t.Mapping[str, t.Any]) -> _Wish:
    names = tuple(name for name in (str(name).strip() for name in params["workloads"]) if name)
    wish = _Wish(
        read_mtu(params["mtu"]),
        read_segment(params["tcp_clamp_mss"]),
        read_size("link_mtu", params["link_mtu"]),
        read_size("path_mtu", params["path_mtu"]),
        params["restart_workloads"] or "none",
        names,
    )
    if wish.mtu is None and wish.segment is None and wish.restart == "none":
        raise InputError("Nothing is asked for: give mtu, tcp_clamp_mss or restart_workloads. Nothing was sent.")
    if wish.restart == "listed" and not names:
        raise InputError("restart_workloads is listed, and workloads names none. Nothing was sent.")
    odd = [name for name in names if len(name.split("/")) != 3]
    if odd:
        raise InputError(f"workloads: {odd[0]!r} is not of the form NAMESPACE/KIND/NAME, such as shop/Deployment/storefront. Nothing was sent.")
    if wish.restart != "none" and not params["wait"]:
        raise InputError("restart_workloads goes from one workload to the next when it is whole again, so it needs wait=true. Nothing was sent.")
    return wish


def _basis(task: Task, wish: _Wish, snapshot: Snapshot) -> Basis:
    return Basis(
        link=wish.link,
        path=wish.path,
        cable=task.params["cable_driver"] or "",
        across=bool(task.params["across_clusters"]),
        ebpf=bool(ebpf(snapshot)),
        force=bool(task.params["force"]),
    )


def _snapshot(task: Task, *, logs: bool = False) -> Snapshot:
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    return read_snapshot(task.member.connection, task.member.name, timeout=task.deadline.left(), taken_at=now, logs=logs)


def _outdated(task: Task, snapshot: Snapshot, wish: _Wish, *, rolls: bool) -> _Old:
    """
    :param rolls: calico-node is yet to be rolled out with another MTU, which leaves every pod behind.
    """
    if wish.mtu is None and wish.restart == "none":
        return _Old(None, ())
    try:
        limits = old.every_pod() if rolls else old.known_cutoffs(task, snapshot)
        return _Old(limits, old.outdated_workloads(task, limits) if limits else ())
    except KubeError as error:
        if wish.restart != "none":
            raise RefusedError(f"{task.member.name}: which workloads have the former MTU is not known, so that none is restarted. {error.message}") from error
        return _Old(None, (), error.message)


def _facts(decision: Decision, knob: Knob | None) -> dict[str, t.Any]:
    return {
        "mtu": decision.mtu,
        "previous_mtu": knob.was if knob else None,
        "tcp_clamp_mss": decision.segment,
        "budget": [{**term._asdict(), "line": str(term)} for term in decision.terms],
        "overrides": [dict(entry) for entry in knob.overrides] if knob else [],
        "restart_route_agents": [],
        "manifest_files": [],
    }


def _disruptive(snapshot: Snapshot, knob: Knob | None, chosen: t.Sequence[Workload]) -> list[str]:
    name, sentences = snapshot.cluster, []
    daemon_set = calico_node(snapshot)
    if knob is not None and knob.rolls:
        count = f"all {daemon_set.desired} nodes" if daemon_set else "all nodes"
        sentences.append(f"{name}: calico-node starts anew on {count}, one after another, for {_named_mtu(knob.mtu)} instead of {_named_mtu(knob.was)}")
    winning = [entry for entry in knob.felix if entry.wins or entry.in_force] if knob is not None else []
    if winning:
        fields = ", ".join(f"{entry.felix.ref} {entry.field}" for entry in winning[:MOST_NAMED])
        sentences.append(f"{name}: tunnels get another MTU at once, since {fields} is taken out")
    if chosen:
        named = ", ".join(map(str, chosen[:MOST_NAMED])) + (f" and {len(chosen) - MOST_NAMED} more" if len(chosen) > MOST_NAMED else "")
        sentences.append(f"{name}: {len(chosen)} workloads start anew, one after another: {named}")
    return sentences


def _named_mtu(mtu: int | None) -> str:
    return "an unknown MTU" if mtu is None else f"MTU {mtu}" if mtu else "an MTU that Calico derives"


def _settle(task: Task, planned: Snapshot, knob: Knob, rolled: bool, waits: bool) -> None:
    """Wait for the rollout where waiting is asked for, take out what wins over the MTU, and see on the cluster itself that the MTU is in force.

    :param planned: the cluster as it was when the knob was planned.
    """
    if knob.by_person:
        return
    snapshot = _snapshot(task) if waits else planned
    daemon_set = calico_node(snapshot)
    if waits and daemon_set is not None and (rolled or not _is_rolled_out(snapshot)):
        before = {pod.ref.name for pod in planned.pods.items}
        await_rollout(task, daemon_set, knob.mtu, rendered=knob.method in WITH_INSTALLATION, before=before)
    take_out_overrides(task, planned, knob)
    if waits and daemon_set is not None and task.writer.changed:
        _prove(task, _snapshot(task), knob)


def _is_rolled_out(snapshot: Snapshot) -> bool:
    found = calico_node(snapshot)
    return found is not None and found.observed_generation >= found.generation and found.updated >= found.desired and found.available >= found.desired


def _prove(task: Task, snapshot: Snapshot, knob: Knob) -> None:
    picture = mtu_picture(snapshot)
    if picture is None or picture.settings.pod is None or picture.tunnels is None:
        missing = "; ".join(picture.settings.missing) if picture else "neither an Installation nor a DaemonSet calico-node is there"
        raise SubmarinerError(f"{task.member.name}: the MTU was set, and what is in force now could not be read: {missing}.")
    if picture.settings.pod != knob.mtu:
        used = picture.settings.knob_of(POD)
        where = f"{used.where} {used.field}" if used else "Calico"
        raise SubmarinerError(
            f"{task.member.name}: the MTU was set to {knob.mtu}, and {where} says {picture.settings.pod}. Somebody else writes it: metadata.managedFields "
            "of that object names who."
        )
    excess = beyond_tunnels(picture.pod, picture.tunnels)
    if excess:
        knob_of = picture.settings.knob_of(excess[0].tunnel)
        where = f" ({knob_of.where} {knob_of.field})" if knob_of else ""
        raise SubmarinerError(
            f"{task.member.name}: pods send {excess[0].mtu} bytes, and the {excess[0].tunnel} tunnel takes {excess[0].limit}{where}. "
            "Set correct_overrides=true."
        )


def _mark(decision: Decision, snapshot: Snapshot) -> int:
    if decision.mtu is not None:
        return decision.mtu
    picture = mtu_picture(snapshot)
    return picture.settings.pod or 0 if picture else 0


def _tell_old(task: Task, wish: _Wish, found: _Old) -> None:
    workloads = found.workloads
    task.facts["outdated"] = [
        {"namespace": each.namespace, "kind": each.kind, "name": each.name, "pods": len(each.pods), "way": each.way, "why": each.why}
        for each in workloads[:MOST_SHOWN]
    ]
    task.facts["outdated_workloads"] = len(workloads)
    task.facts["outdated_pods"] = sum(len(each.pods) for each in workloads)
    task.facts["outdated_why"] = found.limits.why if found.limits else found.unknown or "as far back as anything is known, new pods had this MTU"
    if found.unknown:
        task.warnings.append(f"{task.member.name}: which workloads have the former MTU is not known: {found.unknown}")
    elif workloads and wish.restart == "none":
        task.warnings.append(
            f"{task.member.name}: {task.facts['outdated_pods']} pods of {len(workloads)} workloads keep the former MTU until they are made anew: see "
            "restart_workloads."
        )
    alone = [each for each in workloads if each.way == PERSON]
    if alone and wish.restart != "none":
        named = ", ".join(map(str, alone[:MOST_NAMED])) + (f" and {len(alone) - MOST_NAMED} more" if len(alone) > MOST_NAMED else "")
        text = "These pods have the former MTU, and nothing would make them again if they were deleted here. Make them anew when it suits."
        task.people.append(Person(text, f"{task.member.name}: {named}"))
