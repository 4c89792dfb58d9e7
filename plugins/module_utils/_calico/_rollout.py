# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How far the rollout of calico-node is, on which nodes it stalls and why, and what waits for it.

tigera/operator calls Calico available once every pod of the DaemonSet is ready, and writes ``Installation.status.variant`` then for the first time
(pkg/controller/installation). Until it has, it installs no API server (pkg/controller/apiserver), so that one unfit node of a *new* installation keeps
projectcalico.org/v3 from the whole cluster (projectcalico/calico#9540). An update of an installed one holds back nothing but itself: a pod that is not
ready uses up the DaemonSet's maxUnavailable.
"""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_changes import calico_node_pods
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_settings import calico_node
from ansible_collections.fathom.submariner.plugins.module_utils._calico._rollout_causes import Cause, cause_of
from ansible_collections.fathom.submariner.plugins.module_utils._calico._rollout_placement import Exclusion, exclusions
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Condition, DaemonSet, Event, Node, Pod, PodLog, Snapshot

IS_DOWN = "CalicoIsDown"
UNAVAILABLE_TAINT = "node.kubernetes.io/network-unavailable"


class Stalled(t.NamedTuple):
    """A node on which calico-node does not get ready. ``since`` is RFC 3339, "" where nothing tells it."""

    node: str
    pod: Pod
    cause: Cause
    since: str


class Rollout(t.NamedTuple):
    """:param stalled: nodes whose calico-node is not ready, with the cause.
    :param excluded: nodes that the DaemonSet does not select.
    :param first: True for a first installation that never finished, False for one that did, None where nothing tells (no operator).
    :param updating: nodes that still run an older template.
    """

    daemon_set: DaemonSet
    stalled: tuple[Stalled, ...]
    excluded: tuple[Exclusion, ...]
    first: bool | None
    updating: int

    @property
    def without_calico(self) -> frozenset[str]:
        """Names of the nodes that have no working calico-node."""
        return frozenset((*(entry.node for entry in self.stalled if entry.node), *(entry.node.ref.name for entry in self.excluded)))


def rollout_of(snapshot: Snapshot, is_fresh: t.Callable[[Pod], bool]) -> Rollout | None:
    """None where no DaemonSet runs calico-node.

    :param is_fresh: whether a pod was made so lately that it may just need its time.
    """
    daemon_set = calico_node(snapshot)
    if daemon_set is None:
        return None
    nodes = {node.ref.name: node for node in snapshot.nodes.items}
    excluded = exclusions(daemon_set, snapshot.nodes.items)
    leaving = {entry.node.ref.name for entry in excluded}
    pods = [pod for pod in calico_node_pods(snapshot, daemon_set) if not pod.deleting and pod.node not in leaving]
    logs, events = _by_pod(snapshot.logs.items), _by_pod(snapshot.events.items)
    stalled = [
        Stalled(
            pod.node,
            pod,
            cause_of(pod, nodes.get(pod.node), logs.get(_key(pod), []), events.get(_key(pod), []), fresh=is_fresh(pod)),
            _since(pod),
        )
        for pod in pods
        if not pod.ready
    ]
    first = None if not snapshot.installations.items else not any(entry.variant for entry in snapshot.installations.items)
    updating = max(0, daemon_set.desired - daemon_set.updated) if daemon_set.updated or daemon_set.observed_generation else 0
    return Rollout(daemon_set, tuple(sorted(stalled, key=lambda entry: (entry.cause.kind, entry.node))), excluded, first, updating)


_Told = t.TypeVar("_Told", PodLog, Event)


def _by_pod(told: t.Iterable[_Told]) -> dict[tuple[str, str], list[_Told]]:
    found: dict[tuple[str, str], list[_Told]] = {}
    for entry in told:
        found.setdefault((entry.ref.namespace, entry.ref.name), []).append(entry)
    return found


def _key(pod: Pod) -> tuple[str, str]:
    return pod.ref.namespace, pod.ref.name


def _since(pod: Pod) -> str:
    ready = next((entry for entry in pod.conditions if entry.type == "Ready"), None)
    return (ready.since if ready else "") or pod.created


class Down(t.NamedTuple):
    """A node of which Calico or Kubernetes says that its network is not there."""

    node: Node
    condition: Condition | None
    tainted: bool


def nodes_down(nodes: t.Iterable[Node]) -> tuple[Down, ...]:
    """calico-node sets NetworkUnavailable when it stops (node/pkg/lifecycle/shutdown); the node controller answers with a NoSchedule taint."""
    found = []
    for node in nodes:
        condition = node.condition("NetworkUnavailable")
        down = condition if condition is not None and condition.status == "True" else None
        tainted = any(taint.key == UNAVAILABLE_TAINT for taint in node.taints)
        if down is not None or tainted:
            found.append(Down(node, down, tainted))
    return tuple(found)


def stranded(snapshot: Snapshot, nodes: t.Collection[str]) -> tuple[Pod, ...]:
    """Of the pods that were read those with an address of their own on one of ``nodes``: nobody programs routes and policy for them there."""
    wanted = frozenset(nodes)
    return tuple(pod for pod in snapshot.pods.items if pod.node in wanted and not pod.host_network and pod.phase in ("Running", "Pending") and not pod.deleting)
