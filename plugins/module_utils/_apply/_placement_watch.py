# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Waiting for what a placement leads to: the rule in the DaemonSet, pods gone or there, all others as good as before, the operator content."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._apply._members import Member
from ansible_collections.fathom.submariner.plugins.module_utils._calico._placement_affinity import Requirement, demands, mentions
from ansible_collections.fathom.submariner.plugins.module_utils._errors import SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._deadline import Deadline
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import TimedOutError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._wait import wait_for
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Pod, Ref
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._projection_calico import tigera_status
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._projection_kubernetes import daemon_set as project_daemon_set, pod as project_pod

TIGERA_STATUSES = "/apis/operator.tigera.io/v1/tigerastatuses"
STATUS = "calico"

Objects = t.List[t.Dict[str, t.Any]]


class Watch:
    """Of one cluster's calico-node.

    :param place: its DaemonSet.
    :param ailing: nodes on which it was not ready before anything was done: they are not waited for.
    :param operator: whether a TigeraStatus tells what the operator thinks.
    """

    def __init__(self, member: Member, place: Ref, ailing: t.Collection[str], *, operator: bool) -> None:
        self._member = member
        self._place = place
        self._ailing = frozenset(ailing)
        self._operator = operator

    def await_rule(self, requirements: t.Sequence[Requirement], *, there: bool, deadline: Deadline) -> None:
        """Until the DaemonSet's template demands the requirements, or none of them any more, and its controller has seen that.

        :raises SubmarinerError: it does not come.
        """

        def rendered(objects: Objects) -> bool | str:
            for obj in objects:
                if obj["metadata"]["name"] != self._place.name:
                    continue
                affinity = obj["spec"]["template"]["spec"].get("affinity")
                wrong = [each.key for each in requirements if (not demands(affinity, each) if there else mentions(affinity, each))]
                if wrong:
                    return f"{self._place} {'does not demand' if there else 'still demands'} {', '.join(wrong)} in spec.template.spec.affinity"
                observed = (obj.get("status") or {}).get("observedGeneration", 0)
                return observed >= obj["metadata"].get("generation", 0) or f"its controller has not seen the change of {self._place}"
            return f"there is no {self._place}"

        what = f"{self._member.name}: the affinity of {self._place} to {'demand' if there else 'demand no more'} {', '.join(each.key for each in requirements)}"
        try:
            self._wait(f"/apis/apps/v1/namespaces/{self._place.namespace}/daemonsets", rendered, deadline, what)
        except TimedOutError as error:
            who = "The operator does not render it: kubectl -n tigera-operator logs deploy/tigera-operator, kubectl get tigerastatus." if self._operator else (
                "Something puts the DaemonSet back, or no DaemonSet controller runs."
            )
            raise SubmarinerError(f"{error.message}. {who}") from error

    def await_nodes(self, gone: t.Collection[str], running: t.Collection[str], deadline: Deadline) -> None:
        """Until calico-node is off some nodes, ready on others, and everywhere else as ready as it was.

        :raises TimedOutError: says on which node not.
        """

        def placed(objects: Objects) -> bool | str:
            pods = [project_pod(obj) for obj in objects]
            left = sorted({pod.node for pod in pods if pod.node in gone})
            if left:
                return f"calico-node still has a pod on {', '.join(left)}"
            ready = {pod.node for pod in pods if pod.ready and not pod.deleting}
            missing = sorted(set(running) - ready)
            if missing:
                return f"calico-node is not ready on {missing[0]}: {_why(pods, missing[0])}"
            worse = sorted({pod.node for pod in pods if pod.node} - ready - self._ailing)
            return not worse or f"calico-node is not ready on {worse[0]}: {_why(pods, worse[0])}"

        said = [f"to leave {', '.join(sorted(gone))}"] * bool(gone) + [f"to be ready on {', '.join(sorted(running))}"] * bool(running)
        what = f"{self._member.name}: calico-node {' and '.join((*said, 'to be ready everywhere else'))}"
        path = f"/api/v1/namespaces/{self._place.namespace}/pods"
        wait_for(self._member.connection, path, placed, deadline=deadline, what=what, label_selector="k8s-app=calico-node")
        self._await_rollout(deadline)
        self._await_operator(deadline)

    def _await_rollout(self, deadline: Deadline) -> None:
        """A pod that is not ready and stays uses up maxUnavailable: where there is one, the rest of an update is not waited for."""

        def rolled_out(objects: Objects) -> bool | str:
            for record in map(project_daemon_set, objects):
                if record.ref.name != self._place.name:
                    continue
                if record.observed_generation < record.generation:
                    return f"its controller has not seen the change of {self._place}"
                if not self._ailing and record.updated < record.desired:
                    return f"{record.updated} of {record.desired} pods have the new template"
                return record.available >= record.desired - len(self._ailing) or f"{record.available} of {record.desired} pods are available"
            return f"there is no {self._place}"

        what = f"{self._member.name}: the rollout of {self._place}"
        self._wait(f"/apis/apps/v1/namespaces/{self._place.namespace}/daemonsets", rolled_out, deadline, what)

    def _await_operator(self, deadline: Deadline) -> None:
        if not self._operator or self._ailing:
            return

        def content(objects: Objects) -> bool | str:
            for record in map(tigera_status, objects):
                if record.ref.name != STATUS:
                    continue
                available, degraded = record.condition("Available"), record.condition("Degraded")
                if available is None or available.status != "True":
                    return f"TigeraStatus {STATUS} is not Available: {available.message if available else 'it does not say'}"
                return degraded is None or degraded.status != "True" or f"TigeraStatus {STATUS} is Degraded: {degraded.message}"
            return f"there is no TigeraStatus {STATUS}"

        self._wait(TIGERA_STATUSES, content, deadline, f"{self._member.name}: the operator to call Calico available")

    def _wait(self, path: str, predicate: t.Callable[[Objects], bool | str], deadline: Deadline, what: str) -> None:
        wait_for(self._member.connection, path, predicate, deadline=deadline, what=what)


def _why(pods: t.Iterable[Pod], node: str) -> str:
    for pod in pods:
        if pod.node == node:
            told = next((status for status in pod.statuses if not status.ready), None)
            reason = (told.waiting_reason or told.exit_reason) if told else ""
            return f"pod {pod.ref.name} is {reason or pod.phase or 'there'}"
    return "it has no pod there"
