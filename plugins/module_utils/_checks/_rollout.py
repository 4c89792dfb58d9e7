# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether calico-node's rollout has reached every node, which nodes stop it and why, and what else waits for it."""

from __future__ import annotations

import itertools
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._calico_version import calico_version
from ansible_collections.fathom.submariner.plugins.module_utils._calico._durable import why_not
from ansible_collections.fathom.submariner.plugins.module_utils._calico._install_method import detect_install_method
from ansible_collections.fathom.submariner.plugins.module_utils._calico._placement_workloads import is_too_old
from ansible_collections.fathom.submariner.plugins.module_utils._calico._rollout import Rollout, Stalled, rollout_of
from ansible_collections.fathom.submariner.plugins.module_utils._calico._rollout_causes import (
    ARCHITECTURE,
    CRASH,
    IMAGE,
    MODULE,
    PROBE,
    STARTING,
    UNCLEAR,
)
from ansible_collections.fathom.submariner.plugins.module_utils._calico._rollout_remedy import WORDS, exclude, repair
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts, missing
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Evidence, Remedy
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import CannotJudge, NotApplicable, Problem, check
from ansible_collections.fathom.submariner.plugins.module_utils._checks._remedy_data import by_hand, by_role
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Condition, Pod, Ref, Snapshot, TigeraStatus
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._known_bugs import known_bug
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._moments import duration, seconds_between
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._remote_pools import missing_pools

STALLED = "calico-rollout-stalled"
EXCLUDED = "calico-node-excluded"
FRESH = 300.0  # seconds; a pod of calico-node is ready within one or two minutes of its start
SHOWN = 5
_NEED_LOGS = frozenset((CRASH, PROBE, UNCLEAR))
_NAMED = frozenset((ARCHITECTURE, IMAGE, MODULE))  # causes that are worth naming in the title
_UNFIT = frozenset((ARCHITECTURE, MODULE))  # causes that are the node's own, and stay
# Statuses whose trouble is the Calico API server's or the pools', and judged there.
_JUDGED_ELSEWHERE = frozenset(("apiserver", "tiers", "ippools"))


@check(
    STALLED,
    title="calico-node is ready on every node that should have it",
    severity="error",
    needs=("daemon_sets", "pods", "nodes"),
    references=("projectcalico/calico#9540", "tigera/operator pkg/controller/status/status.go", "projectcalico/calico#11051", "projectcalico/calico#8372"),
    tags=("rollout",),
)
def rollout_stalled(facts: Facts) -> t.Iterator[Problem]:
    """One node on which calico-node does not get ready makes the operator call all of Calico unavailable.

    On a first installation that also keeps the Calico API server back, without which Submariner creates no IPPools; on an update it holds back the
    update alone. The cause is told from waiting reasons, exit codes, events and calico-node's log.
    """
    rollout = find_rollout(facts)
    for kind, entries in itertools.groupby(rollout.stalled, key=lambda entry: entry.cause.kind):
        yield _problem(facts, rollout, kind, list(entries))


@check(
    "calico-update-unfinished",
    title="calico-node runs its current template on every node",
    severity="info",
    needs=("daemon_sets", "pods", "nodes"),
    references=("kubernetes pkg/controller/daemon/update.go",),
    tags=("rollout",),
)
def update_unfinished(facts: Facts) -> t.Iterator[Problem]:
    """An update goes node by node (maxUnavailable 1 by default); a pod that is not ready uses that up, and the update waits for it."""
    rollout = find_rollout(facts)
    daemon_set = rollout.daemon_set
    behind = daemon_set.generation > daemon_set.observed_generation > 0
    if rollout.updating or behind:
        blocked = next((entry for entry in rollout.stalled if entry.cause.kind != STARTING), None)
        yield Problem(
            subject=str(daemon_set.ref),
            title=f"An update of calico-node has reached {daemon_set.updated} of {daemon_set.desired} nodes",
            evidence=(
                Evidence(str(daemon_set.ref), "status.updatedNumberScheduled", f"{daemon_set.updated} of {daemon_set.desired}"),
                Evidence(str(daemon_set.ref), "spec.updateStrategy.rollingUpdate.maxUnavailable", daemon_set.max_unavailable or "1"),
            ),
            impact="Until it is done, nodes differ in Calico's version or settings.",
            remedy=by_hand("Repair the node that it waits for." if blocked else "Wait; look again in a few minutes.", str(daemon_set.ref)),
            severity="warning" if blocked else "",
            caused_by=f"{facts.snapshot.cluster}/{STALLED}" if blocked else "",
        )


