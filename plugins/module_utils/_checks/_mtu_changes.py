# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether an MTU that was changed is in force everywhere: in Calico's objects, in calico-node and in the pods."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_changes import Pending, knob_change, older_than, pending
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_remedy import RECREATE, settable
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_settings import calico_node, number, read_settings
from ansible_collections.fathom.submariner.plugins.module_utils._calico._pool_context import policy_only
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts, missing, require
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Evidence, Remedy
from ansible_collections.fathom.submariner.plugins.module_utils._checks._mtu import misfit
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import CannotJudge, NotApplicable, Problem, check
from ansible_collections.fathom.submariner.plugins.module_utils._checks._remedy_data import by_hand, by_role
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._moments import seconds_between

SHOWN = 5
SETTLING = 60  # seconds; objects of one installation are written within this time


@check(
    "mtu-change-pending",
    title="Every MTU that was set has been rolled out",
    severity="warning",
    needs=("daemon_sets", "installations"),
    references=("rancher/rke2-docs networking/basic_network_options", "projectcalico/calico manifests/calico.yaml"),
    tags=("mtu", "rollout"),
)
def change_pending(facts: Facts) -> t.Iterator[Problem]:
    """A chart's value that was not rendered, an Installation that the operator has not taken up, a ConfigMap that calico-node reads only at its start."""
    snapshot = facts.snapshot
    _applicable(snapshot)
    if not snapshot.helm_chart_configs.known:
        raise CannotJudge(missing(snapshot.helm_chart_configs, "HelmChartConfigs"))
    cause = misfit(facts)
    for entry in pending(snapshot, read_settings(snapshot)):
        yield Problem(
            subject=entry.where,
            title=f"MTU {entry.value} is set and not in force: {entry.in_force} is",
            evidence=(Evidence(entry.where, entry.field, entry.value, entry.why),),
            impact="Nodes and pods go on with the MTU that somebody wanted to change.",
            remedy=_put_into_force(snapshot, entry),
            # A value that does not fit is not put into force but replaced, and calico-node starts with what takes its place.
            caused_by=f"{snapshot.cluster}/{cause}" if cause and entry.where.startswith("ConfigMap") else "",
        )


@check(
    "mtu-pods-outdated",
    title="Pods were started with the MTU that is in force",
    severity="warning",
    needs=("daemon_sets", "installations", "pods"),
    references=("projectcalico/calico#4102", "projectcalico/calico#5008"),
    tags=("mtu",),
)
def pods_outdated(facts: Facts) -> t.Iterator[Problem]:
    """A pod's interface keeps the MTU with which it was made. When the MTU was set is told by managedFields; no field tells a pod's MTU itself.

    Where the manager that wrote the MTU owns other fields, too, the time may be that of another change: then it is only an information.
    """
    snapshot = facts.snapshot
    _applicable(snapshot)
    settings = read_settings(snapshot)
    if settings.pod is None:
        raise CannotJudge("; ".join(settings.missing))
    change = knob_change(snapshot, settings)
    if change is None or (change.created and (seconds_between(change.created, change.at) or 0) < SETTLING):
        return
    old = older_than(snapshot.pods.items, change.at)
    if old:
        named = ", ".join(f"{pod.ref.namespace}/{pod.ref.name}" for pod in old[:SHOWN]) + (f" and {len(old) - SHOWN} more" if len(old) > SHOWN else "")
        age = "" if change.exact else "; that manager owns other fields, too, so that the change may have been another one"
        yield Problem(
            subject=change.where,
            title=f"{len(old)} of the pods that were looked at {'is' if len(old) == 1 else 'are'} older than the MTU {settings.pod} and may have another one",
            evidence=(
                Evidence(change.where, change.field, str(settings.pod), f"written by {change.by} at {change.at}{age}"),
                Evidence("Pods", "metadata.creationTimestamp", f"{min(pod.created for pod in old)} to {max(pod.created for pod in old)}", named),
            ),
            impact="Pods with a larger MTU lose large packets until they are made again; those on nodes that rebooted since have the new one.",
            # Never a role by itself: it would restart everything in the cluster, which is for its owners to ask for.
            remedy=by_hand(
                f"{RECREATE.replace('Then recreate', 'Recreate')} Role calico_mtu does it one after the other with calico_mtu_restart_workloads: all.",
                "the workloads' pod templates",
                disruptive=True,
            ),
            severity="" if change.exact else "info",
        )


def _put_into_force(snapshot: Snapshot, entry: Pending) -> Remedy:
    if entry.where.startswith("ConfigMap") and settable(snapshot, number(entry.value)):
        text = "Restart calico-node (kubectl -n kube-system rollout restart ds/calico-node), which reads the ConfigMap only when it starts."
        return by_role("calico_mtu", text, {"calico_mtu_mtu": number(entry.value)}, target=entry.where, disruptive=True)
    text = "RKE2: read the log of Job kube-system/helm-install-rke2-calico. Operator: read TigeraStatus calico."
    return by_hand(text, entry.where, disruptive=True)


def _applicable(snapshot: Snapshot) -> None:
    """:raises NotApplicable: nothing here gives pods an MTU of Calico's."""
    if policy_only(snapshot):
        raise NotApplicable()
    if calico_node(snapshot) is None and not snapshot.installations.items:
        require(snapshot.daemon_sets, "DaemonSets")
        raise NotApplicable()
