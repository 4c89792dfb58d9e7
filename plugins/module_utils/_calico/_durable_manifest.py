# Copyright (c) 2026, the fathom.submariner authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to this collection: may change in any release.
"""Manifest files of RKE2's servers (``server/manifests``): which one holds a HelmChartConfig, and the file with values merged into it."""

from __future__ import annotations

import copy
import types
import typing as t

from ansible_collections.fathom.submariner.plugins.module_utils._calico._durable import overlaid
from ansible_collections.fathom.submariner.plugins.module_utils._calico._durable_yaml import EditError, edited, load_documents
from ansible_collections.fathom.submariner.plugins.module_utils._calico._helm_values import merge_values, with_fragment

MANIFESTS = "/var/lib/rancher/rke2/server/manifests"  # below --data-dir
SUFFIXES = (".yaml", ".yml", ".json")  # k3s pkg/deploy applies no other files

# Folders that role rke2 of rancherfederal.rke2_ansible mirrors from the controller, deleting what is not there
# (rke2_manifest_config_directory, rke2_manifest_config_post_run_directory).
MIRRORED = ("ansible_managed_0", "ansible_managed_1")


class Manifest(t.NamedTuple):
    """:param text: the whole file. :param values_before: the chart's values as they were; ``values_after`` as they are now."""

    text: str
    changed: bool
    values_before: str
    values_after: str


def mirrored_folder(path: str) -> str:
    """The folder of ``path`` that is mirrored from a controller, so that a change in it is lost; "" for none."""
    return next((part for part in path.split("/")[:-1] if part in MIRRORED), "")


def holds_config(text: str, chart: str, yaml: types.ModuleType) -> bool:
    """Whether a file holds the HelmChartConfig of a chart.

    :raises EditError: it is no YAML.
    """
    return chart in text and any(_is_config(document, chart) for document in load_documents(text, yaml))


def merge_into_manifest(text: str, chart: str, fragment: t.Mapping[str, t.Any], replace: t.Iterable[str], yaml: types.ModuleType) -> Manifest:
    """Merge a fragment into the values of the HelmChartConfig that a file holds; every other byte of the file stays.

    :raises EditError: the file holds none, or several, or cannot be changed without touching something else.
    """
    documents = load_documents(text, yaml)
    numbers = [number for number, document in enumerate(documents) if _is_config(document, chart)]
    if len(numbers) != 1:
        raise EditError(f"it holds {len(numbers) or 'no'} HelmChartConfig{'s' if len(numbers) > 1 else ''} kube-system/{chart}")
    wanted = copy.deepcopy(documents[numbers[0]])
    spec = wanted.get("spec") or {}
    if not isinstance(spec, dict) or not isinstance(spec.get("valuesContent") or "", str):
        raise EditError("spec.valuesContent is no text")
    names = tuple(replace)
    before = spec.get("valuesContent") or ""
    values = merge_values(before, fragment, names, yaml)
    structured = overlaid(fragment, spec.get("values") or {}, names)
    if structured:  # they outrank valuesContent
        wanted["spec"] = spec = {**spec, "values": with_fragment(spec["values"], structured, names)}
    if values.changed:
        wanted["spec"] = {**spec, "valuesContent": values.text}
    changed = wanted != documents[numbers[0]]
    return Manifest(edited(text, wanted, yaml, numbers[0]) if changed else text, changed, before, values.text)


def _is_config(document: t.Any, chart: str) -> bool:
    if not isinstance(document, dict) or document.get("kind") != "HelmChartConfig":
        return False
    metadata = document.get("metadata")
    # RKE2's charts live in kube-system; a manifest without a namespace lands in default.
    return isinstance(metadata, dict) and metadata.get("name") == chart and metadata.get("namespace") == "kube-system"
