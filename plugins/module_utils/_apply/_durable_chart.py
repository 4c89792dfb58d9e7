# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""The values of RKE2's chart of Calico: in a HelmChartConfig, and in the file on the servers that it may come from.

k3s' deploy controller (pkg/deploy) applies a file of ``server/manifests`` anew when it changes and when a server starts; the object's annotations name the
Addon that stands for the file, and the Addon its path. What is written into such an object alone is lost then.
"""

from __future__ import annotations

import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._apply._durable_owners import kept_by, last_written, person_for_git
from ansible_collections.fathom.submariner.plugins.module_utils._apply._task import Person, Task
from ansible_collections.fathom.submariner.plugins.module_utils._calico._durable import (
    CHART,
    HELM_CHART_CONFIGS,
    HELM_CHARTS,
    OWNER_KIND,
    OWNER_NAME,
    OWNER_NAMESPACE,
    overlaid,
)
from ansible_collections.fathom.submariner.plugins.module_utils._calico._durable_manifest import MANIFESTS, mirrored_folder
from ansible_collections.fathom.submariner.plugins.module_utils._calico._durable_yaml import EditError
from ansible_collections.fathom.submariner.plugins.module_utils._calico._durable_yaml_write import dump
from ansible_collections.fathom.submariner.plugins.module_utils._calico._helm_values import leaves, merge_values, outranked_by, patch_for
from ansible_collections.fathom.submariner.plugins.module_utils._deps import load_yaml
from ansible_collections.fathom.submariner.plugins.module_utils._errors import RefusedError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._diff import clean, missing_from
from ansible_collections.fathom.submariner.plugins.module_utils._kube._errors import KubeError
from ansible_collections.fathom.submariner.plugins.module_utils._kube._identity import FIELD_MANAGER
from ansible_collections.fathom.submariner.plugins.module_utils._kube._read import get_object
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._model import Snapshot
from ansible_collections.fathom.submariner.plugins.module_utils._snapshot._projection_platform import helm_chart_config

PATH = f"{HELM_CHART_CONFIGS}/{CHART}"
NAME = f"HelmChartConfig kube-system/{CHART}"

Fragment = t.Mapping[str, t.Any]


class ChartValues(t.NamedTuple):
    """What is to be written, and from what it was computed.

    :param found: the HelmChartConfig as it is; None where there is none.
    :param text: its values with the fragment.
    :param patch: of its spec; empty where there is nothing to do.
    """

    found: dict[str, t.Any] | None
    text: str
    patch: dict[str, t.Any]
    fragment: Fragment
    replace: tuple[str, ...]


def merge_chart_values(task: Task, fragment: Fragment, replace: t.Sequence[str]) -> ChartValues:
    """Compute what merging a fragment into the values of the HelmChartConfig takes; writes nothing.

    :raises RefusedError: the values cannot be merged safely, or something outranks them.
    """
    _refuse_outranked(task, fragment)
    found = task.writer.read(PATH)
    spec = dict((found or {}).get("spec") or {})
    try:
        merged = merge_values(str(spec.get("valuesContent") or ""), fragment, replace, load_yaml())
    except EditError as error:
        raise RefusedError(
            f"{task.member.name}: spec.valuesContent of {NAME} cannot be changed safely: {error.message}. Nothing was written. "
            f"Merge this by hand:\n{dump(fragment)}"
        ) from error
    patch: dict[str, t.Any] = {"valuesContent": merged.text} if merged.changed else {}
    structured = patch_for(spec.get("values"), overlaid(fragment, spec.get("values") or {}, replace), replace)
    if missing_from(spec.get("values") or {}, structured):
        patch["values"] = structured  # they outrank valuesContent (helm.cattle.io CRD)
    return ChartValues(found, merged.text, patch, fragment, tuple(replace))


def rehearse_chart_values(task: Task, values: ChartValues) -> None:
    """Be sure that merged values will be taken, before the Installation is written that must agree with them.

    :raises SubmarinerError: they would not, or not as they are.
    """
    if values.patch:
        task.writer.rehearse(PATH, values.found, {"spec": values.patch} if values.found is not None else _config(values.patch))


def write_chart_values(task: Task, snapshot: Snapshot, values: ChartValues, why: str) -> bool:
    """Write merged values; return whether anything was, or in check mode would be, written.

    ``task.facts["manifest_files"]`` gets the file on the servers that must be changed, too, where there is one (see module ``rke2_manifest``).
    """
    found, patch = values.found, values.patch
    if patch and found is None:
        task.writer.create(HELM_CHART_CONFIGS, _config(patch))
    elif patch and found is not None:
        task.writer.patch(PATH, found, {"spec": patch}, irreversible=_left_on_servers(task, found))
    if patch:
        task.lines.append(f"{NAME}: {', '.join(leaves(values.fragment))} set in its values, so that {why}.")
    for chart in snapshot.helm_charts.items:
        if patch and chart.ref.name == CHART and chart.failed:
            task.warnings.append(f"{task.member.name}: Helm's last try to install {chart.ref} failed ({chart.failed}); values take effect when it succeeds.")
    if found is not None:
        _tell_about_file(task, found, values, why)
        config = helm_chart_config(found)
        person_for_git(task, config.ref, config.origin, values.fragment, why, _merging(found, values))
    return bool(patch)


def _merging(found: t.Mapping[str, t.Any], values: ChartValues) -> str:
    """What a person does with the fragment: ``spec.valuesContent`` is one text, so that a fragment in its place would drop all other values."""
    structured = (found.get("spec") or {}).get("values") or {}
    outranking = " and into spec.values, which outranks it" if overlaid(values.fragment, structured, values.replace) else ""
    return f"merge this into the YAML text of spec.valuesContent{outranking} in its source, and keep the other values there"


def _config(spec: dict[str, t.Any]) -> dict[str, t.Any]:
    return {"apiVersion": "helm.cattle.io/v1", "kind": "HelmChartConfig", "metadata": {"name": CHART, "namespace": "kube-system"}, "spec": spec}


def _refuse_outranked(task: Task, fragment: Fragment) -> None:
    chart = get_object(task.member.connection, f"{HELM_CHARTS}/{CHART}", task.deadline) or {}
    outranking = outranked_by((chart.get("spec") or {}).get("set") or {}, fragment)
    if outranking:
        raise RefusedError(
            f"{task.member.name}: spec.set of HelmChart kube-system/{CHART} has {', '.join(outranking)}, which outranks every HelmChartConfig. "
            "Nothing was written. Change what sets it (RKE2's configuration)."
        )


def _left_on_servers(task: Task, found: dict[str, t.Any]) -> str:
    """What a rollback must say of the file that module ``rke2_manifest`` changes afterwards: it is on other hosts than this one."""
    file = _file_on_servers(task, found)
    if not file or mirrored_folder(file):
        return ""
    servers = ", ".join(map(str, task.params["manifest_servers"]))
    return (
        f"{file} on {servers} is not put back, and RKE2 applies it again when it changes and when a server starts: put its copy from before, which lies "
        "beside it, in its place"
    )


def _file_on_servers(task: Task, found: t.Mapping[str, t.Any]) -> str:
    annotations = (found.get("metadata") or {}).get("annotations") or {}
    if not task.params.get("manifest_servers") or not str(annotations.get(OWNER_KIND, "")).endswith("Kind=Addon"):
        return ""
    return str((_addon(task, annotations).get("spec") or {}).get("source") or "")


def _tell_about_file(task: Task, found: dict[str, t.Any], values: ChartValues, why: str) -> None:
    annotations = (found.get("metadata") or {}).get("annotations") or {}
    if not str(annotations.get(OWNER_KIND, "")).endswith("Kind=Addon"):
        return
    addon = _addon(task, annotations)
    source = str((addon.get("spec") or {}).get("source") or "")
    folder = mirrored_folder(source)
    if task.params.get("manifest_servers") and source and not folder:
        task.facts.setdefault("manifest_files", []).append(
            {"path": source, "chart": CHART, "values": dict(values.fragment), "replace": list(values.replace)}
        )
        return
    if not values.patch and (kept_by(found, "spec.valuesContent") or _applied_since(addon, found)):
        return
    file = source or f"the file in {MANIFESTS} behind Addon {annotations.get(OWNER_NAME)}"
    where = f"{file} on every server"
    if folder:
        where = f"the source of {file}: the directory that rke2_manifest_config_directory or rke2_manifest_config_post_run_directory names"
    body = _config({"valuesContent": values.text})
    task.people.append(
        Person(
            f"{NAME} comes from {file}, which RKE2 applies again when it changes and when a server starts, undoing what was written here. "
            f"Change the file too, so that {why}. A value shown as (hidden) stays as it is in the file.",
            where,
            dump(clean(body)),
        )
    )


def _applied_since(addon: t.Mapping[str, t.Any], found: t.Mapping[str, t.Any]) -> bool:
    """Whether the file was applied after this collection wrote the object: had it other values, the object would not have these any more."""
    ours = last_written(found, FIELD_MANAGER)
    return bool(ours) and last_written(addon) > ours


def _addon(task: Task, annotations: t.Mapping[str, str]) -> dict[str, t.Any]:
    """The object that stands for the file on the servers; empty where it may not be read."""
    namespace, name = annotations.get(OWNER_NAMESPACE) or "kube-system", annotations.get(OWNER_NAME) or ""
    try:
        found = get_object(task.member.connection, f"/apis/k3s.cattle.io/v1/namespaces/{namespace}/addons/{name}", task.deadline) if name else None
    except KubeError as error:
        task.warnings.append(f"{task.member.name}: which file {NAME} comes from could not be read: {error.message}")
        return {}
    return found or {}