@check(
    "calico-operator-degraded",
    title="The operator of Calico reports no trouble",
    severity="error",
    needs=("tigera_statuses", "installations"),
    references=("tigera/operator pkg/controller/status/status.go", "tigera/operator api/v1/tigerastatus_types.go"),
    tags=("rollout",),
)
def operator_degraded(facts: Facts) -> t.Iterator[Problem]:
    """TigeraStatus calico and those of its companions. Those of the API server, of tiers and of IPPools are judged with the Calico API and the pools."""
    if not facts.snapshot.installations.items:
        raise NotApplicable()
    for status in facts.snapshot.tigera_statuses.items:
        if status.ref.name not in _JUDGED_ELSEWHERE:
            yield from _of_status(facts, status)


def find_rollout(facts: Facts) -> Rollout:
    """:raises NotApplicable: no DaemonSet runs calico-node, and none is wanted."""
    snapshot = facts.snapshot
    rollout = rollout_of(snapshot, lambda pod: is_fresh(snapshot, pod))
    if rollout is None:
        if snapshot.installations.items:
            raise CannotJudge("there is an Installation and no DaemonSet calico-node yet: the operator has not made it, or it is not visible")
        raise NotApplicable()
    return rollout


def is_fresh(snapshot: Snapshot, pod: Pod) -> bool:
    age = seconds_between(pod.created, snapshot.taken_at)
    return age is not None and 0 <= age < FRESH and pod.restarts == 0


def _problem(facts: Facts, rollout: Rollout, kind: str, entries: list[Stalled]) -> Problem:
    nodes = named([entry.node or "no node" for entry in entries])
    first = entries[0]
    lacks = f": {first.cause.lacks}" if first.cause.lacks and kind in _NAMED else ""
    since = min((entry.since for entry in entries if entry.since), default="")
    return Problem(
        subject=str(rollout.daemon_set.ref),
        title=f"calico-node does not get ready on {nodes}: {WORDS[kind]}{lacks}",
        evidence=(*_evidence(facts, entries, since), *_state(facts, rollout)),
        impact=_impact(facts, rollout, entries),
        remedy=_remedy(facts, rollout, entries, nodes),
        severity=_severity(facts, rollout, kind),
    )


def _remedy(facts: Facts, rollout: Rollout, entries: t.Sequence[Stalled], nodes: str) -> Remedy:
    first, method = entries[0], detect_install_method(facts.snapshot)
    newer = known_bug("ipset-revision").upgrade_for(calico_version(facts.snapshot))
    mend = repair(first.cause, nodes, newer)
    writable = method.platform != "roks" and not why_not(facts.snapshot) and not is_too_old(facts.snapshot)
    if not writable or not _can_do_without(facts, rollout, entries):
        return by_hand(f"{mend} {exclude(method, nodes)}", str(rollout.daemon_set.ref), disruptive=True)
    return by_role(
        "calico_node_placement",
        f"Take calico-node off {nodes}, cordon it, and let the others be ready. To have it run there: {mend[0].lower()}{mend[1:]} {exclude(method, nodes)}",
        {"calico_node_placement_nodes": [first.node], "calico_node_placement_cordon": True},
        target=method.durable,
        disruptive=True,
    )


def _can_do_without(facts: Facts, rollout: Rollout, entries: t.Sequence[Stalled]) -> bool:
    """One unfit node that is neither gateway nor control plane. A registry, a machine that is away, an old ipset want to be mended, not to be left out."""
    node = next((node for node in facts.snapshot.nodes.items if node.ref.name == entries[0].node), None)
    alone = len({entry.node for entry in rollout.stalled}) == 1 and not rollout.excluded
    return alone and entries[0].cause.kind in _UNFIT and node is not None and not node.is_gateway and not node.is_control_plane


def _severity(facts: Facts, rollout: Rollout, kind: str) -> str:
    """A blocker where remote pools are missing because the operator makes no API server before its first rollout is done."""
    if kind == STARTING:
        return "info"
    if rollout.first and facts.joined and facts.uses_calico_handler and facts.snapshot.ip_pools.known and facts.snapshot.endpoints.known:
        if missing_pools(facts.snapshot.ip_pools.items, facts.wanted_pools):
            return "blocker"
    return ""


def _evidence(facts: Facts, entries: t.Sequence[Stalled], since: str) -> t.Iterator[Evidence]:
    for entry in entries[:SHOWN]:
        for seen in entry.cause.seen[:2]:
            yield Evidence(*seen)
    if len(entries) > SHOWN:
        yield Evidence(f"{len(entries) - SHOWN} more", "", WORDS[entries[0].cause.kind])
    unread = missing(facts.snapshot.logs, "logs")
    if unread and entries[0].cause.kind in _NEED_LOGS:
        yield Evidence(str(entries[0].pod.ref), "log of container calico-node", "not read", f"it would say more: {unread}")
    age = seconds_between(since, facts.snapshot.taken_at)
    if since:
        yield Evidence(str(entries[0].pod.ref), "status.conditions[Ready].lastTransitionTime", since, f"for {duration(age)}" if age else "")


