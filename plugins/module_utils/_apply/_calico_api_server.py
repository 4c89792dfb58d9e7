# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The remedy ``calico_api_server``: reads the cluster, has it decided what to do, and does that in the way in which Calico was installed."""

from __future__ import annotations

from ansible_collections.fathom.submariner.plugins.module_utils._apply import _calico_api_server_manifest as manifest
from ansible_collections.fathom.submariner.plugins.module_utils._apply import _calico_api_server_operator as operator
from ansible_collections.fathom.submariner.plugins.module_utils._apply import _calico_api_server_wait as waiting
from ansible_collections.fathom.submariner.plugins.module_utils._apply._durable import person_kubespray
from ansible_collections.fathom.submariner.plugins.module_utils._apply._task import Person, Task
from ansible_collections.fathom.submariner.plugins.module_utils._calico import _api_server_decision as decisions
from ansible_collections.fathom.submariner.plugins.module_utils._calico._api_state import DEAD, NONE
from ansible_collections.fathom.submariner.plugins.module_utils._errors import InputError
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._pool_log import GAVE_UP, pool_lines
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._remote_pools import missing_pools, wanted_pools

PRESENT = "present"
MANIFESTS = (decisions.MANIFEST, decisions.KUBESPRAY)

_VARIABLE = "calico_apiserver_enabled"


def perform(task: Task) -> None:
    """Bring one cluster's projectcalico.org/v3 to ``task.params["state"]``.

    :raises SubmarinerError: it cannot be done, or did not take effect; says why.
    """
    _require_days(task)
    wanted = decisions.Wanted(task.params["method"], task.params["write_live"], task.params["force"])
    snapshot = waiting.take_snapshot(task, task.deadline, logs=task.params["state"] == PRESENT)
    if task.params["state"] == PRESENT:
        decision = decisions.decide_present(snapshot, wanted, waiting.fresh_in(snapshot))
    else:
        decision = decisions.decide_absent(snapshot, wanted)
    task.facts.update(method=decision.route, state_before=decision.state.state, restart_route_agents=_gave_up(snapshot) and task.params["state"] == PRESENT)
    if decision.action == decisions.REMOVE:
        _remove(task, snapshot, decision)
    elif decision.action != decisions.KEEP:
        _provide(task, snapshot, decision)


def _provide(task: Task, snapshot: Snapshot, decision: decisions.Decision) -> None:
    _warn_of_pools(task, decision)
    if decision.route == decisions.KUBESPRAY and decision.state.state == NONE:
        person_kubespray(task, {_VARIABLE: True}, operator.WHY)
    if decision.action == decisions.CONVERGE:
        manifest.converge(task, snapshot, decision)
    elif decision.action == decisions.ENABLE:
        operator.enable(task, snapshot, decision)
    elif decision.action == decisions.REISSUE:
        operator.reissue(task, decision)
    elif decision.action == decisions.AWAIT:
        operator.await_operator(task)
    elif decision.route != decisions.KUBESPRAY:
        operator.tell_person(task, snapshot, decision)
    elif decision.state.state == DEAD:
        text, target = decision.person
        task.people.append(Person(f"The Calico API server does not answer: {decision.why}. {text}", target))


def _warn_of_pools(task: Task, decision: decisions.Decision) -> None:
    lines = [f"once the API answers, {line}" for line in decision.interrupts]
    if decision.action == decisions.PERSON:
        task.warnings += [f"{task.member.name}: {line}." for line in lines]
    else:
        task.require_consent(lines)


def _remove(task: Task, snapshot: Snapshot, decision: decisions.Decision) -> None:
    if decision.route not in MANIFESTS:
        operator.remove(task, snapshot, decision)
        return
    if decision.route == decisions.KUBESPRAY and decision.state.state != NONE:
        person_kubespray(task, {_VARIABLE: False}, operator.WHY_NOT)
        if not task.params["write_live"]:
            return
    everything = task.params["force"] or (decision.route == decisions.KUBESPRAY and task.params["write_live"])
    manifest.remove(task, everything=everything, is_dead=decision.state.state == DEAD)


def _require_days(task: Task) -> None:
    """
    :raises InputError: a new certificate would be renewed at once, again and again.
    """
    days, before = task.params["certificate_days"], task.params["renew_before"]
    if not 0 <= before < days:
        raise InputError(
            f"renew_before is {before} and certificate_days {days}: it must be at least 0 and smaller, or a new certificate would be renewed at once. "
            "Nothing was sent."
        )


def _gave_up(snapshot: Snapshot) -> bool:
    """Whether a route agent has stopped trying to make a pool that is still missing; where its log could not be read, whether one is missing."""
    submariner = snapshot.submariner
    if submariner is None:
        return False
    endpoints = [entry for entry in snapshot.endpoints.items if entry.ref.namespace == submariner.ref.namespace]
    wanted = wanted_pools(endpoints, submariner.cluster_id)
    lacking = not snapshot.ip_pools.ok or bool(missing_pools(snapshot.ip_pools.items, wanted))
    told = not snapshot.logs.ok or any(line.kind == GAVE_UP for line in pool_lines(snapshot))
    return bool(wanted) and lacking and told
