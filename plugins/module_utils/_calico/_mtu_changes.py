# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""When the MTU in force was last written, and whether all of calico-node and the pods have it.

Pods keep the MTU with which their interface was made (projectcalico/calico#4102, #5008), and calico-node writes the CNI configuration only when it
starts. Kubernetes keeps no history of fields; ``managedFields`` tells when a *manager* last changed anything of what it owns, so that the time of a
knob is exact only where its manager owns little beside it.
"""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._install_method import config_map
from ansible_collections.fathom.submariner.plugins.module_utils._calico._mtu_settings import POD, MtuSettings, calico_node
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import DaemonSet, HelmChart, HelmChartConfig, Manager, Origin, Pod, Snapshot

_OWN_FEW = 3  # fields; a kubectl patch of an MTU owns one or two
RKE2_CALICO = "rke2-calico"
HELM_VALUE = "installation.calicoNetwork.mtu"


class KnobChange(t.NamedTuple):
    """:param at: RFC 3339, when the knob was written at the latest.
    :param by: the field manager.
    :param exact: True where the manager owns hardly anything else in the object, so that the time is the MTU's own.
    :param created: when the object was made, "" where not read.
    """

    where: str
    field: str
    at: str
    by: str
    exact: bool
    created: str


class Pending(t.NamedTuple):
    """A value that is written and not in force yet."""

    where: str
    field: str
    value: str
    in_force: str
    why: str


def knob_change(snapshot: Snapshot, settings: MtuSettings) -> KnobChange | None:
    """The last write of the knob that sets pods' MTU; None where it is automatic or nobody recorded who wrote it."""
    knob = settings.knob_of(POD)
    if knob is None or not settings.pod:
        return None
    for installation in snapshot.installations.items:
        return _last(str(installation.ref), "spec.calicoNetwork.mtu", installation.origin, "spec.calicoNetwork", installation.created)
    if knob.where.startswith("ConfigMap"):
        found = config_map(snapshot, "calico-config")
        return _last(knob.where, knob.field, found.origin, "data", "") if found else None
    daemon_set = calico_node(snapshot)
    return _last(knob.where, knob.field, daemon_set.origin, "spec.template", daemon_set.created) if daemon_set else None


def _last(where: str, field: str, origin: Origin, path: str, created: str) -> KnobChange | None:
    owners = [manager for manager in origin.managers if not manager.subresource and any(_within(entry, path) for entry in manager.fields)]
    if not owners:
        return None
    last: Manager = max(owners, key=lambda manager: manager.time)
    return KnobChange(where, field, last.time, last.name, len(last.fields) <= _OWN_FEW, created)


def _within(field: str, path: str) -> bool:
    return field == path or field.startswith(f"{path}.") or path.startswith(f"{field}.")


def older_than(pods: t.Iterable[Pod], at: str) -> tuple[Pod, ...]:
    """The pods with an interface of their own that were made before ``at``: Kubernetes writes all times in one form, which compares as text."""
    return tuple(pod for pod in pods if not pod.host_network and pod.created and pod.created < at and pod.phase in ("Running", "Pending") and pod.ips)


def calico_node_pods(snapshot: Snapshot, daemon_set: DaemonSet) -> tuple[Pod, ...]:
    """The pods of the DaemonSet that runs calico-node: by their owner, or by the label that all its manifests give them."""
    owner, label = f"DaemonSet/{daemon_set.ref.name}", daemon_set.labels.get("k8s-app", daemon_set.ref.name)
    return tuple(
        pod
        for pod in snapshot.pods.items
        if pod.ref.namespace == daemon_set.ref.namespace and (pod.owner == owner or (not pod.owner and pod.labels.get("k8s-app") == label))
    )


def pending(snapshot: Snapshot, settings: MtuSettings) -> tuple[Pending, ...]:
    """Values that nobody has put into force: a chart's value, an Installation's, or a ConfigMap's that calico-node has not read yet."""
    return (*_of_chart(snapshot), *_of_operator(settings), *_of_config_map(snapshot, settings))


def _of_chart(snapshot: Snapshot) -> t.Iterator[Pending]:
    config: HelmChartConfig | None = next((entry for entry in snapshot.helm_chart_configs.items if entry.ref.name == RKE2_CALICO), None)
    chart: HelmChart | None = next((entry for entry in snapshot.helm_charts.items if entry.ref.name == RKE2_CALICO), None)
    wanted = config.values.get(HELM_VALUE, "") if config else ""
    for installation in snapshot.installations.items if config and wanted else ():
        network = installation.spec.get("calicoNetwork")
        found = str(network.get("mtu") or "") if isinstance(network, dict) else ""
        if found != wanted:
            failed = f"the chart failed: {chart.failed}" if chart and chart.failed else "the chart has not been rendered with it"
            yield Pending(str(config.ref), f"spec.valuesContent {HELM_VALUE}", wanted, found or "automatic", failed)


def _of_operator(settings: MtuSettings) -> t.Iterator[Pending]:
    for knob in settings.knobs:
        if knob.consumer == POD and not knob.effective and knob.field == "spec.calicoNetwork.mtu":
            used = settings.knob_of(POD)
            yield Pending(knob.where, knob.field, knob.value or "automatic", (used.value if used else "") or "automatic", knob.note)


def _of_config_map(snapshot: Snapshot, settings: MtuSettings) -> t.Iterator[Pending]:
    change, daemon_set, knob = knob_change(snapshot, settings), calico_node(snapshot), settings.knob_of(POD)
    if change is None or daemon_set is None or knob is None or not knob.where.startswith("ConfigMap") or not change.exact:
        return
    old = [pod for pod in calico_node_pods(snapshot, daemon_set) if pod.created and pod.created < change.at]
    if old:
        nodes = ", ".join(sorted(pod.node for pod in old)[:5]) + (f" and {len(old) - 5} more" if len(old) > 5 else "")
        why = f"calico-node has run since before {change.at} on {len(old)} nodes ({nodes}) and writes the CNI configuration only when it starts"
        yield Pending(knob.where, knob.field, knob.value, "what it was before", why)


def restart_missing(snapshot: Snapshot, settings: MtuSettings) -> bool:
    """Whether calico-node runs with a ConfigMap's former MTU and nobody has asked it to start anew since.

    A template that was written after the ConfigMap is such a request, also while its rollout is under way.
    """
    change, daemon_set = knob_change(snapshot, settings), calico_node(snapshot)
    if change is None or daemon_set is None or not any(entry.where.startswith("ConfigMap") for entry in pending(snapshot, settings)):
        return False
    template = (manager for manager in daemon_set.origin.managers if any(_within(field, "spec.template") for field in manager.fields))
    return not any(manager.time >= change.at and not manager.subresource for manager in template)
