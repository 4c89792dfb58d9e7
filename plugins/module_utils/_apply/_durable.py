# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Writing Calico's configuration where it lasts, whichever way Calico was installed."""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._apply._durable_chart import (
    ChartValues,
    merge_chart_values,
    rehearse_chart_values,
    write_chart_values,
)
from ansible_collections.fathom.submariner.plugins.module_utils._apply._durable_owners import kept_by, person_for_git
from ansible_collections.fathom.submariner.plugins.module_utils._apply._task import Person, Task
from ansible_collections.fathom.submariner.plugins.module_utils._calico._durable import (
    INSTALLATIONS,
    OVERLAY,
    WITH_DAEMON_SET,
    WITH_INSTALLATION,
    Method,
    base_installation,
    method_of,
    outside_ibm,
    overlaid,
    release_of,
    why_not,
)
from ansible_collections.fathom.submariner.plugins.module_utils._calico._durable_environment import applied_environment, with_environment
from ansible_collections.fathom.submariner.plugins.module_utils._calico._durable_yaml_write import dump
from ansible_collections.fathom.submariner.plugins.module_utils._calico._helm_release import upgrade_command
from ansible_collections.fathom.submariner.plugins.module_utils._calico._helm_values import leaves, patch_for
from ansible_collections.fathom.submariner.plugins.module_utils._calico._pool_context import calico_node
from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError, SubmarinerError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._diff import missing_from
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import TimedOutError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._wait import wait_for
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import DaemonSet, Installation, Snapshot

# Options of every module that writes through this file; documented in doc_fragments/_durable.py.
ARGUMENT_SPEC: dict[str, t.Any] = {
    "write_live": {"type": "bool", "default": False},
    "force": {"type": "bool", "default": False},
    "manifest_servers": {"type": "list", "elements": "str", "default": []},
}
KUBESPRAY_FILE = "inventory/NAME/group_vars/k8s_cluster/k8s-net-calico.yml"

Fragment = t.Mapping[str, t.Any]


def refuse_unknown(snapshot: Snapshot) -> None:
    """
    :raises RefusedError: Calico's configuration may not be written here, or it is unknown where it would last.
    """
    reason = why_not(snapshot)
    if reason:
        raise RefusedError(f"{snapshot.cluster}: {reason} Nothing was written.")


def set_installation(
    task: Task, snapshot: Snapshot, fragment: Fragment, *, replace: t.Sequence[str] = (), values: Fragment | None = None, why: str
) -> bool:
    """See to it that ``fragment`` stands in Installation.spec, and stays there.

    RKE2: merged into the values of HelmChartConfig kube-system/rke2-calico. The Installation is patched first, where it lacks something: Helm changes a
    custom resource by the difference between its last two manifests alone (helm pkg/kube, createPatch), so it neither takes away what the operator filled
    in itself nor puts back what somebody changed. Helm release: a Person gets the values; the Installation is patched where option ``write_live`` says so.
    Operator and OpenShift: the Installation, and the overlay where that decides. ROKS: as the operator, within what IBM supports.

    :param fragment: such as ``{"calicoNetwork": {"mtu": 1400}}``; None removes a key.
    :param replace: dotted paths whose whole value is the fragment's, such as ``calicoNetwork.nodeAddressAutodetectionV4``.
    :param values: for a Helm release: what its values must hold of Installation.spec, where that is not just the fragment.
    :param why: for people: the rest of a sentence after "so that".
    :returns: whether anything was, or in check mode would be, written.
    :raises RefusedError: this cluster has no Installation, or its owner does not let this be written.
    """
    plan = _plan_installation(task, snapshot, fragment, replace)
    if plan.method == Method.HELM:
        spec = plan.targets[0][1].get("spec")
        _person_values(task, plan.targets[0][1], plan.own, fragment, values or patch_for(spec, fragment, replace), why)
        if not task.params.get("write_live"):
            return False
    if plan.values is not None:
        rehearse_chart_values(task, plan.values)
    for path, found, patch, part in plan.targets:
        if missing_from(found, patch):
            task.writer.patch(path, found, patch)
            task.lines.append(f"Installation {found['metadata']['name']}: {', '.join(leaves(part))} set, so that {why}.")
    if plan.values is not None:
        write_chart_values(task, snapshot, plan.values, why)
        _await_installation(task, plan.own.ref.name, fragment, replace)
    else:
        person_for_git(task, plan.own.ref, plan.own.origin, {"spec": fragment}, why)
    return plan.writes


def would_set_installation(task: Task, snapshot: Snapshot, fragment: Fragment, *, replace: t.Sequence[str] = ()) -> bool:
    """Whether :func:`set_installation` would write anything: to ask for consent before the first write. Refuses what that refuses; writes nothing."""
    plan = _plan_installation(task, snapshot, fragment, replace)
    return plan.writes and (plan.method != Method.HELM or bool(task.params.get("write_live")))


