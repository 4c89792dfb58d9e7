# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""What an earlier Submariner left behind, and removals that do not end."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._api_state import api_state
from ansible_collections.fathom.submariner.plugins.module_utils._checks._calico_api import CALICO_API
from ansible_collections.fathom.submariner.plugins.module_utils._checks._facts import Facts, missing
from ansible_collections.fathom.submariner.plugins.module_utils._checks._finding import Evidence, Remedy
from ansible_collections.fathom.submariner.plugins.module_utils._checks._registry import Problem, check
from ansible_collections.fathom.submariner.plugins.module_utils._checks._remedy_data import by_hand, by_role
from ansible_collections.fathom.submariner.plugins.module_utils._checks._words import few, names
from ansible_collections.fathom.submariner.plugins.module_utils._submariner._moments import duration, seconds_between

FINALIZER = "controllers.submariner.io/cleanup"
OPERATOR = "submariner-operator"
NAMESPACE = "submariner-operator"
UNINSTALL = 180  # seconds: the operator gives its clean-up two minutes (submariner-operator pkg/uninstall), and a namespace goes right after


@check(
    "uninstall-left-running",
    title="No clean-up of an earlier Submariner is still running",
    severity="warning",
    needs=("daemon_sets", "submariners"),
    references=("submariner-operator pkg/uninstall",),
    tags=("health", "leftovers"),
    remedy="Delete the DaemonSet.",
)
def uninstall_left_running(facts: Facts) -> t.Iterator[Problem]:
    """A ``submariner-*-uninstall`` DaemonSet beside a Submariner that is not being deleted.

    The operator runs its clean-up twice on a re-join, and when the object disappears between the two, the second round's DaemonSets, which nobody
    owns, stay. Whenever one of their pods starts on a node, it deletes the Endpoint, the pools and the links of the new installation.
    """
    submariner = facts.snapshot.submariner
    if submariner is not None and submariner.deleting:
        return
    for daemon_set in facts.snapshot.daemon_sets.items:
        if daemon_set.ref.name.startswith("submariner-") and daemon_set.ref.name.endswith("-uninstall"):
            yield Problem(
                subject=str(daemon_set.ref),
                title=f"The clean-up {daemon_set.ref.name} of an earlier Submariner is still there",
                evidence=(Evidence(str(daemon_set.ref), "status.desiredNumberScheduled", str(daemon_set.desired), "no Submariner is being deleted"),),
                impact="When one of its pods starts (a reboot, a new node), it removes Endpoint, IPPools and interfaces of the running installation.",
                remedy=by_hand(f"kubectl -n {daemon_set.ref.namespace} delete daemonset {daemon_set.ref.name}"),
            )


@check(
    "submariner-deletion-stuck",
    title="No removal of Submariner is stuck",
    severity="error",
    needs=("submariners", "deployments"),
    references=("submariner-operator controllers/submariner/cleanup.go", "submariner-operator pkg/uninstall"),
    tags=("health", "leftovers"),
    remedy="Start the operator, which removes the finalizer.",
)
def deletion_stuck(facts: Facts) -> t.Iterator[Problem]:
    """A Submariner with a deletion timestamp waits for its finalizer, which the operator alone removes; and a namespace that stays in Terminating."""
    submariner = facts.snapshot.submariner
    if submariner is not None and submariner.deleting:
        operator = next(
            (
                item
                for item in facts.snapshot.deployments.items
                if (item.ref.namespace, item.ref.name) == (submariner.ref.namespace, OPERATOR)
            ),
            None,
        )
        runs = operator is not None and operator.available > 0
        state = "none" if operator is None else f"{operator.available} of {operator.replicas} available"
        yield Problem(
            subject=str(submariner.ref),
            title="The Submariner object is being deleted"
            + (": gateway and agents go, and come back only when it is made anew" if runs else ", and the operator that must finish it does not run"),
            evidence=(
                Evidence(str(submariner.ref), "metadata.deletionTimestamp", "set", f"finalizer {FINALIZER}"),
                Evidence(f"Deployment {submariner.ref.namespace}/{OPERATOR}", "status.availableReplicas", state),
            ),
            impact="It can be neither used nor made anew until the finalizer is gone.",
            remedy=by_hand(
                "Wait two minutes, then read the operator's log."
                if runs
                else f"Start the operator again (kubectl -n {submariner.ref.namespace} scale deployment {OPERATOR} --replicas 1). Only where that is "
                f"impossible, remove the finalizer {FINALIZER} by hand and clean the nodes yourself."
            ),
            severity="warning" if runs else "",
        )
    for namespace in facts.snapshot.namespaces.items:
        passed = seconds_between(namespace.deleted_at, facts.snapshot.taken_at) if namespace.deleted_at else None
        if namespace.ref.name != NAMESPACE or passed is None or passed < UNINSTALL:
            continue
        blocking = [entry for entry in namespace.conditions if entry.status == "True"]
        dead_api = any("projectcalico.org" in entry.message for entry in blocking)
        yield Problem(
            subject=str(namespace.ref),
            title=f"The namespace {namespace.ref.name} has been Terminating for {duration(passed)}",
            evidence=few(
                (
                    Evidence(str(namespace.ref), "metadata.deletionTimestamp", namespace.deleted_at),
                    *(Evidence(str(namespace.ref), f"status.conditions[{entry.type}]", entry.reason, entry.message) for entry in blocking),
                )
            ),
            impact="Submariner cannot be installed again while it lasts.",
            remedy=by_hand("The conditions say what is left: objects whose finalizer nobody removes, or an API that does not answer."),
            severity="warning" if dead_api else "",
            caused_by=f"{facts.snapshot.cluster}/{CALICO_API}" if dead_api else "",
        )