def _state(facts: Facts, rollout: Rollout) -> t.Iterator[Evidence]:
    daemon_set = rollout.daemon_set
    yield Evidence(str(daemon_set.ref), "status.numberReady", f"{daemon_set.ready} of {daemon_set.desired}")
    for installation in facts.snapshot.installations.items:
        meaning = "never available yet: this is its first rollout" if rollout.first else "was available before: an update or a node that broke"
        yield Evidence(str(installation.ref), "status.variant", installation.variant, meaning)
    for ref, conditions in _reports(facts.snapshot):
        found = {entry.type: entry for entry in conditions if entry.message}
        condition = found.get("Degraded") or found.get("Available")
        if condition is not None:
            yield Evidence(str(ref), f"status.conditions[{condition.type}]", condition.status, f"{condition.reason}: {condition.message}"[:200])
            return


def _reports(snapshot: Snapshot) -> t.Iterator[tuple[Ref, tuple[Condition, ...]]]:
    """Who tells what the operator thinks of Calico: TigeraStatus, which Installation's conditions repeat (tigera/operator >= 1.28)."""
    yield from ((entry.ref, entry.conditions) for entry in snapshot.tigera_statuses.items if entry.ref.name == "calico")
    yield from ((entry.ref, entry.conditions) for entry in snapshot.installations.items)


def _impact(facts: Facts, rollout: Rollout, entries: t.Sequence[Stalled]) -> str:
    parts = ["Pods on these nodes have no network that is kept up to date."]
    if rollout.first:
        parts.append("As this is the first rollout, the operator installs no API server either, on any node: Submariner can create no IPPools.")
    elif rollout.updating:
        parts.append("The update waits for these nodes; what runs elsewhere goes on.")
    else:
        parts.append("What runs on other nodes goes on, and so does the Calico API server.")
    names = {entry.node for entry in entries}
    roles = [node for node in facts.snapshot.nodes.items if node.ref.name in names]
    gateways = named([node.ref.name for node in roles if node.is_gateway])
    planes = named([node.ref.name for node in roles if node.is_control_plane])
    parts += [f"{gateways} carries the traffic to other clusters."] if gateways else []
    parts += [f"{planes} runs the control plane, whose webhooks and aggregated APIs go through Calico."] if planes else []
    return " ".join(parts)


def _of_status(facts: Facts, status: TigeraStatus) -> t.Iterator[Problem]:
    degraded = status.condition("Degraded")
    available = status.condition("Available")
    bad = degraded if degraded is not None and degraded.status == "True" else available if available is not None and available.status == "False" else None
    if bad is None:
        return
    cause = _caused_by(facts, status)
    core = status.ref.name == "calico"
    yield Problem(
        subject=str(status.ref),
        title=f"The operator calls {status.ref.name} {'degraded' if bad.type == 'Degraded' else 'unavailable'}: {bad.reason or bad.message[:80]}",
        evidence=(Evidence(str(status.ref), f"status.conditions[{bad.type}]", bad.status, f"{bad.reason}: {bad.message}"[:200]),),
        impact="The operator applies no further change of Calico's configuration until it is mended." if core else "It is not part of what carries packets.",
        remedy=by_hand("Mend what the message names; the log of Deployment tigera-operator/tigera-operator says more.", "Installation default"),
        severity="warning" if cause or not core else "",
        caused_by=cause,
    )


def _caused_by(facts: Facts, status: TigeraStatus) -> str:
    """The operator's status follows from what is wrong with its pods, where that was found."""
    text = " ".join(condition.message for condition in status.conditions)
    if status.ref.name != "calico" or missing(facts.snapshot.pods, "pods") or missing(facts.snapshot.nodes, "nodes"):
        return ""
    rollout = rollout_of(facts.snapshot, lambda pod: is_fresh(facts.snapshot, pod))
    if rollout is None:
        return ""
    if rollout.stalled and "calico-node" in text:
        return f"{facts.snapshot.cluster}/{STALLED}"
    return f"{facts.snapshot.cluster}/{EXCLUDED}" if rollout.excluded and "calico-node" in text else ""


def named(names: t.Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    return ", ".join(names[:SHOWN]) + (f" and {len(names) - SHOWN} more" if len(names) > SHOWN else "")