class _Plan(t.NamedTuple):
    """:param targets: Installations that decide: path, object, merge patch, and the part of the fragment that it brings.
    :param values: of RKE2's chart; None elsewhere.
    """

    method: str
    own: Installation
    targets: tuple[tuple[str, dict[str, t.Any], dict[str, t.Any], Fragment], ...]
    values: ChartValues | None

    @property
    def writes(self) -> bool:
        return any(missing_from(found, patch) for _path, found, patch, _part in self.targets) or bool(self.values and self.values.patch)


def _plan_installation(task: Task, snapshot: Snapshot, fragment: Fragment, replace: t.Sequence[str]) -> _Plan:
    """Everything is read and decided before the first write."""
    refuse_unknown(snapshot)
    method, own = method_of(snapshot), base_installation(snapshot)
    if method not in WITH_INSTALLATION or own is None:
        raise RefusedError(
            f"{snapshot.cluster}: Calico was installed without its operator ({method}), so there is no Installation to be set. Nothing was written."
        )
    if method == Method.ROKS:
        _within_ibm(task, snapshot, fragment)
    targets = [_target(task, own, fragment, replace)]
    overlay = next((entry for entry in snapshot.installations.items if entry.ref.name == OVERLAY), None)
    part = overlaid(fragment, overlay.spec, replace) if overlay is not None else {}
    if overlay is not None and part:
        targets.append(_target(task, overlay, part, replace))
    values = merge_chart_values(task, {"installation": fragment}, [f"installation.{each}" for each in replace]) if method == Method.RKE2 else None
    return _Plan(method, own, tuple(targets), values)


def _target(task: Task, installation: Installation, fragment: Fragment, replace: t.Sequence[str]) -> tuple[str, dict[str, t.Any], dict[str, t.Any], Fragment]:
    path = f"{INSTALLATIONS}/{installation.ref.name}"
    found = task.writer.read(path)
    if found is None:
        raise SubmarinerError(f"{task.member.name}: {installation.ref} has disappeared. Run this again.")
    return path, found, {"spec": patch_for(found.get("spec"), fragment, replace)}, fragment


def set_values(task: Task, snapshot: Snapshot, fragment: Fragment, *, replace: t.Sequence[str] = (), why: str) -> bool:
    """See to it that ``fragment`` stands in the values of the chart that Calico was installed with: RKE2's, or by a Person a Helm release's.

    :raises RefusedError: Calico was not installed with a chart.
    """
    refuse_unknown(snapshot)
    method, own = method_of(snapshot), base_installation(snapshot)
    if method == Method.RKE2:
        return write_chart_values(task, snapshot, merge_chart_values(task, fragment, replace), why)
    if method != Method.HELM or own is None:
        raise RefusedError(
            f"{snapshot.cluster}: Calico was not installed with a Helm chart ({method}), so there are no values to be set. Nothing was written."
        )
    task.people.append(_values(own, fragment, why))
    return False


def set_node_environment(
    task: Task,
    snapshot: Snapshot,
    env: t.Mapping[str, str | None],
    *,
    container: str = "calico-node",
    variables: Fragment | None = None,
    why: str,
) -> bool:
    """Set environment variables of calico-node by name, where its DaemonSet is nobody's but the manifest's; None removes one, all others stay.

    :param variables: for Kubespray: the inventory's variables that mean the same; a Person gets them unless Kubespray applied it so already.
    :raises RefusedError: the operator renders the DaemonSet, and would put it back.
    """
    method, ref, path, found, containers = _plan_environment(task, snapshot, env, container)
    written = containers != found["spec"]["template"]["spec"]["containers"]
    if written:
        task.writer.patch(path, found, {"spec": {"template": {"spec": {"containers": containers}}}})
        task.lines.append(f"{ref}: {', '.join(_assignments(env))}, so that {why}.")
    if method == Method.KUBESPRAY and variables and not applied_environment(found, env, container):
        person_kubespray(task, variables, why)
    elif written and method != Method.KUBESPRAY:
        _warn_of_manifest(task, ref, method, env)
    daemon_set = t.cast(DaemonSet, calico_node(snapshot))
    person_for_git(task, daemon_set.ref, daemon_set.origin, _environment_patch(env, container), why)
    return written


def would_set_node_environment(task: Task, snapshot: Snapshot, env: t.Mapping[str, str | None], *, container: str = "calico-node") -> bool:
    """Whether :func:`set_node_environment` would write anything. Refuses what that refuses; writes nothing."""
    _method, _ref, _path, found, containers = _plan_environment(task, snapshot, env, container)
    return bool(containers != found["spec"]["template"]["spec"]["containers"])


def _plan_environment(
    task: Task, snapshot: Snapshot, env: t.Mapping[str, str | None], container: str
) -> tuple[str, str, str, dict[str, t.Any], list[dict[str, t.Any]]]:
    refuse_unknown(snapshot)
    method, daemon_set = method_of(snapshot), calico_node(snapshot)
    if method not in WITH_DAEMON_SET or daemon_set is None:
        raise RefusedError(f"{snapshot.cluster}: the DaemonSet of calico-node is rendered by Calico's operator ({method}). Nothing was written.")
    path = f"/apis/apps/v1/namespaces/{daemon_set.ref.namespace}/daemonsets/{daemon_set.ref.name}"
    found = task.writer.read(path)
    if found is None:
        raise SubmarinerError(f"{snapshot.cluster}: {daemon_set.ref} has disappeared. Run this again.")
    containers = with_environment(found["spec"]["template"]["spec"]["containers"], env, container)
    if containers is None:
        raise RefusedError(f"{snapshot.cluster}: {daemon_set.ref} has no container {container}. Nothing was written.")
    return method, str(daemon_set.ref), path, found, containers