@check(
    "submariner-leftovers",
    title="Nothing is left of a Submariner that was removed",
    severity="warning",
    joined=False,
    references=("submariner-operator pkg/uninstall", "submariner pkg/routeagent_driver/handlers/calico/ippool_handler.go"),
    tags=("leftovers", "membership"),
    remedy="Delete the left-over pools, workloads and records.",
)
def leftovers(facts: Facts) -> t.Iterator[Problem]:
    """On a cluster that is not joined: IPPools, workloads, Endpoints and gateways of Submariner. A clean-up that was cut off leaves them.

    They keep the right pools out after the next join, and its agents may take them for true. Links and rules on the nodes are not seen from here.
    """
    snapshot = facts.snapshot
    reasons = [missing(snapshot.ip_pools, "IPPools"), missing(snapshot.daemon_sets, "DaemonSets"), missing(snapshot.endpoints, "Endpoints")]
    pools = [Evidence(str(pool.ref), "spec.cidr", pool.cidr, "of a remote cluster") for pool in snapshot.ip_pools.items if pool.is_submariner]
    found = [
        *pools,
        *(
            Evidence(str(item.ref), "status.desiredNumberScheduled", str(item.desired))
            for item in snapshot.daemon_sets.items
            if item.ref.name.startswith("submariner-") and not item.ref.name.endswith("-uninstall")
        ),
        *(Evidence(str(item.ref), "spec.subnets", ", ".join(item.subnets)) for item in snapshot.endpoints.items if item.ref.namespace == NAMESPACE),
        *(Evidence(str(item.ref), "status.haStatus", item.ha_status) for item in snapshot.gateways.items),
    ]
    if found:
        yield Problem(
            subject=names(entry.object for entry in found),
            title=f"{len(found)} objects of a Submariner that was removed are left: {names(entry.object for entry in found)}",
            evidence=few(found),
            impact="Stale IPPools keep the right ones out after the next join; stale Endpoints are taken for clusters.",
            remedy=_removal(only_pools=len(pools) == len(found) and api_state(snapshot).answers),
        )
    unread = "; ".join(reason for reason in reasons if reason)
    if unread:
        yield Problem(subject="", title="Whether anything of an earlier Submariner is left is not known", missing=unread)


def _removal(*, only_pools: bool) -> Remedy:
    """The role removes pools alone: workloads and their namespace are a person's, or the next join's."""
    nodes = "On the nodes delete the link vx-submariner and the chains SUBMARINER-*, or restart them."
    if only_pools:
        return by_role("remote_ippools", f"Remove Submariner's pools. {nodes}", {"remote_ippools_state": "absent"}, target="IPPools of Submariner's")
    return by_hand(f"Delete them: pools with label submariner.io/ippool=true through projectcalico.org/v3, then the namespace submariner-operator. {nodes}")