def _environment_patch(env: t.Mapping[str, str | None], container: str) -> dict[str, t.Any]:
    """The part of a DaemonSet that somebody who keeps it in git must change."""
    entries = [{"name": name, "value": value} for name, value in env.items() if value is not None]
    return {"spec": {"template": {"spec": {"containers": [{"name": container, "env": entries}]}}}}


def person_kubespray(task: Task, variables: Fragment, why: str) -> None:
    """Have a person set variables of Kubespray's inventory: its next run renders calico-node from them. Numbers stay numbers, as Kubespray's templates want."""
    task.people.append(
        Person(
            f"Set {', '.join(variables)} in Kubespray's inventory, so that {why} also after the next run of cluster.yml (--tags network applies it alone).",
            f"Kubespray's inventory, {KUBESPRAY_FILE}",
            dump(variables),
        )
    )


def _within_ibm(task: Task, snapshot: Snapshot, fragment: Fragment) -> None:
    outside = outside_ibm(fragment)
    if outside and not task.params.get("force"):
        raise RefusedError(
            f"{snapshot.cluster}: on Red Hat OpenShift on IBM Cloud, IBM owns Calico and does not support a change of Installation.spec."
            f"{', '.join(outside)}; its master may undo it. Nothing was written. Ask IBM's support, or set force=true."
        )
    if outside:
        task.warnings.append(f"{snapshot.cluster}: IBM does not support a change of Installation.spec.{', '.join(outside)}, and may undo it.")


def _await_installation(task: Task, name: str, fragment: Fragment, replace: t.Sequence[str]) -> None:
    """Helm's job may still be rendering; what it makes of the values must be what was asked for."""
    if task.check_mode or not task.params["wait"]:
        return

    def has_it(objects: list[dict[str, t.Any]]) -> bool | str:
        found = next((entry for entry in objects if entry["metadata"]["name"] == name), None)
        if found is None:
            return f"there is no Installation {name}"
        lacking = missing_from(found.get("spec") or {}, patch_for(found.get("spec"), fragment, replace))
        return not lacking or f"Installation {name} differs in spec.{', spec.'.join(lacking)}"

    try:
        wait_for(task.member.connection, INSTALLATIONS, has_it, deadline=task.deadline, what=f"Installation {name} to have {', '.join(leaves(fragment))}")
    except TimedOutError as error:
        raise SubmarinerError(
            f"{error.message} The values are in HelmChartConfig kube-system/rke2-calico; what keeps Helm from applying them is in "
            "kubectl -n kube-system logs job/helm-install-rke2-calico."
        ) from error


def _person_values(task: Task, found: dict[str, t.Any], own: Installation, fragment: Fragment, values: Fragment, why: str) -> None:
    """Unless it was Helm that wrote what the Installation has, and nothing is left beside it."""
    has = not missing_from(_without_empty(found.get("spec") or {}), _without_empty(values))
    if not (has and all(kept_by(found, f"spec.{leaf}", ("helm",)) for leaf in leaves(fragment))):
        task.people.append(_values(own, {"installation": values}, why))


def _without_empty(node: t.Any) -> t.Any:
    """The operator takes an empty value for none."""
    if isinstance(node, t.Mapping):
        return {key: _without_empty(value) for key, value in node.items()}
    return None if node is False or node in ("", []) else node


def _removes(node: t.Any) -> bool:
    return any(map(_removes, node.values())) if isinstance(node, t.Mapping) else node is None


def _values(own: Installation, fragment: Fragment, why: str) -> Person:
    release = release_of(own)
    namespace, _slash, name = release.rpartition("/")
    removes = _removes(fragment)
    command = upgrade_command(own, name, namespace or "NAMESPACE", "--values FILE", removes=removes)
    text = f"Put these values into those of Helm release {release}, so that {why} also after the next upgrade: {command}"
    if removes:
        text += (
            " (Helm 3.14 or newer). Helm leaves in the Installation what is null here and not in its release: remove that from the Installation, or run "
            "this with write_live=true"
        )
    return Person(text, f"values of Helm release {release}", dump(fragment))


def _assignments(env: t.Mapping[str, str | None]) -> list[str]:
    return [f"{name} removed" if value is None else f"{name}={value}" for name, value in env.items()]


def _warn_of_manifest(task: Task, ref: str, method: str, env: t.Mapping[str, str | None]) -> None:
    where = "/var/snap/microk8s/current/args/cni-network/cni.yaml" if method == Method.MICROK8S else "the manifest (calico.yaml) that it was made from"
    task.warnings.append(f"{task.member.name}: {ref} was changed; set {', '.join(_assignments(env))} in {where} too, or applying that undoes it.")
